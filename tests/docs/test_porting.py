"""The porting page names everything that Windows has, and nothing that is not here."""

from __future__ import annotations

import re
from pathlib import Path

import peergraph
import pytest
from extension import codes, headers

PAGE = (Path(__file__).parents[2] / "docs" / "porting.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (.*?) \| ?(.*?) ?\|$", PAGE, re.MULTILINE)

GRAPHING = """
    Startup Shutdown FreeData GetItemCount GetNextItem EndEnumeration Create Open Listen Connect Close Delete GetStatus
    GetProperties SetProperties RegisterEvent UnregisterEvent GetEventData GetRecord AddRecord UpdateRecord DeleteRecord
    EnumRecords SearchRecords ExportDatabase ImportDatabase ValidateDeferredRecords OpenDirectConnection SendData
    CloseDirectConnection EnumConnections EnumNodes SetPresence GetNodeInfo SetNodeAttributes PeerTimeToUniversalTime
    UniversalTimeToPeerTime
""".split()
SHARED = "FreeData GetItemCount GetNextItem EndEnumeration".split()
STRUCTURES = """
    PEER_VERSION_DATA PEER_DATA PEER_ADDRESS PEER_GRAPH_PROPERTIES PEER_NODE_INFO PEER_CONNECTION_INFO PEER_RECORD
    PEER_EVENT_INCOMING_DATA PEER_EVENT_RECORD_CHANGE_DATA PEER_EVENT_CONNECTION_CHANGE_DATA PEER_EVENT_NODE_CHANGE_DATA
    PEER_EVENT_SYNCHRONIZED_DATA PEER_GRAPH_EVENT_REGISTRATION PEER_GRAPH_EVENT_DATA PEER_SECURITY_INTERFACE
""".split()
FUNCTIONS = {function.name: function for function in headers.all_functions()}


def row(name: str) -> tuple[str, str]:
    (found,) = [rest for windows, *rest in ROWS if windows == name]
    return found[0], found[1]


def test_windows_has_37_functions():
    assert len(GRAPHING) == 37


@pytest.mark.parametrize("name", GRAPHING)
def test_function_is_ported(name):
    ours, difference = row(f"PeerGraph{name}")
    function = FUNCTIONS.get(ours.strip("`"))
    assert (difference == "not yet") == (function is None), "the page is stale"
    if function:
        assert function.comment.windows == f"PeerGraph{name}"


def test_no_function_claims_to_be_of_windows_and_is_not():
    claimed = {function.comment.windows for function in FUNCTIONS.values()} - {""}
    assert claimed <= {f"PeerGraph{name}" for name in GRAPHING}


@pytest.mark.parametrize("name", SHARED)
def test_shared_function_is_ported(name):
    ours, _ = row(f"Peer{name}")
    assert ours == row(f"PeerGraph{name}")[0]
    assert ours.strip("`") in FUNCTIONS


@pytest.mark.parametrize("name", STRUCTURES)
def test_structure_is_ported(name):
    ours, difference = row(name)
    known = {item.name for item in headers.all_items()}
    known |= {synonym for item in headers.all_items() if isinstance(item, headers.Struct) for synonym in item.synonyms}
    named = re.findall(r"`(\w+)`", ours)
    assert named or difference
    assert set(named) <= known


def test_every_event_is_there():
    (events,) = [group for group in codes.table()["enum"] if group["python"] == "GraphEvent"]
    for each in events["rows"]:
        if each["value"] < 0x100:
            ours, _ = row(each["name"])
            assert issubclass(getattr(peergraph, ours.strip("`")), peergraph.Event)
        else:
            assert f"{{c:macro}}`{each['name']}`" in PAGE


def test_every_code_that_is_named_exists():
    known = {each["name"] for each in codes.all_rows()} | {"PEER_E_NOT_READY"}
    named = set(re.findall(r"\b(?:PEER_E|PEER_S)_[A-Z]\w*", PAGE))
    assert named <= known
