/* Searches in both stores: what is found, from which moment, while what goes on; and how SQLite finds it. */
#include <pthread.h>
#include <stdio.h>

#include "store/sqlite_found.h"
#include "store/sqlite_plan.h"
#include "unit/store_world.h"
#include "xml/search.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SEARCH(inside) "<peersearch>" inside "</peersearch>"
#define CLAUSE(name, type, compare, value)                                                                             \
    "<clause attrib=\"" name "\" type=\"" type "\" compare=\"" compare "\">" value "</clause>"
#define ROOM CLAUSE("room", "string", "equal", "lobby")

static const enum store_kind kinds[] = {KIND_MEMORY, KIND_SQLITE};

static void add_text(struct buffer *attributes, const char *name, const char *text)
{
    struct indexed_attribute attribute = {
        .type = PEER_ATTRIBUTE_STRING, .name = text_span(name), .text = text_span(text)};
    peer__indexed_append(attributes, &attribute);
}

static void add_number(struct buffer *attributes, const char *name, int64_t number)
{
    struct indexed_attribute attribute = {.type = PEER_ATTRIBUTE_INT, .name = text_span(name), .number = number};
    peer__indexed_append(attributes, &attribute);
}

/* Row `number`: size is the number, room is lobby for every third, and each has two tags; the ticks of its times are 1,000 more. */
static uint64_t put_at(struct store_world *world, uint32_t number, uint64_t seq)
{
    struct buffer attributes = {0};
    struct store_row row = row_of(number);
    row.seq = seq;
    add_number(&attributes, "size", number);
    add_text(&attributes, "room", number % 3 == 0 ? "lobby" : "hall");
    add_text(&attributes, "tag", "a");
    add_text(&attributes, "tag", "b");
    row.attributes = (struct span){attributes.data, attributes.size};
    row.created = row.modified;
    row.creator_id.size += 2; /* the terminator, as on the wire */
    uint64_t given = world_put_row(world, &row);
    peer__buffer_free(&attributes);
    return given;
}

static void remove_row(struct store_world *world, uint32_t number)
{
    struct store_row row = row_of(number);
    assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
}

static void fill(struct store_world *world, uint32_t count)
{
    for (uint32_t number = 0; number < count; number++)
        put_at(world, number, 0);
    world_commit(world);
}

static void parse(const char *query, struct search *tree)
{
    *tree = (struct search){0};
    assert_int_equal(peer__search_parse(query, strlen(query), tree), PEER_OK);
}

static struct store_search *begin(struct store_world *world, const struct search *tree)
{
    struct store_search *search = NULL;
    assert_int_equal(world->calls->search(world->store, tree, &search), PEER_OK);
    return search;
}

static size_t finish(struct store_search *search)
{
    struct seen seen = {0};
    int end = 0;
    while (!end)
        assert_int_equal(search->step(search, see, &seen, &end), PEER_OK);
    search->close(search);
    return seen.count;
}

static size_t count_of(struct store_world *world, const char *query)
{
    struct search tree;
    parse(query, &tree);
    size_t count = finish(begin(world, &tree));
    peer__search_free(&tree);
    return count;
}

static void test_what_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        {SEARCH(ROOM), 334},
        {SEARCH(CLAUSE("size", "int", "less", "10")), 10},
        {SEARCH(CLAUSE("size", "int", "greaterorequal", "990")), 10},
        {SEARCH(CLAUSE("size", "int", "notequal", "1")), 999},
        {SEARCH(CLAUSE("size", "string", "notequal", "1")), 0},
        {SEARCH(CLAUSE("room", "string", "equal", "*")), 1000},
        {SEARCH(CLAUSE("room", "string", "equal", "h?l*")), 666},
        {SEARCH(CLAUSE("room", "string", "less", "lobby")), 666},
        {SEARCH(CLAUSE("tag", "string", "equal", "?")), 1000}, /* each once */
        {SEARCH(CLAUSE("tag", "string", "equal", "*b")), 1000},
        {SEARCH(CLAUSE("tag", "string", "notequal", "a")), 1000},
        {SEARCH(CLAUSE("tag", "string", "notequal", "?")), 0},
        {SEARCH("<and>" CLAUSE("tag", "string", "equal", "*b") CLAUSE("tag", "string", "notequal", "b*")
                    CLAUSE("room", "string", "equal", "*b?y") "</and>"),
         334},
        {SEARCH("<or>" CLAUSE("tag", "string", "equal", "*c") CLAUSE("size", "int", "equal", "7")
                    CLAUSE("room", "string", "equal", "*b?y") "</or>"),
         335},
        {SEARCH("<and>" CLAUSE("room", "string", "equal", "*b?y") "<or>" CLAUSE("tag", "string", "equal", "*c")
                    CLAUSE("size", "int", "less", "6") "</or></and>"),
         2},
        {SEARCH("<and>" CLAUSE("peercreatorid", "string", "equal", "?ob") CLAUSE("size", "int", "less", "7") "</and>"),
         6},
        {SEARCH("<or>" CLAUSE("peercreatorid", "string", "equal", "?ob") CLAUSE("size", "int", "less", "7") "</or>"),
         858},
        {SEARCH("<and>" ROOM CLAUSE("size", "int", "less", "10") "</and>"), 4},
        {SEARCH("<or>" ROOM CLAUSE("size", "int", "less", "10") "</or>"), 340},
        {SEARCH("<and>" CLAUSE("tag", "string", "equal", "a") CLAUSE("tag", "string", "equal", "b") "</and>"), 1000},
        {SEARCH("<and>" CLAUSE("nothing", "int", "less", "1") ROOM "</and>"), 0},
        {SEARCH(CLAUSE("peercreatorid", "string", "equal", "bob")), 857},
        {SEARCH(CLAUSE("peercreatorid", "string", "equal", "b*")), 857},
        {SEARCH(CLAUSE("peercreatorid", "string", "equal", "?o*b")), 857},
        {SEARCH(CLAUSE("peercreatorid", "string", "less", "b")), 143},
        {SEARCH(CLAUSE("peercreatorid", "string", "notequal", "bob")), 143},
        {SEARCH(CLAUSE("peerlastmodifiedby", "string", "notequal", "bob")), 0},
        {SEARCH(CLAUSE("peercreationtime", "date", "less", "2000")), 1000},
        {SEARCH("<and>" CLAUSE("peercreationtime", "date", "greater", "1601-01-01T00:00:00.000109Z")
                    CLAUSE("peercreationtime", "date", "lessorequal", "1601-01-01T00:00:00.000119Z") "</and>"),
         100},
        {SEARCH(CLAUSE("peerlastmodificationtime", "date", "equal", "1601-01-01T00:00:00.000150Z")), 10},
        {SEARCH(CLAUSE("peerrecordtype", "string", "equal", "02000000-0000-0000-0000-000000000000")), 333},
        {SEARCH(CLAUSE("peerrecordtype", "string", "notequal", "no GUID")), 1000},
        {SEARCH(CLAUSE("peerrecordtype", "string", "equal", "no GUID")), 0},
        {SEARCH(CLAUSE("peerrecordtype", "string", "equal", "02*-0000")), 0},
        {SEARCH(CLAUSE("peerrecordtype", "string", "equal", "?2*-0000*")), 333},
        {SEARCH(CLAUSE("peerrecordid", "string", "equal", "*")), 1000},
    };
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        struct store_world *world = world_new(kinds[kind]);
        fill(world, 1000);
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            size_t count = count_of(world, cases[i].query);
            if (count != cases[i].count)
                fail_msg("store %d: %s found %zu, not %zu", (int)kinds[kind], cases[i].query, count, cases[i].count);
        }
        world_free_all(world);
    }
}

static void test_changes_are_found(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        struct store_world *world = world_new(kinds[kind]);
        struct store_row bare = row_of(0);
        fill(world, 10);
        uint64_t last = world_last_seq(world);
        assert_int_equal(put_at(world, 3, 4), 4); /* where it stands */
        assert_int_equal(world_last_seq(world), last);
        world_put_row(world, &bare); /* without attributes now */
        remove_row(world, 6);
        world_commit(world);
        assert_int_equal(count_of(world, SEARCH(ROOM)), 2);
        assert_int_equal(count_of(world, SEARCH(CLAUSE("size", "int", "equal", "3"))), 1);
        put_at(world, 30, 0);
        world->calls->rollback(world->store);
        assert_int_equal(count_of(world, SEARCH(ROOM)), 2);
        world_crash(world);
        assert_int_equal(count_of(world, SEARCH(ROOM)), 2);
        world_free_all(world);
    }
}

static void test_long_texts(void **state)
{
    (void)state;
    char text[601];
    char query[900];
    memset(text, 'x', 600);
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        struct store_world *world = world_new(kinds[kind]);
        for (uint32_t size = 250; size <= 600; size += 50) {
            struct buffer attributes = {0};
            struct store_row row = row_of(size);
            text[size] = '\0';
            add_text(&attributes, "t", text);
            row.attributes = (struct span){attributes.data, attributes.size};
            world_put_row(world, &row);
            peer__buffer_free(&attributes);
            text[size] = 'x';
        }
        world_commit(world);
        static const struct {
            int size;
            const char *compare, *end;
            size_t count;
        } cases[] = {{300, "equal", "", 1},      {301, "equal", "", 0},  {250, "equal", "", 1},
                     {256, "equal", "*", 7},     {300, "less", "", 1},   {300, "greater", "", 6},
                     {300, "equal", "*", 7},     {599, "equal", "?", 1}, {300, "notequal", "", 7},
                     {301, "lessorequal", "", 2}};
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            snprintf(query, sizeof(query), SEARCH(CLAUSE("t", "string", "%s", "%.*s%s")), cases[i].compare,
                     cases[i].size, text, cases[i].end);
            size_t count = count_of(world, query);
            if (count != cases[i].count)
                fail_msg("store %d: %d characters %s: %zu", (int)kinds[kind], cases[i].size, cases[i].compare, count);
        }
        world_free_all(world);
    }
}

/* Texts that end in z, some longer than what is indexed, and beside each a short one of the same name. */
static void fill_long(struct store_world *world)
{
    char text[VALUE_INDEXED_MAX + 2];
    memset(text, 'x', sizeof(text));
    for (uint32_t size = VALUE_INDEXED_MAX - 2; size < sizeof(text); size++) {
        struct buffer attributes = {0};
        struct store_row row = row_of(size);
        memcpy(text + size - 1, "z", 2);
        add_text(&attributes, "long", text);
        add_text(&attributes, "both", text);
        add_text(&attributes, "both", "short");
        row.attributes = (struct span){attributes.data, attributes.size};
        world_put_row(world, &row);
        peer__buffer_free(&attributes);
        text[size - 1] = text[size] = 'x';
    }
    world_commit(world);
}

static void test_patterns_and_long_texts(void **state)
{
    (void)state;
#define LONG(compare, value) CLAUSE("long", "string", compare, value)
#define BOTH(compare, value) CLAUSE("both", "string", compare, value)
    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        {SEARCH(LONG("equal", "x*z")), 4},
        {SEARCH(LONG("equal", "x*xz")), 4},
        {SEARCH(LONG("equal", "*zz")), 0},
        {SEARCH(LONG("equal", "x*y")), 0},
        {SEARCH(LONG("equal", "?y*z")), 0},
        {SEARCH(LONG("notequal", "x*z")), 0},
        {SEARCH(LONG("notequal", "x*y")), 4},
        {SEARCH(BOTH("equal", "s?ort")), 4},
        {SEARCH(BOTH("notequal", "x*z")), 4},
        {SEARCH(BOTH("notequal", "*")), 0},
        {SEARCH("<and>" BOTH("equal", "x*z") BOTH("equal", "s?ort") "</and>"), 4},
        {SEARCH("<and>" BOTH("equal", "x*y") BOTH("equal", "s?ort") "</and>"), 0},
        {SEARCH("<and>" LONG("equal", "x*z") LONG("equal", "s?ort") "</and>"), 0},
        {SEARCH("<or>" BOTH("equal", "x*y") BOTH("equal", "s?ort") "</or>"), 4},
        {SEARCH("<or>" BOTH("equal", "x*z") BOTH("equal", "s?ort") "</or>"), 4},
        {SEARCH("<or>" LONG("equal", "x*y") BOTH("equal", "*y") "</or>"), 0},
        {SEARCH("<or>" LONG("equal", "*z") CLAUSE("peercreatorid", "string", "equal", "nobody") "</or>"), 4},
        {SEARCH("<or>" LONG("equal", "*y") CLAUSE("peercreatorid", "string", "notequal", "nobody") "</or>"), 4},
    };
#undef LONG
#undef BOTH
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        struct store_world *world = world_new(kinds[kind]);
        fill_long(world);
        for (size_t i = 0; i < COUNT_OF(cases); i++) {
            size_t count = count_of(world, cases[i].query);
            if (count != cases[i].count)
                fail_msg("store %d: %s found %zu, not %zu", (int)kinds[kind], cases[i].query, count, cases[i].count);
        }
        world_free_all(world);
    }
}

/* A search sees one moment, whatever is written meanwhile, and goes on beside the writer. */
static void test_a_search_is_a_snapshot(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        struct store_world *world = world_new(kinds[kind]);
        struct search tree;
        struct seen seen = {0};
        int end = 0;
        fill(world, 2000);
        parse(SEARCH(CLAUSE("size", "int", "greaterorequal", "0")), &tree);
        struct store_search *search = begin(world, &tree);
        assert_int_equal(search->step(search, see, &seen, &end), PEER_OK);
        assert_false(end);
        assert_true(seen.count > 0 && seen.count <= STORE_SEARCH_EXAMINED_MAX);
        for (uint32_t number = 0; number < 1000; number++)
            remove_row(world, number);
        for (uint32_t number = 3000; number < 3100; number++)
            put_at(world, number, 0);
        world_commit(world);
        assert_int_equal(seen.count + finish(search), 2000);
        peer__search_free(&tree);
        assert_int_equal(count_of(world, SEARCH(CLAUSE("size", "int", "greaterorequal", "0"))), 1100);
        world_free_all(world);
    }
}

static void test_a_search_outlives_its_store(void **state)
{
    (void)state;
    struct store_world *world = world_new(KIND_SQLITE);
    struct search tree;
    struct seen seen = {0};
    int end = 0;
    fill(world, 2000);
    parse(SEARCH(CLAUSE("size", "int", "greaterorequal", "0")), &tree);
    struct store_search *begun = begin(world, &tree);
    struct store_search *fresh = begin(world, &tree);
    assert_int_equal(begun->step(begun, see, &seen, &end), PEER_OK);
    world_close(world);
    assert_int_equal(begun->step(begun, see, &seen, &end), PEER_E_GRAPH_SHUTTING_DOWN);
    assert_int_equal(fresh->step(fresh, see, &seen, &end), PEER_E_GRAPH_SHUTTING_DOWN);
    assert_int_equal(world->factory.remove(world->factory.self, "film club", "bob", "graph.db"), PEER_OK);
    begun->close(begun);
    fresh->close(fresh);
    peer__search_free(&tree);
    world_free_all(world);
}

static void *keep_searching(void *context)
{
    struct store_search *search = context;
    struct seen seen = {0};
    int end = 0;
    peer_status status = PEER_OK;
    while (status >= 0 && !end)
        status = search->step(search, see, &seen, &end);
    search->close(search);
    assert_true(status == PEER_E_GRAPH_SHUTTING_DOWN || (status == PEER_OK && seen.count == 3000));
    return NULL;
}

static void test_a_store_closes_during_a_search(void **state)
{
    (void)state;
    struct store_world *world = world_new(KIND_SQLITE);
    struct search tree;
    pthread_t threads[4];
    fill(world, 3000);
    parse(SEARCH(CLAUSE("tag", "string", "equal", "?")), &tree);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_searching, begin(world, &tree)), 0);
    world_close(world);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    peer__search_free(&tree);
    world_free_all(world);
}

static peer_status search_once(struct store_world *world, const struct search *tree, size_t *count_out)
{
    struct store_search *search;
    struct seen seen = {0};
    int end = 0;
    peer_status status = world->calls->search(world->store, tree, &search);
    if (status < 0)
        return status;
    while (status >= 0 && !end)
        status = search->step(search, see, &seen, &end);
    search->close(search);
    *count_out = seen.count;
    return status;
}

static void test_memory_runs_out_everywhere(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        struct store_world *world = world_new(kinds[kind]);
        struct search tree;
        size_t count = 0;
        fill(world, 50);
        parse(SEARCH("<or><and>" ROOM CLAUSE("size", "int", "less", "40") "</and>" CLAUSE("peercreatorid", "string",
                                                                                          "equal", "b*") "</or>"),
              &tree);
        for (int64_t after = 0; count == 0; after++) {
            int64_t live = peer__memory_live();
            peer__memory_fail_after(after);
            peer_status status = search_once(world, &tree, &count);
            peer__memory_fail_after(-1);
            assert_int_equal(peer__memory_live(), live);
            assert_true(status == PEER_OK || status == E_OUTOFMEMORY);
        }
        peer__search_free(&tree);
        world_free_all(world);
    }
}

/* ------------------------------------------------------------------------------------------------------- the plans */

static sqlite3 *connect_beside(const struct store_world *world)
{
    char command[160];
    char path[300] = "";
    sqlite3 *db = NULL;
    snprintf(command, sizeof(command), "ls %s/graphs/*.db", world->directory);
    FILE *names = popen(command, "r");
    assert_non_null(names);
    assert_non_null(fgets(path, sizeof(path), names));
    pclose(names);
    path[strcspn(path, "\n")] = '\0';
    assert_int_equal(peer__sqlite_connect(path, &db), PEER_OK);
    return db;
}

/* Every step is a search in an index, or with `rows` a fetch of rows by number. */
static void check_explanation(sqlite3 *db, sqlite3_stmt *statement, int rows)
{
    char sql[1024];
    sqlite3_stmt *explained = NULL;
    size_t lines = 0;
    snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(statement));
    assert_null(strstr(sql, "wire"));
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &explained, NULL), SQLITE_OK);
    for (; sqlite3_step(explained) == SQLITE_ROW; lines++) {
        const char *line = (const char *)sqlite3_column_text(explained, 3);
        if (strncmp(line, "SEARCH ", 7) != 0 ||
            (strstr(line, "COVERING INDEX") == NULL && !(rows && strstr(line, "PRIMARY KEY") != NULL)))
            fail_msg("%s: %s", sqlite3_sql(statement), line);
    }
    sqlite3_finalize(explained);
    assert_true(lines > 0);
}

static void check_records(sqlite3 *db, const struct search *tree)
{
    struct found_records found = {0};
    assert_int_equal(peer__sqlite_found_open(db, tree, &found), SQLITE_OK);
    check_explanation(db, found.records, 1);
    if (found.attributes_of != NULL)
        check_explanation(db, found.attributes_of, 1);
    peer__sqlite_found_close(&found);
}

static size_t check_plan(sqlite3 *db, const char *query)
{
    struct search tree;
    struct search_plan plan = {0};
    parse(query, &tree);
    assert_int_equal(peer__sqlite_plan(db, &tree, &plan), SQLITE_OK);
    for (size_t i = 0; i < plan.count; i++) {
        sqlite3_stmt *statement = NULL;
        assert_int_equal(peer__sqlite_range_prepare(db, &plan.ranges[i], &statement), SQLITE_OK);
        check_explanation(db, statement, 0);
        sqlite3_finalize(statement);
    }
    check_records(db, &tree);
    size_t count = plan.count;
    peer__sqlite_plan_free(&plan);
    peer__search_free(&tree);
    return count;
}

static void test_plans_read_indexes(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "room",         "peercreatorid", "peerlastmodifiedby", "peercreationtime", "peerlastmodificationtime",
        "peerrecordid", "peerrecordtype"};
    static const char *const compares[] = {"equal", "notequal", "less", "greater", "lessorequal", "greaterorequal"};
    static const char *const values[] = {"2001", "20*", "*1", "00112233-4455-6677-8899-aabbccddeeff"};
    struct store_world *world = world_new(KIND_SQLITE);
    fill(world, 100);
    sqlite3 *db = connect_beside(world);
    for (size_t field = 0; field < COUNT_OF(fields); field++) {
        for (size_t compare = 0; compare < COUNT_OF(compares); compare++) {
            for (size_t value = 0; value < COUNT_OF(values); value++) {
                char query[300];
                int is_time = strstr(fields[field], "time") != NULL;
                snprintf(query, sizeof(query), SEARCH(CLAUSE("%s", "%s", "%s", "%s")), fields[field],
                         is_time ? "date" : "string", compares[compare], is_time ? "2001" : values[value]);
                assert_true(check_plan(db, query) <= 1);
            }
        }
    }
    sqlite3_close(db);
    world_free_all(world);
}

static void test_plans_choose_the_narrow_range(void **state)
{
    (void)state;
    struct store_world *world = world_new(KIND_SQLITE);
    struct search tree;
    struct search_plan plan = {0};
    fill(world, 1000);
    sqlite3 *db = connect_beside(world);
    assert_int_equal(check_plan(db, SEARCH("<or>" ROOM ROOM ROOM "</or>")), 3);
    parse(SEARCH("<and>" ROOM CLAUSE("peercreatorid", "string", "equal", "*")
                     CLAUSE("size", "int", "less", "3") "<or>" ROOM ROOM "</or></and>"),
          &tree);
    assert_int_equal(peer__sqlite_plan(db, &tree, &plan), SQLITE_OK);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.ranges[0].key, "isize");
    peer__sqlite_plan_free(&plan);
    peer__search_free(&tree);
    sqlite3_close(db);
    world_free_all(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_found),
        cmocka_unit_test(test_changes_are_found),
        cmocka_unit_test(test_long_texts),
        cmocka_unit_test(test_patterns_and_long_texts),
        cmocka_unit_test(test_a_search_is_a_snapshot),
        cmocka_unit_test(test_a_search_outlives_its_store),
        cmocka_unit_test(test_a_store_closes_during_a_search),
        cmocka_unit_test(test_memory_runs_out_everywhere),
        cmocka_unit_test(test_plans_read_indexes),
        cmocka_unit_test(test_plans_choose_the_narrow_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
