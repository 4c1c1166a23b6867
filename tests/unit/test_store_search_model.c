/* Searches by chance, over texts around the length that an index holds: both stores find the same. */
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

/* Of one to three bytes; the last two are in another order as UTF-16 than as UTF-8. */
static const char *const characters[] = {"a", "b", "A", "\xc3\xa9", "\xef\xbf\xbc", "\xf0\x9d\x84\x9e"};
static const size_t lengths[] = {0, 1, 2, 3, 84, 85, 86, 127, 128, 129, 253, 254, 255, 256, 257, 300};

static void append(struct buffer *text, const char *part)
{
    peer__buffer_append(text, part, strlen(part));
}

/* Mostly one character again and again, so that many begin alike. An id has 255 units at most. */
static void pick_text(struct buffer *text, int is_id, const char *extra)
{
    size_t length = lengths[pick(is_id ? 8 : sizeof(lengths) / sizeof(lengths[0]))];
    const char *usual = characters[pick(6)];
    uint32_t changed = pick(4);
    for (size_t i = 0; i < length; i++)
        append(text, i + changed >= length ? characters[pick(6)] : usual);
    if (extra != NULL)
        append(text, extra);
    peer__buffer_u8(text, '\0');
    assert_false(text->failed);
}

static const char *pattern_of(struct buffer *text)
{
    static const char *const wild[] = {"*", "?", "??", "*a", "?*", "*\xc3\xa9?", ""};
    pick_text(text, 0, wild[pick(7)]);
    return (const char *)text->data;
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
    if (pick(5) == 0)
        attribute = (struct indexed_attribute){.type = PEER_ATTRIBUTE_INT, .name = attribute.name, .number = pick(4)};
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
        row.created = row.modified = 1000 + pick(200);
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

static peer_status add_date(struct query *query, int32_t compare)
{
    int64_t time_us = peer__us_from_ticks(1000 + pick(200));
    return peer__query_add_date(query, pick(2) == 0 ? "peercreationtime" : "peerlastmodificationtime", compare,
                                time_us);
}

static void add_clause(struct query *query)
{
    static const char *const names[] = {"first", "second", "peercreatorid", "peerlastmodifiedby", "peerrecordid"};
    struct buffer text = {0};
    const char *name = names[pick(5)];
    const char *pattern = pattern_of(&text);
    peer_status status;
    switch (pick(5)) {
    case 0:
        status = add_date(query, (int32_t)pick(COMPARE_COUNT) + PEER_COMPARE_EQUAL);
        break;
    case 1:
        status = peer__query_add_int(query, "first", (int32_t)pick(COMPARE_COUNT) + PEER_COMPARE_EQUAL, pick(4));
        break;
    case 2:
        status = peer__query_add_text(query, name, (int32_t)pick(COMPARE_COUNT) + PEER_COMPARE_EQUAL, pattern);
        break;
    default:
        status = peer__query_add_pattern(query, name, (int32_t)pick(2) + PEER_COMPARE_EQUAL, pattern);
    }
    assert_int_equal(status, PEER_OK);
    peer__buffer_free(&text);
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
