/* The records that wait for a judgement: which of them is the same as one that comes (MS-PPGRH 3.1.7.32). */
#include "base/memory.h"
#include "graph/records/deferred_list.h"
#include "unit/check.h"

#define COPIES 20000u

static const uint8_t names[] = "\0a\0m\0y\0\0\0b\0o\0b\0\0\0";

static struct record_fields fields_of(void)
{
    return (struct record_fields){.id = guid_of("00112233445566778899aabbccddeeff"),
                                  .version = 2,
                                  .creator_id = {names, 8},
                                  .modifier_id = {names, 8},
                                  .graph_id = {names, 8},
                                  .created = 1,
                                  .modified = 2,
                                  .expires = 3,
                                  .protocol_version = 0x0100};
}

static struct deferred *add(struct deferred_list *list, const struct record_fields *fields)
{
    struct record *record;
    assert_int_equal(peer__record_encode(fields, &record), PEER_OK);
    struct deferred *deferred = peer__deferred_add(list, record, 0);
    peer__record_release(record);
    assert_non_null(deferred);
    return deferred;
}

/* What decides between two copies tells them apart, and nothing else does. */
static void copies_are_told_apart(void **state)
{
    struct record_fields copies[8];
    struct deferred *deferred[8];
    struct deferred_list *list = peer__deferred_list_create(7);
    (void)state;
    assert_non_null(list);
    for (size_t i = 0; i < 8; i++)
        copies[i] = fields_of();
    copies[1].version = 3;
    copies[2].modified = 3;
    copies[3].modifier_id = (struct span){names + 8, 8};
    copies[4].modifier_id = (struct span){NULL, 0};
    copies[5].security_data = (struct span){names, 18};
    copies[6].security_data = (struct span){names, 17};
    copies[7].id.bytes[15] = 0;
    for (size_t i = 0; i < 8; i++) {
        assert_null(peer__deferred_find_record(list, &copies[i]));
        deferred[i] = add(list, &copies[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        copies[i].payload = (struct span){names, 5};
        assert_ptr_equal(peer__deferred_find_record(list, &copies[i]), deferred[i]);
        peer__deferred_drop(list, deferred[i]);
        assert_null(peer__deferred_find_record(list, &copies[i]));
    }
    peer__deferred_list_free(list);
}

/* Whoever brings the same id again and again makes nobody look through all of them. */
static void many_of_one_id_are_found(void **state)
{
    struct record_fields fields = fields_of();
    struct deferred_list *list = peer__deferred_list_create(7);
    (void)state;
    assert_non_null(list);
    for (uint32_t i = 0; i < COPIES; i++) {
        fields.modified = 2 + i % 100;
        fields.version = 1 + i / 100;
        assert_null(peer__deferred_find_record(list, &fields));
        assert_int_equal(add(list, &fields)->number, i + 1);
    }
    for (uint32_t i = 0; i < COPIES; i++) {
        fields.modified = 2 + i % 100;
        fields.version = 1 + i / 100;
        assert_int_equal(peer__deferred_find_record(list, &fields)->number, i + 1);
    }
    peer__deferred_list_free(list);
    assert_int_equal(peer__memory_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_told_apart),
        cmocka_unit_test(many_of_one_id_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
