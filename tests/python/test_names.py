"""Names follow the rule, or docs/names.md says why they exist."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import peergraph
import peergraph.aio
import pytest
from peergraph import _native, _native_database, _native_nodes, _native_search, _native_sim

NATIVE = (_native, _native_database, _native_nodes, _native_search, _native_sim)
ROOT = Path(__file__).resolve().parents[2]
FUNCTION = re.compile(r"PEER_API [^;(]*?(peer_\w+)\(")
HEADERS = ROOT / "core/include/peergraph"
DECLARED = {
    function
    for name in ("peergraph.h", "records.h")
    for function in FUNCTION.findall((HEADERS / name).read_text(encoding="utf-8"))
}
SIMULATED = FUNCTION.findall((HEADERS / "sim.h").read_text(encoding="utf-8"))
DOCUMENT = (ROOT / "docs/names.md").read_text(encoding="utf-8")
_, OURS, SHARED, SIM, FINE, _ = DOCUMENT.split("\n## ")

WINDOWS = """
    AddRecord Close CloseDirectConnection Connect Create Delete DeleteRecord EnumConnections EnumNodes EnumRecords
    ExportDatabase GetNodeInfo GetProperties GetRecord GetStatus ImportDatabase Listen Open OpenDirectConnection
    PeerTimeToUniversalTime RegisterEvent SearchRecords SendData SetNodeAttributes SetPresence SetProperties
    UniversalTimeToPeerTime UpdateRecord ValidateDeferredRecords
""".split()


def table(section: str) -> list[str]:
    return re.findall(r"^\| `([\w.]+)` \| \S", section, re.MULTILINE)


def snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def test_every_function_is_by_rule_or_listed():
    by_rule = {f"peer_graph_{snake(name)}" for name in WINDOWS}
    assert by_rule <= DECLARED
    listed = [*table(OURS), *table(SHARED)]
    assert len(listed) == len(set(listed))
    assert set(listed) == DECLARED - by_rule


def test_every_function_of_the_simulated_network_is_listed():
    assert table(SIM) == SIMULATED


def test_every_function_is_bound():
    source = "".join(map(inspect.getsource, NATIVE))
    assert {name for name in DECLARED | set(SIMULATED) if f"lib.{name}(" not in source} == set()


def test_nothing_else_touches_c():
    folder = Path(peergraph.__file__).parent
    for path in folder.glob("*.py"):
        if path.name not in {f"{module.__name__.rpartition('.')[2]}.py" for module in NATIVE}:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"\b(ffi|lib)\.", text), path


EXACT = {
    "Runtime": {"shutdown"},
    "Graph": {snake(name) for name in WINDOWS} - {"create", "open", "delete"}
    | {"begin_batch", "pause_direct_connection", "get_deferred_record", "judge_record"},
    "Events": set(),
    "Direct": set(),
    "Channel": set(),
}
WAITING = {"Runtime": {"create_graph", "open_graph", "delete_graph", "close"}, "Graph": {"connect", "close"}}


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


@pytest.mark.parametrize("name", EXACT)
def test_the_fine_layer_is_a_closed_list(name):
    fine = {entry.split(".")[1] for entry in table(FINE) if entry.startswith(f"{name}.")}
    plain, waiting = getattr(peergraph, name), getattr(peergraph.aio, name)
    assert public(plain) | public(waiting) == fine | EXACT[name]
    assert fine - public(waiting) == set()
    assert fine - public(plain) == set()


def test_both_layers_take_the_same_arguments():
    for name in EXACT:
        plain, waiting = getattr(peergraph, name), getattr(peergraph.aio, name)
        for member in public(plain) & public(waiting):
            one, two = getattr(plain, member), getattr(waiting, member)
            if inspect.isfunction(one):
                assert list(inspect.signature(one).parameters.values()) == list(
                    inspect.signature(two).parameters.values()
                ), f"{name}.{member}"


def test_everything_public_is_documented_and_typed():
    for module in (peergraph, peergraph.aio):
        assert sorted(module.__all__) == sorted(set(module.__all__))
        for name in module.__all__:
            item = getattr(module, name)
            if inspect.isclass(item) or inspect.isfunction(item):
                assert item.__doc__, name
            if not inspect.isclass(item):
                continue
            for member in public(item):
                value = inspect.getattr_static(item, member)
                function = value.fget if isinstance(value, property) else value
                if inspect.isfunction(function) and function.__module__.startswith("peergraph"):
                    assert function.__doc__, f"{name}.{member}"
                    assert "return" in function.__annotations__, f"{name}.{member}"


def test_the_package_is_marked_as_typed():
    assert (Path(peergraph.__file__).parent / "py.typed").exists()
