from peergraph import Attr, Query, escape_wildcards
from scene import HOUR, NOTE, open_scene

with open_scene() as scene:
    graph = scene.alice
    graph.add_record(type=NOTE, attributes={"minutes": 161}, lifetime=HOUR)
    # example: peer_graph_search_records
    for record in graph.search(Attr("minutes") > 120):
        print(record.attributes["minutes"])
    # end

    # example: queries
    query: Query = (Attr("minutes") >= 120) & (Attr("title").like("Stal*") | (Attr("title") == "Mirror"))
    for record in graph.search(query):
        print(record.attributes["title"])
    # end

    # example: escape
    start = "100%?"
    query = Attr("title").like(escape_wildcards(start) + "*")
    # end

    # example: search_records
    query = '<peersearch><clause attrib="minutes" type="int" compare="greater">120</clause></peersearch>'
    with graph.search_records(query) as records:
        print(records.get_item_count(), "long films")
    # end
