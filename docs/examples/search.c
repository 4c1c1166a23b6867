#include "scene.h"

int main(void)
{
    struct scene scene = open_scene(0);
    peer_graph *graph = scene.alice;
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;

    record.type = NOTE;
    record.expires_us = in_an_hour(graph);
    record.attributes = "<attributes><attribute name=\"minutes\" type=\"int\">161</attribute></attributes>";
    check(peer_graph_add_record(graph, &record, &id));
    /* example: peer_graph_search_records */
    const char *query =
        "<peersearch><clause attrib=\"minutes\" type=\"int\" compare=\"greater\">120</clause></peersearch>";
    peer_enum *records;
    uint32_t count;
    const void *const *items;

    check(peer_graph_search_records(graph, query, &records));
    check(peer_get_next_item(records, 100, &count, &items));
    printf("%u long films\n", count);
    peer_free_data(items);
    check(peer_end_enumeration(records));
    /* end */
    assert(count == 1);
    close_scene(&scene);
    return 0;
}
