"""Nothing public is missing in the reference, and everything in it has an example."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import peergraph
import peergraph.aio
import peergraph.sim
import pytest
from extension import codes, examples, headers

# What has members that a person calls; of the others the class is explained as a whole.
HANDLES = """
    Runtime Graph Batch RecordEnumeration NodeEnumeration ConnectionEnumeration
    Events EventQueue Direct Channel Attributes Network Host
""".split()


@pytest.fixture(scope="module")
def c_pages(html) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((html / "reference" / "c").glob("*.html")))


@pytest.fixture(scope="module")
def python_pages(html) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((html / "reference" / "python").glob("*.html")))


def entry(pages: str, anchor: str) -> str:
    """What stands below an anchor, up to the next one of its kind."""
    kind = anchor.split(".")[0]
    (start,) = [match.end() for match in re.finditer(rf'<dt[^>]* id="{re.escape(anchor)}"', pages)]
    following = re.compile(rf'<dt[^>]* id="{kind}\.').search(pages, start)
    return pages[start : following.start() if following else len(pages)]


def test_every_section_of_the_headers_is_on_a_page():
    pages = "".join(path.read_text(encoding="utf-8") for path in (headers.ROOT / "docs/reference/c").glob("*.rst"))
    shown = set(re.findall(r"^.. header-section:: (\S+) (.+)$", pages, re.MULTILINE))
    assert shown == {(name, each.title) for name in headers.HEADERS for each in headers.read_header(name).sections}


def test_no_function_is_overlooked():
    for name in headers.HEADERS:
        text = (headers.INCLUDE / name).read_text(encoding="utf-8")
        declared = re.findall(r"^PEER_API [^;(]*?(peer_\w+)\(", text, re.MULTILINE)
        assert [function.name for function in headers.read_header(name).functions] == declared


@pytest.mark.parametrize("function", headers.all_functions(), ids=lambda function: function.name)
def test_function_is_explained(function, c_pages):
    text = entry(c_pages, f"c.{function.name}")
    assert function.comment.text, "it has no comment"
    for parameter in function.parameters:
        assert f"<strong>{parameter.name}</strong>" in text
    for error in function.comment.errors:
        assert f"c.{error.name}" in text
    assert "Threads" in text
    assert (function.comment.windows or "Threads") in text
    assert re.search(r'class="example .*?(highlight-c|Example: with)', text, re.DOTALL), "it has no example"


@pytest.mark.parametrize("row", list(codes.all_rows()), ids=lambda row: row["name"])
def test_constant_is_explained(row, html):
    pages = "".join(
        (html / "reference" / name).read_text(encoding="utf-8") for name in ("errors.html", "constants.html")
    )
    assert f'id="c.{row["name"]}"' in pages


def public_names() -> list[str]:
    """Full names of what people import, and of the members of what they hold in their hands."""
    names = []
    for module in (peergraph, peergraph.aio, peergraph.sim):
        for name in module.__all__:
            item = getattr(module, name)
            if module is peergraph.aio and getattr(peergraph, name, None) is item:
                continue
            names.append(f"{module.__name__}.{name}")
            if name in HANDLES:
                members = [each for each, _ in inspect.getmembers(item) if not each.startswith("_")]
                names += [f"{module.__name__}.{name}.{each}" for each in members]
    inherited = {f"peergraph.Attributes.{name}" for name in ("get", "keys", "values", "items")}
    return [name for name in names if name not in inherited]


def test_there_are_names():
    assert len(public_names()) > 250


@pytest.mark.parametrize("name", public_names())
def test_name_is_explained(name, python_pages):
    assert f'id="{name}"' in python_pages
    if name != "peergraph.__version__":
        assert examples.for_python(name), "no example uses it"


def test_examples_of_python_are_shown(python_pages):
    for name in ("peergraph.Graph.add_record", "peergraph.aio.Graph.connect", "peergraph.Scope", "peergraph.DiskFull"):
        start = python_pages.index(f'id="{name}"')
        assert "highlight-python" in python_pages[start : python_pages.index("</dl>", start + 1) + 2000]


def test_pages_refer_to_nothing_outside(html):
    """They can be read without a network."""
    for path in Path(html).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//', text), path.name
