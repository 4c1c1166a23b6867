"""What a newcomer gets wrong is said in one line, with the name of the argument, and changes nothing."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import peergraph
import pytest
from python.scene import HOUR, NOTE


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"type": str(NOTE)}, "type must be a UUID, not str; UUID("),
        ({"type": None}, "type must be a UUID, not None"),
        ({"data": "text"}, "data must be bytes, not str; text.encode()"),
        ({"data": None}, "data must be bytes, not None"),
        ({"data": 5}, "data must be bytes, not int"),
        ({"data": [1, 2]}, "data must be bytes, not list"),
        ({"lifetime": 3600}, r"lifetime must be a timedelta, not int; timedelta(seconds=3600)?"),
        ({"lifetime": None, "expires": "tomorrow"}, "expires must be an aware datetime, not str"),
        ({"lifetime": None, "expires": dt.date(2100, 1, 1)}, "expires must be an aware datetime, not date"),
        ({"attributes": "room"}, "attributes must be a mapping or pairs of name and value, not 'room'"),
        ({"attributes": ["ab"]}, "'ab' is no pair"),
        ({"attributes": 5}, "attributes must be a mapping or pairs of name and value, not 5"),
    ],
)
def test_adding_the_wrong_thing_names_the_argument(graph, arguments, said):
    with pytest.raises(TypeError) as raised:
        graph.add_record(**({"type": NOTE, "data": b"", "lifetime": HOUR} | arguments))
    assert said in str(raised.value)
    assert list(graph.records()) == []


def test_every_kind_of_buffer_is_data(graph):
    for data in (bytearray(b"abc"), memoryview(b"abc"), memoryview(b"a_b_c_")[::2]):
        assert graph.get_record(graph.add_record(type=NOTE, data=data, lifetime=HOUR)).data == b"abc"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda graph: graph.get_record(str(NOTE)), "record_id must be a UUID, not str"),
        (lambda graph: list(graph.records("notes")), "type must be a UUID, not str"),
        (lambda graph: graph.delete_record(5), "record must be a Record or a UUID, not int"),
        (lambda graph: graph.connect(("192.0.2.1", 5000)), "address must be str, not tuple"),
        (lambda graph: graph.connect(None), "address must be str, not None"),
        (lambda graph: graph.connect("192.0.2.1:5000", peer_id=5), "peer_id must be str, not int"),
        (lambda graph: graph.records(creator_id=5), "creator_id must be str, not int"),
        (lambda graph: graph.listen("5000"), "port must be int, not str"),
        (lambda graph: graph.listen(scope="GLOBAL"), "scope must be a Scope, not str"),
        (lambda graph: graph.events(record_type="notes"), "record_type must be a UUID or several, not str"),
        (lambda graph: graph.events(record_type=["notes"]), "each of record_type must be a UUID, not str"),
        (lambda graph: graph.set_presence("yes"), "present must be bool, not str"),
        (lambda graph: graph.pause_direct_connection(1, "yes"), "paused must be bool, not str"),
        (lambda graph: graph.send_data(1, NOTE, "text"), "data must be bytes, not str; text.encode()"),
        (lambda graph: graph.send_data(1, NOTE, None), "data must be bytes, not None"),
        (lambda graph: graph.search(None), "query must be comparisons of Attr, or XML, not None"),
        (lambda graph: graph.search(peergraph.Attr("size")), "not Attr; compare it with something"),
        (lambda graph: graph.synchronized(HOUR), "timeout must be seconds or None, not timedelta; total_seconds()"),
        (lambda graph: graph.connect("192.0.2.1:5000", timeout="1"), "timeout must be seconds or None, not str"),
        (lambda graph: graph.peer_time_to_universal_time(5), "peer_time must be an aware datetime, not int"),
    ],
)
def test_a_wrong_type_names_the_argument(graph, call, said):
    with pytest.raises(TypeError) as raised:
        call(graph)
    assert said in str(raised.value)


def test_every_timeout_is_in_seconds(graph):
    said = r"timeout must be seconds or None, not timedelta; total_seconds\(\)"
    with graph.events() as events, pytest.raises(TypeError, match=said):
        events.get(HOUR)
    with graph.register_event() as queue, pytest.raises(TypeError, match=said):
        queue.wait(HOUR)
    with graph.direct() as direct, pytest.raises(TypeError, match=said):
        direct.accept(HOUR)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda graph: graph.listen(-1), "port is -1, not 0 to 65535"),
        (lambda graph: graph.listen(65536), "port is 65536, not 0 to 65535"),
        (lambda graph: graph.get_node_info(-1), "node_id is -1"),
        (lambda graph: graph.enum_records().get_next_item(-1), "count_max is -1"),
    ],
)
def test_a_number_that_does_not_fit_is_an_invalid_argument(graph, call, said):
    with pytest.raises(peergraph.InvalidArgument) as raised:
        call(graph)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"max_record_size": -3}, ValueError, "max_record_size is -3"),
        ({"max_record_size": 1 << 70}, ValueError, "max_record_size is"),
        ({"presence_lifetime": 600}, TypeError, "presence_lifetime must be a timedelta, not int"),
        ({"presence_lifetime": dt.timedelta(0)}, ValueError, "presence_lifetime in seconds is 0, not 300"),
        ({"presence_max": -5}, ValueError, "presence_max is -5"),
        ({"max_database_bytes": 7}, ValueError, ": max_database_bytes is 7, neither 0 nor at least"),
        ({"max_database_bytes": -1}, ValueError, ": max_database_bytes is -1, not 0 to"),
        ({"max_bytes_per_creator": "all"}, TypeError, "max_bytes_per_creator must be int, not str"),
        ({"peer_id": None}, TypeError, "peer_id must be str, not None"),
        ({"database": None}, TypeError, "database must be str, not None"),
    ],
)
def test_wrong_options_of_a_graph(runtime, options, kind, said):
    with pytest.raises(kind) as raised:
        runtime.create_graph("film club", **({"peer_id": "alice"} | options))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"graph_id": ""}, "graph_id is empty"),
        ({"graph_id": "g" * 256}, "graph_id has 256 UTF-16 units"),
        ({"peer_id": ""}, "peer_id is empty"),
        ({"friendly_name": "f" * 256}, "friendly_name has 256 UTF-16 units"),
        ({"comment": "c" * 512}, "comment has 512 UTF-16 units"),
        ({"database": "a/b"}, 'database "a/b" is not a plain file name'),
        ({"max_record_size": 5}, "max_record_size is 5"),
        ({"scope": 7}, "scope is 7"),
        ({"presence_lifetime": dt.timedelta(seconds=1)}, "presence_lifetime in seconds is 1"),
    ],
)
def test_what_the_library_refuses_has_the_name_in_python(runtime, arguments, said):
    with pytest.raises(peergraph.InvalidArgument) as raised:
        runtime.create_graph(**({"graph_id": "g", "peer_id": "p"} | arguments))
    assert raised.value.message.startswith(said)


def test_a_record_without_a_type_says_so(graph):
    with pytest.raises(peergraph.InvalidArgument) as raised:
        graph.add_record(type=UUID(int=0), lifetime=HOUR)
    assert raised.value.message == "type is not set"


@pytest.mark.parametrize("wrong", ["notes", NOTE, ["notes"], 5])
def test_precedence_is_several_ids(runtime, wrong):
    with pytest.raises(TypeError, match="precedence must be"):
        runtime.open_graph("film club", peer_id="bob", precedence=wrong)


def test_no_record_types_are_not_all_of_them(graph):
    with pytest.raises(ValueError, match="record_type is empty"):
        graph.events(peergraph.RecordChanged, record_type=[])


def test_a_data_directory_may_be_bytes(tmp_path):
    with peergraph.open_runtime(bytes(tmp_path / "data")) as runtime:
        assert repr(str(tmp_path / "data")) in repr(runtime)


def test_an_id_as_text_says_how_to_make_one(graph):
    with pytest.raises(TypeError, match=r"UUID\('[0-9a-f-]{36}'\) makes one"):
        graph.get_record(str(UUID(int=1)))
