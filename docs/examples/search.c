#include "scene.h"

static void add_films(peer_graph *graph)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;

    record.type = NOTE;
    record.expires_us = in_an_hour(graph);
    record.attributes = "<attributes><attribute name=\"title\" type=\"string\">Stalker</attribute>"
                        "<attribute name=\"minutes\" type=\"int\">161</attribute></attributes>";
    check(peer_graph_add_record(graph, &record, &id));
}

static void search(peer_graph *graph)
{
    /* example: peer_graph_search_records */
    peer_query *query;
    const char *criteria;
    peer_enum *records;
    uint32_t count;
    const void *const *items;

    check(peer_query_create(&query));
    check(peer_query_add_int(query, "minutes", PEER_COMPARE_GREATER, 120));
    check(peer_query_get_xml(query, &criteria));
    check(peer_graph_search_records(graph, criteria, &records));
    peer_free_data(query);

    check(peer_get_next_item(records, 100, &count, &items));
    printf("%u long films\n", count);
    peer_free_data(items);
    check(peer_end_enumeration(records));
    /* end */
    assert(count == 1);
}

static void search_for(peer_graph *graph, const char *title)
{
    int64_t yesterday_us = in_an_hour(graph) - 25 * HOUR_US;
    peer_enum *records;
    uint32_t count;

    /* example: peer_query_create peer_query_begin_and peer_query_begin_or peer_query_end peer_query_add_text
     * peer_query_add_pattern peer_query_add_int peer_query_add_date peer_query_add_guid peer_query_get_xml */
    peer_query *query;
    const char *criteria;

    check(peer_query_create(&query));
    check(peer_query_begin_and(query));
    check(peer_query_add_guid(query, "peerrecordtype", PEER_COMPARE_EQUAL, &NOTE));
    check(peer_query_add_date(query, "peercreationtime", PEER_COMPARE_GREATER, yesterday_us));
    check(peer_query_begin_or(query));
    check(peer_query_add_text(query, "title", PEER_COMPARE_EQUAL, title)); /* whatever somebody has typed */
    check(peer_query_add_pattern(query, "title", PEER_COMPARE_EQUAL, "Stal*"));
    check(peer_query_add_int(query, "minutes", PEER_COMPARE_LESS, 60));
    check(peer_query_end(query));
    check(peer_query_end(query));
    check(peer_query_get_xml(query, &criteria));
    check(peer_graph_search_records(graph, criteria, &records));
    peer_free_data(query);
    /* end */
    check(peer_get_item_count(records, &count));
    assert(count == 1);
    check(peer_end_enumeration(records));
}

int main(void)
{
    struct scene scene = open_scene(0);

    add_films(scene.alice);
    search(scene.alice);
    search_for(scene.alice, "What? *That* & more");
    close_scene(&scene);
    return 0;
}
