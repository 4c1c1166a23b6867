"""Searching records: on a disk and in memory alike, as graph-api 11 says."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import tempfile
import threading
from collections.abc import Iterator

import peergraph
import peergraph.aio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peergraph import Attr, GraphNotReady, InvalidArgument, InvalidSearch, escape_wildcards
from peergraph.sim import Network
from python.scene import HOUR, NOTE, OTHER
from python.search_model import ALPHABET, ATTRIBUTES, TREES, Tree, matches, query, resolved


def clause(attrib: str, kind: str, compare: str, value: object) -> str:
    return f'<clause attrib="{attrib}" type="{kind}" compare="{compare}">{value}</clause>'


def found(graph: peergraph.Graph, inside: str) -> list[bytes]:
    with graph.search_records(f"<peersearch>{inside}</peersearch>") as records:
        return sorted(record.data for record in records.get_next_item(1000))


@pytest.fixture(scope="module")
def graphs() -> Iterator[tuple[peergraph.Graph, peergraph.Graph]]:
    """On a disk and in memory."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        runtime = stack.enter_context(peergraph.open_runtime(folder))
        network = stack.enter_context(Network(seed=1))
        simulated = stack.enter_context(network.add_host("alice").runtime)
        yield tuple(stack.enter_context(one.create_graph("film club", peer_id="alice")) for one in (runtime, simulated))


def pairs_of(record: peergraph.Record) -> list[tuple[str, object]]:
    fields = [
        ("peercreatorid", record.creator_id),
        ("peercreationtime", record.created),
        ("peerlastmodificationtime", record.modified),
        ("peerrecordid", str(record.id)),
        ("peerrecordtype", str(record.type)),
    ]
    if record.modifier_id is not None:
        fields.append(("peerlastmodifiedby", record.modifier_id))
    return [*record.attributes.items_all(), *fields]


def check(graph: peergraph.Graph, tree: Tree) -> None:
    records = list(graph.records())
    tree = resolved(tree, [record.created for record in records])
    expected = sorted(record.data for record in records if matches(tree, pairs_of(record)))
    with graph.search_records(query(tree)) as enumeration:
        assert enumeration.get_item_count() == len(expected)
        assert sorted(record.data for record in enumeration.get_next_item()) == expected


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(ATTRIBUTES, st.sampled_from([NOTE, OTHER])), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 7), st.one_of(st.none(), ATTRIBUTES)), max_size=4),
    st.lists(TREES, min_size=1, max_size=12),
)
def test_disk_memory_and_model_agree(graphs, records, changes, trees):
    for graph in graphs:
        ids = []
        for index, (attributes, record_type) in enumerate(records):
            ids.append(graph.add_record(type=record_type, data=b"%d" % index, attributes=attributes, lifetime=HOUR))
        for index, attributes in changes:
            with contextlib.suppress(peergraph.RecordNotFound):
                if attributes is None and index > 0:
                    graph.delete_record(ids[index % len(ids)])
                else:
                    graph.update_record(ids[index % len(ids)], attributes=attributes)
        left = list(graph.records())
        for tree in trees if left else []:
            check(graph, tree)
        for record in left:
            graph.delete_record(record.id)


@pytest.fixture(params=["disk", "memory"])
def shelf(graphs, request) -> Iterator[peergraph.Graph]:
    """Ten records of increasing size."""
    graph = graphs[request.param == "memory"]
    ids = [
        graph.add_record(
            type=NOTE,
            data=b"%d" % size,
            attributes=[("size", size), ("path", f"docs/data-0{size}.xml"), ("made", dt.date(2003, 2, 1 + size))],
            lifetime=HOUR,
        )
        for size in range(10)
    ]
    yield graph
    for record_id in ids:
        with contextlib.suppress(peergraph.RecordNotFound):
            graph.delete_record(record_id)


def test_the_examples_of_the_reference(shelf):
    everything = [b"%d" % size for size in range(10)]
    alice = clause("peercreatorid", "string", "equal", "alice")
    assert found(shelf, alice) == everything
    assert found(shelf, '<clause attrib="peercreatorid" type="string">alice</clause>') == everything
    assert found(shelf, clause("peercreatorid", "string", "equal", "al*")) == everything
    assert found(shelf, clause("path", "string", "equal", "docs/data-0?.xml")) == everything
    assert found(shelf, clause("path", "string", "equal", r"docs/data-0\?.xml")) == []
    assert found(shelf, clause("size", "int", "less", 3)) == [b"0", b"1", b"2"]
    assert found(shelf, clause("made", "date", "greaterorequal", "2003-02-09")) == [b"8", b"9"]
    assert found(shelf, clause("peercreationtime", "date", "greater", "1999-02-28")) == everything
    assert found(shelf, clause("peercreationtime", "date", "greater", "2999-02-28")) == []
    assert found(shelf, f"<or>{alice}{alice}</or>") == everything
    assert found(
        shelf, f"<and>{alice}<or>{clause('size', 'int', 'equal', 1)}{clause('size', 'int', 'equal', 5)}</or></and>"
    ) == [b"1", b"5"]


def test_what_is_gone_is_not_found(shelf):
    one = next(record for record in shelf.records() if record.data == b"4")
    with shelf.search_records("<peersearch>" + clause("size", "int", "less", 5) + "</peersearch>") as records:
        shelf.delete_record(one.id)
        assert records.get_item_count() == 5
        assert sorted(record.data for record in records.get_next_item(10)) == [b"0", b"1", b"2", b"3"]
        assert records.get_next_item() == []
    assert found(shelf, clause("size", "int", "less", 5)) == [b"0", b"1", b"2", b"3"]


def test_the_graphs_own_records_are_not_found(shelf):
    assert len(found(shelf, clause("peerrecordtype", "string", "equal", "*"))) == 10


@pytest.mark.parametrize(
    ("criteria", "error"),
    [
        ("", InvalidSearch),
        ("<peersearch/>", InvalidSearch),
        ("<peersearch><and/></peersearch>", InvalidSearch),
        ("<attributes/>", InvalidSearch),
        (f"<peersearch>{clause('a', 'int', 'equal', 1) * 2}</peersearch>", InvalidSearch),
        (f"<peersearch>{clause('a' * 41, 'int', 'equal', 1)}</peersearch>", InvalidSearch),
        (f"<peersearch>{clause('a', 'date', 'equal', '2003-02-328')}</peersearch>", InvalidSearch),
        ("<and>" * 2_000_000, InvalidSearch),
        ("<peersearch>" + "<and>" * 2_000_000, InvalidSearch),
        ('<!DOCTYPE p [<!ENTITY a "b">]><peersearch/>', InvalidSearch),
        ("\0", InvalidArgument),
        (f"<peersearch>{clause('a', 'string', 'equal', 'a' + chr(92))}</peersearch>", InvalidArgument),
    ],
    ids=range(12),
)
def test_refused(shelf, criteria, error):
    with pytest.raises(InvalidArgument) as raised:
        shelf.search_records(criteria)
    assert raised.type is error


def test_refused_before_the_graph_is_ready_and_after_it_was_closed(open_runtime):
    with open_runtime().open_graph("film club", peer_id="bob") as graph, pytest.raises(GraphNotReady):
        graph.search_records("nonsense")  # the state counts first
    with pytest.raises(peergraph.InvalidGraph):
        graph.search_records("<peersearch/>")
    with pytest.raises(TypeError):
        graph.search_records(b"<peersearch/>")


@pytest.fixture
def crowded(create_graph) -> peergraph.Graph:
    graph = create_graph("alice")
    for start in range(0, 4000, 1000):
        with graph.batch() as batch:
            for number in range(start, start + 1000):
                batch.add_record(type=NOTE, data=b"%d" % number, attributes={"size": number}, lifetime=HOUR)
    return graph


MANY = "<peersearch>" + clause("size", "int", "greaterorequal", 0) + "</peersearch>"


def test_a_large_result_comes_by_and_by(crowded):
    with crowded.search_records(MANY) as records:
        first = records.get_next_item(100)
        assert len(first) == 100
        assert records.get_item_count() == 4000
        rest = records.get_next_item(5000)
        assert {int(record.data) for record in first + rest} == set(range(4000))
        assert records.get_next_item() == []


def test_many_at_once(crowded):
    counts: list[int] = []

    def count() -> None:
        with crowded.search_records(MANY) as records:
            counts.append(records.get_item_count())

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        crowded.add_record(type=OTHER, lifetime=HOUR)
    for thread in threads:
        thread.join()
    assert counts == [4000] * 8


def test_a_graph_is_closed_during_a_search(crowded):
    for _ in range(10):
        crowded.search_records(MANY).close()
    left = [crowded.search_records(MANY) for _ in range(10)]
    crowded.close()
    with pytest.raises(InvalidArgument):
        left[0].get_next_item()


def test_awaited(tmp_path):
    async def main() -> list[bytes]:
        async with (
            peergraph.aio.open_runtime(tmp_path) as runtime,
            await runtime.create_graph("film club", peer_id="alice") as graph,
        ):
            for size in range(3):
                graph.add_record(type=NOTE, data=b"%d" % size, attributes={"size": size}, lifetime=HOUR)
            criteria = "<peersearch>" + clause("size", "int", "less", 2) + "</peersearch>"
            return [record.data async for record in graph.search(criteria)]

    assert sorted(asyncio.run(main())) == [b"0", b"1"]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (Attr("size") < 2, [b"0", b"1"]),
        ((Attr("size") > 1) & (Attr("size") <= 3) & Attr("path").like("docs/*"), [b"2", b"3"]),
        ((Attr("size") == 1) | (Attr("size") == 9) | (Attr("size") == "5"), [b"1", b"9"]),
        ((Attr("size") != 0) & ((Attr("size") >= 9) | (Attr("size") == -1)), [b"9"]),
        (Attr("path") == "docs/data-0?.xml", []),
        (Attr("path") == "docs/data-07.xml", [b"7"]),
        (Attr("path").like(escape_wildcards("docs/data-0") + "?" + ".xml") & (Attr("size") == 4), [b"4"]),
        (Attr("made") == dt.date(2003, 2, 4), [b"3"]),
        (Attr("made") < dt.datetime(2003, 2, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2, seconds=-1))), [b"0"]),
        ((Attr("peercreatorid") == "alice") & (Attr("size") == 6), [b"6"]),
        (Attr("text") == "<&>\"'*?\\\r\n\t\U0001f600", []),
    ],
    ids=range(11),
)
def test_comparisons_in_place_of_xml(shelf, made, expected):
    assert sorted(record.data for record in shelf.search(made)) == expected
    assert sorted(record.data for record in shelf.search(made.xml)) == expected


@given(st.text(ALPHABET + "\r\n\t<&>\"'"), st.text(ALPHABET + "<\n"))
@settings(deadline=None, max_examples=40)
def test_equality_is_equality(graphs, text, other):
    for graph in graphs:
        record_id = graph.add_record(type=NOTE, attributes={"t": text}, lifetime=HOUR)
        assert [record.id for record in graph.search(Attr("t") == text)] == [record_id]
        assert bool(list(graph.search(Attr("t") == other))) == (text == other)
        assert bool(list(graph.search(Attr("t") != other))) == (text != other)
        graph.delete_record(record_id)


def test_long_chains_do_not_nest(shelf):
    wanted = Attr("size") == 0
    for size in range(1, 500):
        wanted = wanted | (Attr("size") == size)
    assert len(list(shelf.search(wanted))) == 10


def test_wrong_comparisons(shelf):
    with pytest.raises(TypeError, match="neither true nor false"):
        bool((Attr("a") == 1) and (Attr("b") == 2))
    with pytest.raises(TypeError, match="compare it with"):
        Attr("a") > 1.5  # noqa: B015
    with pytest.raises(TypeError, match="compare it with"):
        Attr("a") == True  # noqa: B015, E712
    with pytest.raises(ValueError, match="no time zone"):
        Attr("a") > dt.datetime(2003, 2, 1)  # noqa: B015
    with pytest.raises(InvalidSearch):
        list(shelf.search(Attr('a" b') == 1))
    with pytest.raises(InvalidArgument):
        list(shelf.search(Attr("a").like("C:\\x")))
