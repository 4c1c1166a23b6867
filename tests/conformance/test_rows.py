"""rows.toml is complete: every row has tests that exist, or a reason, and every test is there for something."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import peergraph
from peergraph import _codes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
LAST = 311
FACTS = 22
TABLE = tomllib.loads((HERE / "rows.toml").read_text(encoding="utf-8"))
ENTRIES = {f"{part} {name}": entry for part in ("rows", "facts", "parts") for name, entry in TABLE[part].items()}


def functions(kind: str) -> dict[str, ast.FunctionDef]:
    """What the files define: tests as "file::name", fixtures by name."""
    found = {}
    for path in [*HERE.glob("test_*.py"), HERE / "conftest.py"]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            is_fixture = any("fixture" in ast.dump(each) for each in node.decorator_list)
            if kind == "fixtures" and is_fixture:
                found[f"{path.stem}::{node.name}"] = node
                found.setdefault(node.name, node)
            elif kind == "tests" and node.name.startswith("test_"):
                found[f"{path.stem.removeprefix('test_')}::{node.name.removeprefix('test_')}"] = node
    return found


TESTS = functions("tests")
FIXTURES = functions("fixtures")


def worlds_of(file: str, node: ast.FunctionDef) -> set[str]:
    """Which of world, sockets and simulator a test asks for, by itself or through its fixtures."""
    found = set()
    for argument in node.args.args:
        name = argument.arg
        if name in ("world", "sockets", "simulator"):
            found.add(name)
        elif fixture := FIXTURES.get(f"test_{file}::{name}") or FIXTURES.get(f"conftest::{name}"):
            found |= worlds_of(file, fixture)
    return found


def test_every_row_is_there_once():
    assert sorted(map(int, TABLE["rows"])) == list(range(1, LAST + 1))
    assert sorted(map(int, TABLE["facts"])) == list(range(1, FACTS + 1))


def test_odd_rows_are_of_the_table_and_even_ones_inferred():
    assert all("says" in row for number, row in TABLE["rows"].items() if int(number) % 2)
    assert not any("says" in row for number, row in TABLE["rows"].items() if not int(number) % 2)


def complaints(entry: dict[str, object]) -> list[str]:
    """What is wrong with an entry."""
    tests, reason = entry.get("tests", []), entry.get("reason", "")
    wrong = [f"no test {name}" for name in tests if name not in TESTS]
    wrong += [f"unknown {key}" for key in entry.keys() - {"says", "inferred", "near", "tests", "reason", "note"}]
    wrong += [f"{key} is empty" for key, value in entry.items() if not value]
    if len(entry.keys() & {"says", "inferred", "near"}) != 1:
        wrong.append("one of says, inferred and near")
    if not tests and len(reason) < 20:
        wrong.append("neither a test nor a reason")
    return wrong


def test_every_row_has_tests_or_a_reason():
    assert {name: wrong for name, entry in ENTRIES.items() if (wrong := complaints(entry))} == {}


def test_wrong_rows_are_found():
    good = {"says": "x", "tests": ["closing::close"]}
    assert complaints(good) == []
    for wrong in (
        {"says": "x"},
        {"says": "x", "tests": []},
        {"says": "x", "reason": "because"},
        {"says": "x", "tests": ["closing::nothing"]},
        {"says": "x", "inferred": "y", "tests": ["closing::close"]},
        {"tests": ["closing::close"]},
        good | {"note": ""},
        good | {"nots": "x"},
    ):
        assert complaints(wrong)


def test_every_test_is_there_for_something():
    named = {name for entry in ENTRIES.values() for name in entry.get("tests", ())}
    unnamed = [name for name in TESTS if name not in named and not name.startswith("rows::")]
    assert not unnamed


def test_every_row_is_tested_in_both_worlds():
    """Each row has a test that runs in both, or one for each, unless [one_world] says why not."""
    one_world = set()
    for number, row in TABLE["rows"].items():
        worlds = set().union(*(worlds_of(name.partition("::")[0], TESTS[name]) for name in row.get("tests", ())))
        if "world" not in worlds and worlds != {"sockets", "simulator"}:
            one_world.add(number)
    assert one_world == set(TABLE["one_world"])
    assert all(len(reason) > 20 for reason in TABLE["one_world"].values())


def test_the_numbers_are_those_of_windows():
    numbers = {
        "PEER_S_GRAPH_DATA_CREATED": 0x00630001,
        "PEER_S_NO_EVENT_DATA": 0x00630002,
        "E_INVALIDARG": 0x80070057,
        "E_OUTOFMEMORY": 0x8007000E,
        "E_ACCESSDENIED": 0x80070005,
        "PEER_E_NOT_INITIALIZED": 0x80630002,
        "PEER_E_INVALID_GRAPH": 0x80630010,
        "PEER_E_DBNAME_CHANGED": 0x80630011,
        "PEER_E_DUPLICATE_GRAPH": 0x80630012,
        "PEER_E_GRAPH_NOT_READY": 0x80630013,
        "PEER_E_GRAPH_SHUTTING_DOWN": 0x80630014,
        "PEER_E_GRAPH_IN_USE": 0x80630015,
        "PEER_E_INVALID_DATABASE": 0x80630016,
        "PEER_E_TOO_MANY_ATTRIBUTES": 0x80630017,
        "PEER_E_CONNECTION_NOT_FOUND": 0x80630103,
        "PEER_E_CONNECT_SELF": 0x80630106,
        "PEER_E_ALREADY_LISTENING": 0x80630107,
        "PEER_E_NODE_NOT_FOUND": 0x80630108,
        "PEER_E_CONNECTION_FAILED": 0x80630109,
        "PEER_E_CONNECTION_NOT_AUTHENTICATED": 0x8063010A,
        "PEER_E_CONNECTION_REFUSED": 0x8063010B,
        "PEER_E_RECORD_NOT_FOUND": 0x80630301,
        "PEER_E_MAX_RECORD_SIZE_EXCEEDED": 0x80630304,
        "PEER_E_DATABASE_ALREADY_PRESENT": 0x80630305,
        "PEER_E_DATABASE_NOT_PRESENT": 0x80630306,
        "PEER_E_INVALID_SEARCH": 0x80630601,
        "PEER_E_INVALID_ATTRIBUTES": 0x80630602,
        "PEER_E_INVALID_RECORD": 0x80632010,
        "PEER_E_NOT_AUTHORIZED": 0x80632020,
        "PEER_E_DEFERRED_VALIDATION": 0x80632030,
        "PEER_E_INVALID_RECORD_EXPIRATION": 0x80632080,
        "PEER_E_UNSUPPORTED_VERSION": 0x80632090,
        "PEER_E_UNABLE_TO_LISTEN": 0x80632096,
        "PEER_E_ALREADY_EXISTS": 0x800700B7,
    }
    assert {name: getattr(_codes, name) & 0xFFFFFFFF for name in numbers} == numbers
    assert [kind.value for kind in peergraph.GraphEvent][:9] == list(range(1, 10))
    assert (peergraph.GraphStatus.LISTENING, peergraph.GraphStatus.HAS_CONNECTIONS) == (1, 2)
    assert peergraph.GraphStatus.SYNCHRONIZED == 4
    assert [change.value for change in peergraph.RecordChange] == [1, 2, 3, 4]
    assert [change.value for change in peergraph.NodeChange] == [1, 2, 3]
    assert [status.value for status in peergraph.ConnectionStatus] == [1, 2, 3]
