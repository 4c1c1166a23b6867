/* COMPARE and DIFFER (docs/extensions.md), both ways, and each rule violated. Bytes from anywhere: test_message.c. */
#include "unit/check.h"
#include "unit/vectors.h"
#include "wire/message.h"

static struct wire_message decoded(struct span bytes)
{
    struct wire_message message;
    if (peer__message_decode(bytes, &message) != PEER_OK)
        fail_msg("%s", peer__last_error());
    return message;
}

static struct wire_bound bound_of(uint64_t modified, const char *id)
{
    return (struct wire_bound){.modified = modified, .record_id = guid_of(id)};
}

#define ZERO_ID "00000000000000000000000000000000"

static void ranges_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_range ranges[3] = {
        {.upper = bound_of(T_TICKS, ZERO_ID)},
        {.lower = bound_of(T_TICKS, ZERO_ID),
         .upper = bound_of(T_TICKS, "80000000000000000000000000000000"),
         .lists = 1},
        {.lower = bound_of(T_TICKS, "ffffffffffffffffffffffffffffffff"), .upper = {.modified = UINT64_MAX}, .lists = 1},
    };
    for (uint8_t i = 0; i < 16; i++)
        ranges[0].fingerprint[i] = i;
    peer__encode_compare(&out, T_TICKS, ranges, 3);
    assert_buffer(&out, V_COMPARE);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_true(message.as.compare.cutoff == T_TICKS);
    assert_int_equal(message.as.compare.range_count, 3);
    struct reader reader = peer__reader(message.as.compare.ranges);
    struct wire_range range = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_true(peer__wire_next_range(&reader, &range));
        assert_int_equal(peer__bound_compare(&range.lower, &ranges[i].lower), 0);
        assert_int_equal(peer__bound_compare(&range.upper, &ranges[i].upper), 0);
        assert_int_equal(range.lists, ranges[i].lists);
    }
    assert_false(peer__wire_next_range(&reader, &range));
    reader = peer__reader(message.as.compare.ranges);
    assert_true(peer__wire_next_range(&reader, &range));
    assert_memory_equal(range.fingerprint, ranges[0].fingerprint, 16);
    peer__buffer_free(&out);
}

static void differences_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0}, entries = {0};
    struct wire_listed listed[2] = {
        {.record_id = guid_of(RECORD_ID), .version = 1, .digest = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77}},
        {.record_id = guid_of(RECORD_ID), .version = 2, .digest = {0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}}};
    struct wire_difference differences[3] = {
        {.index = 0, .kind = DIFFERENCE_UNKNOWN},
        {.index = 1, .kind = DIFFERENCE_LIST, .listed_count = 1},
        {.index = 2, .kind = DIFFERENCE_PART, .upper = {.modified = UINT64_MAX - 1}, .listed_count = 1}};
    for (size_t i = 0; i < 3; i++)
        peer__encode_difference(&entries, &differences[i], &listed[i / 2]);
    peer__encode_differ(&out, 3, (struct span){entries.data, entries.size});
    assert_buffer(&out, V_DIFFER);
    struct wire_message message = decoded((struct span){out.data, out.size});
    struct reader reader = peer__reader(message.as.differ.differences);
    struct wire_difference difference;
    for (size_t i = 0; i < 3; i++) {
        struct wire_listed read;
        assert_true(peer__wire_next_difference(&reader, &difference));
        assert_int_equal(difference.index, differences[i].index);
        assert_int_equal(difference.kind, differences[i].kind);
        assert_int_equal(difference.listed_count, differences[i].listed_count);
        assert_int_equal(peer__bound_compare(&difference.upper, &differences[i].upper), 0);
        if (i == 0)
            continue;
        peer__wire_listed(difference.listed, 0, &read);
        assert_true(peer__guid_equal(&read.record_id, &listed[i / 2].record_id));
        assert_int_equal(read.version, listed[i / 2].version);
        assert_memory_equal(read.digest, listed[i / 2].digest, 8);
    }
    assert_false(peer__wire_next_difference(&reader, &difference));
    peer__buffer_clear(&out);
    peer__encode_differ(&out, 0, (struct span){0});
    assert_buffer(&out, V_DIFFER_NOTHING);
    peer__buffer_free(&out);
    peer__buffer_free(&entries);
}

/* ---- each rule violated by itself ---- */

static const struct violation {
    const char *vector;
    size_t size;
    size_t at;
    const char *patch;
    const char *says;
} violations[] = {
    {V_COMPARE, 19, 0, "", "shorter than its fixed part"},
    {V_COMPARE, 20, 16, "0000", "no ranges"},
    {V_COMPARE, 0, 16, "0101", "too many"},
    {V_COMPARE, 0, 16, "0004", "does not parse"},
    {V_COMPARE, 0, 16, "0002", "something follows"},
    {V_COMPARE, 0, 20, "06", "does not parse"},             /* a flag that nobody knows */
    {V_COMPARE, 0, 29, "11", "does not parse"},             /* an id of 17 bytes */
    {V_COMPARE, 0, 21, "0000000000000000", "out of order"}, /* an empty range */
    {V_COMPARE, 0, 47, "01d6dfd10c357fff", "out of order"}, /* ends before it begins */
    {V_COMPARE, 0, 56, "00", "out of order"},               /* ends where it begins */
    {V_COMPARE, 0, 57, "80", "does not parse"},
    {V_COMPARE, 0, 58, "01d6dfd10c357fff", "out of order"}, /* begins inside the one before */
    {V_COMPARE, 100, 0, "", "something follows"},
    {V_DIFFER, 11, 0, "", "shorter than its fixed part"},
    {V_DIFFER, 0, 8, "0101", "too long"},
    {V_DIFFER, 0, 8, "0004", "does not parse"},
    {V_DIFFER, 0, 8, "0002", "something follows"},
    {V_DIFFER, 0, 14, "03", "does not parse"},
    {V_DIFFER, 0, 15, "0000", "out of order"},
    {V_DIFFER, 0, 18, "ffff", "does not parse"},
    {V_DIFFER, 0, 60, "0000", "a part is empty"},
    {V_DIFFER, 91, 0, "", "something follows"},
    {V_DIFFER_NOTHING, 128 * 1024 + 1, 0, "", "too long"},
};

static void each_violation_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(violations) / sizeof(violations[0]); i++) {
        const struct violation *violation = &violations[i];
        struct span bytes = patched(violation->vector, violation->size, violation->at, violation->patch);
        struct wire_message message = {.type = 0xEE};
        peer_status status = peer__message_decode(bytes, &message);
        if (status != PEER_E_INVALID_RECORD || strstr(peer__last_error(), violation->says) == NULL)
            fail_msg("case %zu should say \"%s\": %d \"%s\"", i, violation->says, status, peer__last_error());
        assert_int_equal(message.type, 0xEE);
        drop(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_both_ways),
        cmocka_unit_test(differences_both_ways),
        cmocka_unit_test(each_violation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
