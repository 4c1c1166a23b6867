/* Searches by chance, over texts around the length that an index holds and numbers at the ends of their types: both stores
 * find the same. */
#include <stdio.h>

#include "base/text.h"
#include "base/time.h"
#include "unit/store_world.h"
#include "xml/search.h"

#define ROWS 60u
#define SEARCHES 1500u
#define COMPARE_COUNT 6

static uint64_t chance = 1;

static uint32_t pick(uint32_t bound)
{
    return (uint32_t)(next_random(&chance) % bound);
}

/* ---------------------------------------------------------------------------------------------------- texts */

/* Of one to four bytes; the fifth and the sixth are in another order as UTF-16 than as UTF-8. What follows means something
 * in patterns, in XML or in SQL. */
static const char *const characters[] = {
    "a", "b", "A",  "\xc3\xa9", "\xef\xbf\xbc", "\xf0\x9d\x84\x9e", "*", "?", "\\", "[", "]", "%", "_",
    "&", "<", "\n", "'",        "\x7f"};
#define CHARACTER_COUNT (sizeof(characters) / sizeof(characters[0]))
static const size_t lengths[] = {0, 1, 2, 3, 84, 85, 86, 127, 128, 129, 253, 254, 255, 256, 257, 300};

static void append(struct buffer *text, const char *part)
{
    peer__buffer_append(text, part, strlen(part));
}

static const char *pick_character(void)
{
    return characters[pick(pick(3) == 0 ? CHARACTER_COUNT : 6)];
}

/* Mostly one character again and again, so that many begin alike. An id has 255 units at most. */
static void pick_text(struct buffer *text, int is_id, const char *extra)
{
    size_t length = lengths[pick(is_id ? 8 : sizeof(lengths) / sizeof(lengths[0]))];
    const char *usual = pick_character();
    uint32_t changed = pick(4);
    for (size_t i = 0; i < length; i++)
        append(text, i + changed >= length ? pick_character() : usual);
    if (extra != NULL)
        append(text, extra);
    peer__buffer_u8(text, '\0');
    assert_false(text->failed);
}

/* A \ stands before a special character or it stands before itself. */
static void escape(struct buffer *text)
{
    struct buffer escaped = {0};
    for (const char *at = (const char *)text->data; *at != '\0'; at++) {
        if (*at == '\\' || ((*at == '*' || *at == '?') && pick(2) == 0))
            append(&escaped, "\\");
        peer__buffer_u8(&escaped, (uint8_t)*at);
    }
    peer__buffer_u8(&escaped, '\0');
    assert_false(escaped.failed);
    peer__buffer_free(text);
    *text = escaped;
}

static void pick_pattern(struct buffer *text)
{
    static const char *const wild[] = {"*", "?", "??", "*a", "?*", "*\xc3\xa9?", ""};
    pick_text(text, 0, wild[pick(7)]);
    escape(text);
}

/* As an id is printed, or with wildcards in it, or as no id is. */
static void pick_guid_text(struct buffer *text, const peer_guid *guid)
{
    char printed[37];
    peer__guid_format(guid, printed);
    for (uint32_t changes = pick(4); changes > 0; changes--)
        printed[pick(36)] = "*?*?0fA-g"[pick(9)];
    printed[pick(8) == 0 ? pick(36) : 36] = '\0';
    append(text, printed);
    peer__buffer_u8(text, '\0');
    assert_false(text->failed);
}

/* ---------------------------------------------------------------------------------------------------- numbers */

static int64_t pick_int(void)
{
    static const int64_t ints[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, 2, INT64_MAX - 1, INT64_MAX};
    return ints[pick(8)];
}

/* The years 1 and 9999 are the ends of what can be written; 1601 is the first moment in ticks. */
static int64_t pick_date(void)
{
    static const int64_t dates[] = {INT64_C(-62135596800000000),
                                    INT64_C(-11644473600000001),
                                    INT64_C(-11644473600000000),
                                    INT64_C(-11644473599999999),
                                    -1,
                                    0,
                                    INT64_C(1700000000123456),
                                    INT64_C(253402300799999999)};
    return dates[pick(8)];
}

static uint64_t pick_ticks(void)
{
    static const uint64_t ends[] = {0, 1, 9, 10, 19, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1, UINT64_MAX};
    return pick(2) == 0 ? 1000 + pick(200) : pick(2) == 0 ? ends[pick(8)] : peer__ticks_from_us(pick_date()) + pick(12);
}

/* ---------------------------------------------------------------------------------------------------- rows */

static void add_value(struct buffer *attributes, const char *name)
{
    struct indexed_attribute attribute = {.type = PEER_ATTRIBUTE_STRING, .name = text_span(name)};
    struct buffer text = {0};
    struct buffer ordinal = {0};
    pick_text(&text, 0, NULL);
    peer__ordinal_append(&ordinal, (const char *)text.data, text.size - 1);
    attribute.text = (struct span){ordinal.data, ordinal.size};
    if (pick(3) == 0)
        attribute =
            (struct indexed_attribute){.type = PEER_ATTRIBUTE_INT, .name = attribute.name, .number = pick_int()};
    else if (pick(3) == 0)
        attribute =
            (struct indexed_attribute){.type = PEER_ATTRIBUTE_DATE, .name = attribute.name, .number = pick_date()};
    peer__indexed_append(attributes, &attribute);
    peer__buffer_free(&text);
    peer__buffer_free(&ordinal);
}

static void fill(struct store_world *worlds[2])
{
    for (uint32_t number = 0; number < ROWS; number++) {
        struct buffer attributes = {0};
        struct buffer ids[2] = {{0}, {0}};
        struct store_row row = row_of(number);
        for (uint32_t count = pick(5); count > 0; count--)
            add_value(&attributes, pick(2) == 0 ? "first" : "second");
        for (size_t i = 0; i < 2; i++) {
            struct buffer text = {0};
            pick_text(&text, 1, NULL);
            assert_int_equal(peer__utf16_append(&ids[i], (const char *)text.data), 0);
            peer__buffer_free(&text);
        }
        row.attributes = (struct span){attributes.data, attributes.size};
        row.created = pick_ticks();
        row.modified = pick_ticks();
        row.creator_id = (struct span){ids[0].data, ids[0].size};
        if (pick(3) != 0)
            row.modifier_id = (struct span){ids[1].data, ids[1].size};
        for (size_t i = 0; i < 2; i++)
            world_put_row(worlds[i], &row);
        peer__buffer_free(&attributes);
        peer__buffer_free(&ids[0]);
        peer__buffer_free(&ids[1]);
    }
    world_commit(worlds[0]);
    world_commit(worlds[1]);
}

/* ---------------------------------------------------------------------------------------------------- searches */

static int32_t pick_compare(uint32_t count)
{
    return (int32_t)pick(count) + PEER_COMPARE_EQUAL;
}

static peer_status add_date(struct query *query)
{
    static const char *const names[] = {"peercreationtime", "peerlastmodificationtime", "first"};
    int64_t time_us = pick(2) == 0 ? peer__us_from_ticks(1000 + pick(200)) : pick_date();
    return peer__query_add_date(query, names[pick(3)], pick_compare(COMPARE_COUNT), time_us);
}

static peer_status add_guid(struct query *query)
{
    struct buffer text = {0};
    struct store_row row = row_of(pick(ROWS));
    int is_type = pick(2) == 0;
    pick_guid_text(&text, is_type ? &row.type : &row.id);
    const char *name = is_type ? "peerrecordtype" : "peerrecordid";
    const char *value = (const char *)text.data;
    peer_status status = pick(2) == 0 ? peer__query_add_text(query, name, pick_compare(COMPARE_COUNT), value)
                                      : peer__query_add_pattern(query, name, pick_compare(2), value);
    peer__buffer_free(&text);
    return status;
}

static peer_status add_text(struct query *query)
{
    static const char *const names[] = {"first", "second", "peercreatorid", "peerlastmodifiedby", "peerrecordid"};
    struct buffer text = {0};
    pick_text(&text, 0, NULL);
    peer_status status =
        peer__query_add_text(query, names[pick(5)], pick_compare(COMPARE_COUNT), (const char *)text.data);
    peer__buffer_free(&text);
    return status;
}

static peer_status add_pattern(struct query *query)
{
    static const char *const names[] = {"first", "second", "peercreatorid", "peerlastmodifiedby", "peerrecordid"};
    struct buffer text = {0};
    pick_pattern(&text);
    peer_status status = peer__query_add_pattern(query, names[pick(5)], pick_compare(2), (const char *)text.data);
    peer__buffer_free(&text);
    return status;
}

static void add_clause(struct query *query)
{
    peer_status status;
    switch (pick(6)) {
    case 0:
        status = add_date(query);
        break;
    case 1:
        status = peer__query_add_int(query, "first", pick_compare(COMPARE_COUNT), pick_int());
        break;
    case 2:
        status = add_text(query);
        break;
    case 3:
        status = add_guid(query);
        break;
    default:
        status = add_pattern(query);
    }
    assert_int_equal(status, PEER_OK);
}

static void add_tree(struct query *query, uint32_t depth)
{
    if (depth == 0 || pick(3) == 0) {
        add_clause(query);
        return;
    }
    assert_int_equal(peer__query_begin(query, pick(2) == 0 ? SEARCH_AND : SEARCH_OR), PEER_OK);
    for (uint32_t count = pick(3) + 1; count > 0; count--)
        add_tree(query, depth - 1);
    assert_int_equal(peer__query_end(query), PEER_OK);
}

static int mark(void *context, const struct store_row *row)
{
    uint8_t *is_found = context;
    assert_in_range(row->seq, 1, ROWS);
    assert_int_equal(is_found[row->seq - 1]++, 0); /* each once */
    return 0;
}

static void find(struct store_world *world, const struct search *tree, uint8_t is_found[ROWS])
{
    struct store_search *search;
    int end = 0;
    memset(is_found, 0, ROWS);
    assert_int_equal(world->calls->search(world->store, tree, &search), PEER_OK);
    while (!end)
        assert_int_equal(search->step(search, mark, is_found, &end), PEER_OK);
    search->close(search);
}

static size_t search_by_chance(struct store_world *worlds[2])
{
    struct query query = {0};
    struct search tree = {0};
    uint8_t found[2][ROWS];
    size_t count = 0;
    assert_int_equal(peer__query_init(&query), PEER_OK);
    add_tree(&query, 3);
    assert_int_equal(peer__query_check_complete(&query), PEER_OK);
    assert_int_equal(peer__search_parse((const char *)query.xml.data, query.xml.size - 1, &tree), PEER_OK);
    for (size_t i = 0; i < 2; i++)
        find(worlds[i], &tree, found[i]);
    if (memcmp(found[0], found[1], ROWS) != 0)
        fail_msg("the stores differ: %s", (const char *)query.xml.data);
    for (size_t i = 0; i < ROWS; i++)
        count += found[0][i];
    peer__search_free(&tree);
    peer__query_free(&query);
    return count;
}

static void test_both_stores_find_the_same(void **state)
{
    struct store_world *worlds[2] = {world_new(KIND_MEMORY), world_new(KIND_SQLITE)};
    size_t some = 0;
    (void)state;
    fill(worlds);
    for (uint32_t i = 0; i < SEARCHES; i++) {
        size_t count = search_by_chance(worlds);
        some += count > 0 && count < ROWS;
    }
    assert_true(some > SEARCHES / 4);
    world_free(worlds[0]);
    world_free(worlds[1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_stores_find_the_same)};
    if (argc > 1) /* other trees */
        chance = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
