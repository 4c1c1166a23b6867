import datetime as dt

from peergraph import Attr, Query, escape_wildcards
from scene import HOUR, NOTE, open_scene

with open_scene() as scene:
    graph = scene.alice
    graph.add_record(type=NOTE, attributes={"minutes": 161, "title": "Stalker"}, lifetime=HOUR)
    # example: peer_graph_search_records
    for record in graph.search(Attr("minutes") > 120):
        print(record.attributes["minutes"])
    # end

    title = "What? *That* & more"
    yesterday = graph.now() - dt.timedelta(days=1)
    # example: peer_query_create
    query = (
        (Attr("peerrecordtype") == NOTE)
        & (Attr("peercreationtime") > yesterday)
        & ((Attr("title") == title) | Attr("title").like("Stal*") | (Attr("minutes") < 60))
    )
    for record in graph.search(query):
        print(record.attributes["title"])
    # end
    assert len(list(graph.search(query))) == 1

    # example: queries
    long: Query = (Attr("minutes") >= 120) & (Attr("title").like("Stal*") | (Attr("title") == "Mirror"))
    for record in graph.search(long):
        print(record.attributes["title"])
    # end

    # example: escape
    start = "100%?"
    query = Attr("title").like(escape_wildcards(start) + "*")
    # end

    # example: search_records
    criteria = '<peersearch><clause attrib="minutes" type="int" compare="greater">120</clause></peersearch>'
    with graph.search_records(criteria) as records:
        print(records.get_item_count(), "long films")
    # end
