#include "scene.h"

static void build(peer_graph *graph)
{
    /* example: peer_attributes_create peer_attributes_add peer_attributes_add_int peer_attributes_add_date
     * peer_attributes_get_xml */
    peer_attributes *attributes;
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;

    check(peer_attributes_create(&attributes));
    check(peer_attributes_add(attributes, "title", PEER_ATTRIBUTE_STRING, "Stalker"));
    check(peer_attributes_add_int(attributes, "minutes", 161));
    check(peer_attributes_add_date(attributes, "shown", PEER_SIM_EPOCH_UTC_US));
    record.type = NOTE;
    record.expires_us = in_an_hour(graph);
    check(peer_attributes_get_xml(attributes, &record.attributes));
    check(peer_graph_add_record(graph, &record, &id));
    peer_free_data(attributes);
    /* end */
}

static void read_them(const peer_record_view *record)
{
    /* example: peer_attributes_parse peer_attributes_get_count peer_attributes_get peer_attributes_get_int
     * peer_attributes_get_date */
    peer_attributes *attributes;
    uint32_t count;

    check(peer_attributes_parse(record->attributes, &attributes));
    check(peer_attributes_get_count(attributes, &count));
    for (uint32_t i = 0; i < count; i++) {
        const char *name, *value;
        int32_t type;
        int64_t number;

        check(peer_attributes_get(attributes, i, &name, &type, &value));
        if (type == PEER_ATTRIBUTE_INT && peer_attributes_get_int(attributes, i, &number) == PEER_OK)
            printf("%s is the number %" PRId64 "\n", name, number);
        else if (type == PEER_ATTRIBUTE_DATE && peer_attributes_get_date(attributes, i, &number) == PEER_OK)
            printf("%s is the moment %" PRId64 "\n", name, number);
        else
            printf("%s is %s\n", name, value);
    }
    peer_free_data(attributes);
    /* end */
    assert(count == 3);
}

int main(void)
{
    struct scene scene = open_scene(0);
    peer_enum *records;
    const void *views;
    uint32_t count;

    build(scene.alice);
    check(peer_graph_enum_records(scene.alice, &NOTE, NULL, &records));
    check(peer_get_item_views(records, 1, sizeof(peer_record_view), &count, &views));
    read_them(views);
    peer_free_data(views);
    close_scene(&scene);
    return 0;
}
