"""Nothing but the public functions leaves the library, and none comes or goes unnoticed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from abi import symbols
from abi.symbols import ROOT

sys.path.insert(0, str(ROOT / "bindings" / "cffi"))

import generate

LIBRARY = ROOT / "build" / "dev" / "libpeergraph.so"


def test_the_list_is_what_the_headers_declare():
    assert symbols.listed() == symbols.declared_in_headers(), "run tests/abi/symbols.py and look at the difference"


def test_the_library_exports_exactly_the_list():
    if not LIBRARY.exists():
        pytest.skip("the dev preset is not built")
    assert symbols.exported(LIBRARY) == symbols.listed()


def test_the_binding_declares_exactly_the_list():
    headers = [symbols.HEADERS / name for name in ("peergraph.h", "records.h", "sim.h")]
    text = "".join(generate.declarations(header.read_text(encoding="utf-8")) for header in headers)
    assert sorted(set(re.findall(r"\b(peer_\w+)\s*\(", text))) == symbols.listed()


def test_declarations_are_found_in_every_form():
    header = """
        #define PEER_API __attribute__((visibility("default")))
        /* PEER_API int peer_in_a_comment(void); */
        PEER_API peer_status peer_one(peer_graph *graph,
                                      const char *name);
        PEER_API const char *
        peer_two(void);
        int peer_not_marked(void);
    """
    assert symbols.declared([header]) == ["peer_one", "peer_two"]


def test_exports_are_read_from_a_library(tmp_path):
    source = tmp_path / "a.c"
    source.write_text('__attribute__((visibility("default"))) int seen(void){return 0;} int hidden(void){return 0;}\n')
    library = tmp_path / "liba.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-fvisibility=hidden", "-o", library, source], check=True)
    assert symbols.exported(library) == ["seen"]
