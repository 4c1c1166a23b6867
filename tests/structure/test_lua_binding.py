"""The committed wrapper of the Lua module is what SWIG makes of the headers, and leaves nothing out."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest
from structure.checks import ROOT

SWIG = ROOT / "bindings" / "swig"
WRAPPER = (SWIG / "peergraph_wrap.c").read_text(encoding="utf-8")
HEADER = "".join(
    (ROOT / "core/include/peergraph" / name).read_text(encoding="utf-8") for name in ("peergraph.h", "records.h")
)
CODES = (ROOT / "core/include/peergraph/codes.h").read_text(encoding="utf-8")
STRUCTS = (SWIG / "structs.c").read_text(encoding="utf-8")


def load_generator() -> ModuleType:
    specification = importlib.util.spec_from_file_location("swig_generate", SWIG / "generate.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_wrapper_is_fresh():
    generator = load_generator()
    version = generator.installed_version()
    if version != generator.VERSION:
        pytest.skip(f"the wrapper is made by SWIG {generator.VERSION}, and {version or 'none'} is installed")
    assert generator.generated() == WRAPPER, "run bindings/swig/generate.py"


def test_the_wrapper_is_by_the_version_that_is_asked_for():
    assert f" * Version {load_generator().VERSION}\n" in WRAPPER


def test_every_function_is_bound():
    bound = dict(re.findall(r'\{ "(peer_\w+)", ?(\w+)\}', WRAPPER))
    assert set(bound) == set(re.findall(r"PEER_API [^;(]*?(peer_\w+)\(", HEADER))
    natives = {name for name, function in bound.items() if function != f"_wrap_{name}"}
    assert natives == {"peer_free_data", "peer_retain_data"}


def test_every_constant_is_there():
    defined = set(re.findall(r"^#define (P?E\w+) +[(\d]", CODES, re.MULTILINE))
    assert len(defined) > 90
    assert set(re.findall(r'SWIG_LUA_CONSTTAB_INT\("(\w+)",', WRAPPER)) >= defined


def members(struct: str) -> set[str]:
    (body,) = re.findall(rf"typedef struct {struct} \{{(.*?)\}}", HEADER, re.DOTALL)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    return set(re.findall(r"(\w+);", body))


@pytest.mark.parametrize(
    ("table", "struct"),
    [
        ("startup", "peer_startup_input"),
        ("version", "peer_version_data"),
        ("properties", "peer_graph_properties_view"),
        ("options", "peer_graph_options_input"),
        ("node_info", "peer_node_info_view"),
        ("record", "peer_record_view"),
        ("event", "peer_event_view"),
    ],
)
def test_every_field_of_a_struct_is_one_of_its_table(table, struct):
    (body,) = re.findall(rf"peer__lua_{table}_fields\[\] = \{{(.*?)END_OF_FIELDS", STRUCTS, re.DOTALL)
    plain = set(re.findall(rf"FIELD\({struct}, (\w+),", body))
    counted = re.findall(rf"COUNTED\({struct}, (\w+), (\w+),", body)
    named = plain | {name for pair in counted for name in pair}
    assert members(struct) - {"struct_size", "reserved"} == named
