/* The same tests for both kinds of store, and a long comparison of one with the other. */
#include "unit/store_world.h"

/* ------------------------------------------------------------------------------------------------- single records */

static void a_record_comes_back_as_it_was_put(void **state)
{
    struct store_world *world = *state;
    struct seen seen;
    struct store_row row = row_of(5);
    struct seen expected = {0};

    row.seq = world_put(world, 5);
    see(&expected, &row);
    assert_int_equal(world_get(world, 5, &seen), PEER_OK); /* before the commit too */
    assert_int_equal(seen.digest, expected.digest);
    world_commit(world);
    world_crash(world);
    assert_int_equal(world_get(world, 5, &seen), PEER_OK);
    assert_int_equal(seen.digest, expected.digest);
    assert_int_equal(world_get(world, 6, &seen), PEER_E_RECORD_NOT_FOUND);
    assert_int_equal(seen.count, 0);
}

static void extreme_values_come_back(void **state)
{
    struct store_world *world = *state;
    struct seen seen = {0};
    struct store_row row = {.version = UINT32_MAX, .flags = UINT32_MAX, .local_flags = UINT32_MAX};

    row.modified = UINT64_MAX;
    row.seq = world_put_row(world, &row); /* creator and wire are empty */
    assert_int_equal(world->calls->get(world->store, &row.id, 1, see, &seen), PEER_OK);
    assert_int_equal(seen.rows[0].version, UINT32_MAX);
    assert_int_equal(seen.rows[0].flags, UINT32_MAX);
    assert_int_equal(seen.rows[0].local_flags, UINT32_MAX);
    assert_true(seen.rows[0].modified == UINT64_MAX);
    assert_true(seen.rows[0].expires == 0);
    assert_int_equal(seen.wire_sizes[0], 0);
}

static void without_wire_there_is_none(void **state)
{
    struct store_world *world = *state;
    struct store_row row = row_of(9);
    struct seen seen = {0};
    struct store_position position = {0};
    int end;

    world_put(world, 9);
    assert_int_equal(world->calls->get(world->store, &row.id, 0, see, &seen), PEER_OK);
    assert_int_equal(world->calls->scan(world->store, &(struct store_scan){.seq_max = UINT64_MAX}, &position, 0, 9, see,
                                        &seen, &end),
                     PEER_OK);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.wire_sizes[0] + seen.wire_sizes[1], 0);
    assert_int_equal(seen.rows[1].modified, row.modified);
}

static void a_replaced_record_moves_to_the_end(void **state)
{
    struct store_world *world = *state;
    struct seen seen;
    struct store_row row;

    world_fill(world, 3);
    row = row_of(0);
    row.version = 2;
    row.modified = 5000;
    assert_int_equal(world_put_row(world, &row), 4);
    assert_int_equal(world_count(world), 3);
    world_scan(world, &(struct store_scan){.seq_max = UINT64_MAX}, 10, &seen);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.rows[0].seq, 2);
    assert_int_equal(seen.rows[2].seq, 4);
    assert_int_equal(seen.rows[2].version, 2);
}

static void removing_twice_is_no_error(void **state)
{
    struct store_world *world = *state;
    struct store_row row = row_of(1);

    world_fill(world, 3);
    assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    assert_false(world_has(world, 1));
    assert_int_equal(world_count(world), 2);
    world_commit(world);
    world_crash(world);
    assert_false(world_has(world, 1));
    assert_true(world_has(world, 2));
    assert_int_equal(world_count(world), 2);
}

/* ------------------------------------------------------------------------------------------------ order of arrival */

static void sequence_numbers_never_repeat(void **state)
{
    struct store_world *world = *state;
    struct store_row row = row_of(2);

    assert_int_equal(world_last_seq(world), 0);
    world_fill(world, 3);
    assert_int_equal(world_last_seq(world), 3);
    assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    world_commit(world);
    world_crash(world); /* the row with the highest number is gone */
    assert_int_equal(world_last_seq(world), 3);
    assert_int_equal(world_put(world, 7), 4);
    row = row_of(7);
    assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    for (uint32_t number = 0; number < 2; number++) {
        row = row_of(number);
        assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    }
    world_commit(world);
    world_crash(world); /* now it is empty */
    assert_int_equal(world_put(world, 8), 5);
    world_commit(world);
    world_crash(world);
    assert_int_equal(world_last_seq(world), 5);
}

static void a_scan_by_arrival_survives_changes(void **state)
{
    struct store_world *world = *state;
    struct store_scan scan = {.seq_max = UINT64_MAX};
    struct store_position position = {0};
    struct seen seen = {0};
    struct store_row row;

    world_fill(world, 10);
    assert_int_equal(world_scan_step(world, &scan, &position, 4, &seen), 0);
    assert_int_equal(seen.count, 4);
    row = row_of(3); /* where the scan stands */
    world->calls->remove(world->store, &row.id);
    row = row_of(4); /* where it goes next */
    world->calls->remove(world->store, &row.id);
    world_put(world, 0); /* moves to the end and is seen again */
    assert_int_equal(world_scan_step(world, &scan, &position, 100, &seen), 1);
    assert_int_equal(seen.count, 4 + 5 + 1);
    assert_int_equal(seen.rows[4].seq, 6);
    assert_int_equal(seen.rows[9].seq, 11);
    world_put(world, 77);
    assert_int_equal(world_scan_step(world, &scan, &position, 100, &seen), 1);
    assert_int_equal(seen.count, 11);
}

static void a_scan_ends_where_it_is_told(void **state)
{
    struct store_world *world = *state;
    struct store_position position = {0};
    struct seen seen = {.stop_at = 2};
    struct store_scan scan = {.seq_max = 6};

    world_fill(world, 10);
    assert_int_equal(world_scan_step(world, &scan, &position, 100, &seen), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(position.seq, 2);
    assert_int_equal(world_scan_step(world, &scan, &position, 0, &seen), 0);
    assert_int_equal(seen.count, 2);
    assert_int_equal(world_scan_step(world, &scan, &position, 100, &seen), 1);
    assert_int_equal(seen.count, 6);
    scan.by_modified = 1;
    world_scan(world, &scan, 3, &seen);
    assert_int_equal(seen.count, 6);
}

static void filters_select_type_and_creator(void **state)
{
    struct store_world *world = *state;
    struct store_row wanted = row_of(7); /* type 1, the rarer creator */
    struct seen seen;

    world_fill(world, 210);
    for (int by_modified = 0; by_modified < 2; by_modified++) {
        struct store_scan scan = {.by_modified = by_modified, .type = &wanted.type, .seq_max = UINT64_MAX};
        world_scan(world, &scan, 7, &seen);
        assert_int_equal(seen.count, 70);
        scan.creator_id = wanted.creator_id;
        world_scan(world, &scan, 3, &seen);
        assert_int_equal(seen.count, 10);
        for (size_t i = 0; i < seen.count; i++)
            assert_int_equal(seen.rows[i].seq, 8 + 21 * i);
        scan.type = NULL;
        world_scan(world, &scan, 1, &seen);
        assert_int_equal(seen.count, 30);
        scan.creator_id.size = 2; /* no prefix counts */
        world_scan(world, &scan, 1, &seen);
        assert_int_equal(seen.count, 0);
    }
}

static void a_filter_looks_at_so_many_rows_at_once(void **state)
{
    struct store_world *world = *state;
    struct store_scan scan = {.creator_id = {(const uint8_t *)"x", 1}, .seq_max = UINT64_MAX};
    struct store_position position = {0};
    struct seen seen = {0};

    world_fill(world, STORE_SCAN_EXAMINED_MAX + 10);
    assert_int_equal(world_scan_step(world, &scan, &position, 1, &seen), 0);
    assert_int_equal(position.seq, STORE_SCAN_EXAMINED_MAX);
    assert_int_equal(world_scan_step(world, &scan, &position, 1, &seen), 1);
    assert_int_equal(seen.count, 0);
}

/* ----------------------------------------------------------------------------------------------------------- time */

static const uint64_t ticks[] = {0, 1, INT64_MAX - 1, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
#define TICK_COUNT (sizeof(ticks) / sizeof(ticks[0]))

static void fill_with_extreme_ticks(struct store_world *world)
{
    for (size_t i = 0; i < TICK_COUNT; i++) {
        struct store_row row = row_of((uint32_t)i);
        row.modified = row.expires = ticks[(i * 3) % TICK_COUNT];
        world_put_row(world, &row);
    }
}

static void ticks_order_by_all_their_bits(void **state)
{
    struct store_world *world = *state;
    struct seen seen;

    fill_with_extreme_ticks(world);
    for (size_t since = 0; since < TICK_COUNT; since++) {
        struct store_scan scan = {.by_modified = 1, .since = ticks[since], .seq_max = UINT64_MAX};
        world_scan(world, &scan, 2, &seen);
        assert_int_equal(seen.count, TICK_COUNT - since); /* since is inclusive */
        for (size_t i = 0; i < seen.count; i++)
            assert_true(seen.rows[i].modified == ticks[since + i]);
    }
}

static void equal_times_order_by_id(void **state)
{
    struct store_world *world = *state;
    struct store_scan scan = {.by_modified = 1, .since = 42, .seq_max = UINT64_MAX};
    struct seen seen;

    for (uint32_t number = 0; number < 50; number++) {
        struct store_row row = row_of(number);
        row.modified = 41 + number % 3;
        if (number == 1)
            memset(row.id.bytes, 0, sizeof(row.id.bytes)); /* the lowest id belongs to `since` too */
        if (number == 4)
            memset(row.id.bytes, 0xff, sizeof(row.id.bytes));
        world_put_row(world, &row);
    }
    world_scan(world, &scan, 1, &seen);
    assert_int_equal(seen.count, 33);
    assert_true(peer__guid_is_zero(&seen.rows[0].id));
    for (size_t i = 1; i < seen.count; i++) {
        assert_true(seen.rows[i - 1].modified <= seen.rows[i].modified);
        if (seen.rows[i - 1].modified == seen.rows[i].modified)
            assert_true(peer__guid_compare(&seen.rows[i - 1].id, &seen.rows[i].id) < 0);
    }
}

static void a_scan_by_time_survives_changes(void **state)
{
    struct store_world *world = *state;
    struct store_scan scan = {.by_modified = 1, .since = 1000, .seq_max = UINT64_MAX};
    struct store_position position = {0};
    struct seen seen = {0};
    struct store_row row;

    world_fill(world, 10);
    assert_int_equal(world_scan_step(world, &scan, &position, 4, &seen), 0);
    row = row_of(3);
    world->calls->remove(world->store, &row.id);
    row = row_of(50);
    row.modified = 1001; /* behind the scan: not seen */
    world_put_row(world, &row);
    row = row_of(5);
    row.modified = 2000; /* moved ahead: seen there */
    world_put_row(world, &row);
    assert_int_equal(world_scan_step(world, &scan, &position, 100, &seen), 1);
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.rows[4].modified, 1004);
    assert_int_equal(seen.rows[5].modified, 1006);
    assert_int_equal(seen.rows[9].modified, 2000);
}

static void see_expired(struct store_world *world, uint64_t after, uint64_t until, size_t row_max,
                        struct seen *seen_out)
{
    const struct store_expiry place = {after, UINT64_MAX};
    *seen_out = (struct seen){0};
    assert_int_equal(world->calls->expired(world->store, &place, until, row_max, see, seen_out), PEER_OK);
}

static uint64_t next_expiry(struct store_world *world, uint64_t after)
{
    uint64_t expires = 1;
    assert_int_equal(world->calls->next_expiry(world->store, after, &expires), PEER_OK);
    return expires;
}

static void records_expire_in_their_order(void **state)
{
    struct store_world *world = *state;
    struct seen seen;

    assert_true(next_expiry(world, 0) == UINT64_MAX);
    fill_with_extreme_ticks(world);
    see_expired(world, 0, UINT64_MAX, 100, &seen);
    assert_int_equal(seen.count, TICK_COUNT - 1); /* `after` is exclusive */
    for (size_t i = 0; i < seen.count; i++) {
        assert_true(seen.rows[i].expires == ticks[i + 1]);
        assert_int_equal(seen.wire_sizes[i], 0);
    }
    see_expired(world, 1, INT64_MAX, 100, &seen); /* `until` is inclusive */
    assert_int_equal(seen.count, 2);
    see_expired(world, INT64_MAX, 1, 100, &seen);
    assert_int_equal(seen.count, 0);
    assert_true(next_expiry(world, 0) == 1);
    assert_true(next_expiry(world, INT64_MAX) == UINT64_C(1) << 63);
    assert_true(next_expiry(world, UINT64_MAX) == UINT64_MAX);
}

/* However many expire at one moment, a call gives no more than it is asked for, and the next goes on there. */
static void what_expires_together_comes_in_pieces(void **state)
{
    struct store_world *world = *state;
    struct store_expiry place = {100, 0};
    struct seen seen;
    size_t count = 0;

    for (uint32_t number = 0; number < 30; number++) {
        struct store_row row = row_of(number);
        row.expires = 100 + number / 10;
        world_put_row(world, &row);
    }
    for (size_t pieces = 0; pieces < 8; pieces++) {
        seen = (struct seen){0};
        assert_int_equal(world->calls->expired(world->store, &place, 101, 3, see, &seen), PEER_OK);
        assert_int_equal(seen.count, pieces < 6 ? 3 : pieces == 6 ? 2 : 0);
        for (size_t i = 0; i < seen.count; i++)
            assert_int_equal(seen.rows[i].seq, ++count);
        if (seen.count > 0)
            place = (struct store_expiry){seen.rows[seen.count - 1].expires, seen.rows[seen.count - 1].seq};
    }
    see_expired(world, 100, 1000, 11, &seen);
    assert_int_equal(seen.count, 11);
    see_expired(world, 0, 1000, 100, &seen);
    assert_int_equal(seen.count, 30);
    see_expired(world, 0, 1000, 0, &seen);
    assert_int_equal(seen.count, 0);
    seen = (struct seen){0};
    place = (struct store_expiry){102, 0};
    assert_int_equal(world->calls->expired(world->store, &place, 101, 10, see, &seen), PEER_OK);
    assert_int_equal(seen.count, 0);
}

/* --------------------------------------------------------------------------------------------------- transactions */

static void settings_are_part_of_the_transaction(void **state)
{
    struct store_world *world = *state;

    assert_true(world_setting_is(world, "colour", NULL));
    world_setting_put(world, "colour", "red");
    world_setting_put(world, "empty", "");
    assert_true(world_setting_is(world, "colour", "red"));
    world_commit(world);
    world_setting_put(world, "colour", "blue");
    world_setting_put(world, "colour", "green");
    world_setting_put(world, "other", "x");
    assert_true(world_setting_is(world, "colour", "green"));
    world->calls->rollback(world->store);
    assert_true(world_setting_is(world, "colour", "red"));
    assert_true(world_setting_is(world, "other", NULL));
    world_setting_put(world, "colour", "blue");
    world_crash(world);
    assert_true(world_setting_is(world, "colour", "red"));
    assert_true(world_setting_is(world, "empty", ""));
}

static void a_setting_is_appended(void **state)
{
    struct store_world *world = *state;
    struct buffer value = {0};

    world_setting_put(world, "colour", "red");
    peer__buffer_append(&value, "a ", 2);
    assert_int_equal(world->calls->setting_get(world->store, "colour", &value), PEER_OK);
    assert_bytes((struct span){value.data, value.size}, "6120726564");
    peer__buffer_free(&value);
}

static void rollback_takes_back_everything(void **state)
{
    struct store_world *world = *state;
    struct store_scan scan = {.seq_max = UINT64_MAX};
    struct seen before, after;
    struct store_row row;

    world_fill(world, 100);
    world_scan(world, &scan, 1000, &before);
    for (uint32_t number = 50; number < 150; number++)
        world_put(world, number);
    for (uint32_t number = 0; number < 120; number += 2) {
        row = row_of(number);
        assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    }
    world_put(world, 0);
    world->calls->rollback(world->store);
    world_scan(world, &scan, 1000, &after);
    assert_int_equal(after.digest, before.digest);
    assert_int_equal(world_count(world), 100);
    assert_int_equal(world_last_seq(world), 100);
    world->calls->rollback(world->store); /* of nothing */
    world_commit(world);                  /* of nothing */
    world_crash(world);
    world_scan(world, &scan, 1000, &after);
    assert_int_equal(after.digest, before.digest);
}

static void what_is_not_committed_is_gone_after_a_crash(void **state)
{
    struct store_world *world = *state;

    world_fill(world, 10);
    world_put(world, 10);
    world_crash(world);
    assert_int_equal(world_count(world), 10);
    assert_false(world_has(world, 10));
    assert_int_equal(world_put(world, 11), 11);
}

/* ------------------------------------------------------------------------------------------------------ databases */

static void a_database_opens_once(void **state)
{
    struct store_world *world = *state;
    struct store *second = NULL;
    int is_new;

    assert_int_equal(world->factory.open(world->factory.self, "film club", "bob", "graph.db", 0, &is_new, &second),
                     PEER_E_DATABASE_IN_USE);
    assert_non_null(strstr(peer__last_error(), "film club/bob"));
    assert_int_equal(world->factory.remove(world->factory.self, "film club", "bob", "graph.db"),
                     PEER_E_DATABASE_IN_USE);
    world_put(world, 1);
    world_commit(world);
    assert_true(world_has(world, 1));
}

static void names_are_three_parts(void **state)
{
    static const char *const names[][3] = {{"film club", "bob", "b"},  {"film clubb", "ob", "b"},
                                           {"film club", "bobb", ""},  {"film_club", "bob", "graph.db"},
                                           {"../../../up", "/", ".."}, {"", "", ""}};
    struct store_world *world = *state;
    struct store *stores[6];

    for (size_t i = 0; i < 6; i++) {
        int is_new = 0;
        assert_int_equal(world->factory.open(world->factory.self, names[i][0], names[i][1], names[i][2], STORE_CREATE,
                                             &is_new, &stores[i]),
                         PEER_OK);
        assert_int_equal(is_new, 1);
    }
    for (size_t i = 0; i < 6; i++)
        stores[i]->operations->close(stores[i]);
}

static void create_wants_a_new_one(void **state)
{
    struct store_world *world = *state;
    int is_new = -1;

    world_close(world);
    assert_int_equal(world_try_open(world, STORE_CREATE, &is_new), PEER_E_DATABASE_ALREADY_PRESENT);
    assert_int_equal(is_new, -1);
    assert_null(world->store);
    assert_int_equal(world_open(world), 0);
}

static void removed_is_removed(void **state)
{
    struct store_world *world = *state;
    int is_new = 0;

    world_fill(world, 10);
    world_close(world);
    assert_int_equal(world->factory.remove(world->factory.self, "film club", "bob", "graph.db"), PEER_OK);
    assert_int_equal(world->factory.remove(world->factory.self, "film club", "bob", "graph.db"),
                     PEER_E_DATABASE_NOT_PRESENT);
    assert_int_equal(world_try_open(world, STORE_CREATE, &is_new), PEER_OK);
    assert_int_equal(is_new, 1);
    assert_int_equal(world_count(world), 0);
    assert_int_equal(world_last_seq(world), 0);
}

/* ---------------------------------------------------------------------------------------------- memory store only */

static void a_full_disk_fails_the_commit(void **state)
{
    struct store_world *world = world_new(KIND_MEMORY);
    uint64_t seq;

    (void)state;
    world_fill(world, 10);
    peer__store_memory_set_full(&world->factory, 1);
    world_commit(world); /* nothing to write */
    world_put(world, 10);
    assert_int_equal(world->calls->commit(world->store), PEER_E_DISK_FULL);
    struct store_row row = row_of(11);
    assert_int_equal(world->calls->put(world->store, &row, &seq), PEER_E_DISK_FULL);
    world->calls->rollback(world->store);
    assert_int_equal(world_count(world), 10);
    peer__store_memory_set_full(&world->factory, 0);
    assert_int_equal(world_put(world, 10), 11);
    world_commit(world);
    world_free_all(world);
}

static struct store_factory scarce;

/* Leaves nothing behind, so that memory that is not given back is seen. */
static peer_status work_without_memory(void)
{
    struct store *store;
    struct store_row row = row_of(1);
    struct span value = text_span("red");
    struct buffer held = {0};
    uint64_t seq;
    int is_new;
    peer_status status = scarce.open(scarce.self, "film club", "bob", "graph.db", 0, &is_new, &store);

    if (status < 0)
        return status;
    status = store->operations->put(store, &row, &seq);
    if (status == PEER_OK)
        status = store->operations->setting_put(store, "colour", value);
    for (uint32_t number = 0; number < 40 && status == PEER_OK; number++) {
        row = row_of(number); /* one of them anew */
        status = store->operations->put(store, &row, &seq);
    }
    assert_int_equal(store->operations->commit(store), status);
    if (status == PEER_OK)
        status = store->operations->setting_get(store, "colour", &held);
    peer__buffer_free(&held);
    store->operations->close(store);
    peer_status removed = scarce.remove(scarce.self, "film club", "bob", "graph.db");
    return status < 0 ? status : removed;
}

static void the_memory_store_survives_no_memory(void **state)
{
    (void)state;
    assert_int_equal(peer__store_memory_factory(&scarce), PEER_OK);
    assert_survives_no_memory(work_without_memory);
    peer__store_memory_factory_free(&scarce);
    peer__store_memory_factory_free(&scarce);
}

/* Ids, times and arrival in the same order would make a plain tree a list. */
static void a_hundred_thousand_rows_in_order(void **state)
{
    struct store_world *world = world_new(KIND_MEMORY);
    struct store_row row = {.version = 1};
    struct seen seen;

    (void)state;
    for (uint32_t number = 0; number < 100000; number++) {
        row.modified = row.expires = number;
        for (int i = 0; i < 4; i++)
            row.id.bytes[i] = (uint8_t)(number >> (24 - 8 * i));
        world_put_row(world, &row);
        if (number % 1000 == 0)
            world_commit(world);
    }
    world_scan(world, &(struct store_scan){.by_modified = 1, .since = 50000, .seq_max = UINT64_MAX}, 1000, &seen);
    assert_int_equal(seen.count, 50000);
    world_free_all(world);
}

/* ----------------------------------------------------------------------------------------------------- comparison */

#define OPERATION_COUNT 20000
#define SCAN_COUNT 8
#define NUMBER_COUNT 400

/* One side of the comparison, with the scans that are under way on it. */
struct side {
    struct store_world *world;
    struct store_position positions[SCAN_COUNT];
    uint64_t digest;
};

struct step {
    uint32_t kind;
    uint32_t number;
    uint32_t chance;
    uint32_t more;
};

static void side_note(struct side *side, const void *data, size_t size)
{
    side->digest = digest_of(side->digest, data, size);
}

static void side_write(struct side *side, const struct step *step)
{
    struct store_world *world = side->world;
    struct store_row row = row_of(step->number);
    char name[2] = {(char)('a' + step->chance % 5), '\0'};
    uint64_t seq = 0;

    row.version = step->chance;
    row.modified = step->chance % 3 == 0 ? ticks[step->more % TICK_COUNT] : step->more % 100;
    row.expires = step->chance % 5 == 0 ? ticks[step->chance % TICK_COUNT] : step->more % 64;
    if (step->kind < 45) {
        seq = world_put_row(world, &row);
        side_note(side, &seq, sizeof(seq));
    } else if (step->kind < 58) {
        assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    } else {
        assert_int_equal(world->calls->setting_put(world->store, name, row.wire), PEER_OK);
    }
}

static void side_end(struct side *side, const struct step *step)
{
    struct store_world *world = side->world;

    if (step->chance % 8 == 0)
        world->calls->rollback(world->store);
    else
        world_commit(world);
    if (step->more % 64 == 0)
        world_crash(world);
}

static void side_scan(struct side *side, const struct step *step, struct seen *seen)
{
    uint32_t which = step->number % SCAN_COUNT;
    struct store_row row = row_of(which);
    struct store_scan scan = {.type = which % 2 != 0 ? &row.type : NULL,
                              .by_modified = which % 4 > 1,
                              .since = 20,
                              .seq_max = step->chance % 4 == 0 ? step->more % 5000 : UINT64_MAX};
    int end = -1;

    if (which > 3)
        scan.creator_id = row.creator_id;
    seen->stop_at = step->chance % 16;
    assert_int_equal(side->world->calls->scan(side->world->store, &scan, &side->positions[which], (int)(step->more % 2),
                                              step->chance % 40, see, seen, &end),
                     PEER_OK);
    side_note(side, &end, sizeof(end));
    side_note(side, &side->positions[which].seq, sizeof(uint64_t));
    if (end)
        side->positions[which] = (struct store_position){0};
}

static void side_read(struct side *side, const struct step *step)
{
    struct store_world *world = side->world;
    struct seen seen = {0};
    struct buffer value = {0};
    char name[2] = {(char)('a' + step->chance % 6), '\0'};
    struct span creator = row_of(step->number).creator_id;
    uint64_t numbers[6] = {0};

    numbers[0] = (uint64_t)world_get(world, step->number, &seen);
    side_scan(side, step, &seen);
    const struct store_expiry place = {step->number % 64, step->more % 3 == 0 ? UINT64_MAX : step->more % 50};
    assert_int_equal(world->calls->expired(world->store, &place, step->more % 128, step->chance % 20, see, &seen),
                     PEER_OK);
    numbers[1] = next_expiry(world, step->chance % 3 == 0 ? ticks[step->more % TICK_COUNT] : step->more % 70);
    numbers[2] = world_last_seq(world);
    numbers[3] = step->number % 10 == 0 ? world_count(world) : 0;
    numbers[4] = world_bytes(world, creator);
    numbers[5] = world_bytes(world, (struct span){0});
    peer_status status = world->calls->setting_get(world->store, name, &value);
    side_note(side, &status, sizeof(status));
    side_note(side, value.data, value.size);
    side_note(side, numbers, sizeof(numbers));
    side_note(side, &seen.digest, sizeof(seen.digest));
    side_note(side, &seen.count, sizeof(seen.count));
    peer__buffer_free(&value);
}

static void side_do(struct side *side, const struct step *step)
{
    if (step->kind < 60)
        side_write(side, step);
    else if (step->kind < 65)
        side_end(side, step);
    else
        side_read(side, step);
}

static void both_kinds_answer_alike(void **state)
{
    struct side sides[2] = {{.world = world_new(KIND_MEMORY)}, {.world = world_new(KIND_SQLITE)}};
    uint64_t chance = 20240229;

    (void)state;
    for (int i = 0; i < OPERATION_COUNT; i++) {
        struct step step = {.kind = next_random(&chance) % 100, .number = next_random(&chance) % NUMBER_COUNT};
        step.chance = next_random(&chance);
        step.more = next_random(&chance);
        side_do(&sides[0], &step);
        side_do(&sides[1], &step);
        if (sides[0].digest != sides[1].digest)
            fail_msg("operation %d, kind %u: the stores differ", i, step.kind);
    }
    assert_true(world_count(sides[0].world) > 100);
    world_free(sides[1].world);
    world_free_all(sides[0].world);
}

/* ----------------------------------------------------------------------------------------------------------- suite */

static enum store_kind kinds[] = {KIND_MEMORY, KIND_SQLITE};

static int setup(void **state)
{
    *state = world_new(*(enum store_kind *)*state);
    return 0;
}

static int teardown(void **state)
{
    world_free_all(*state);
    return 0;
}

#define ON_BOTH(test)                                                                                                  \
    {#test " (memory)", test, setup, teardown, &kinds[0]},                                                             \
    {                                                                                                                  \
        #test " (SQLite)", test, setup, teardown, &kinds[1]                                                            \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(a_record_comes_back_as_it_was_put),
        ON_BOTH(extreme_values_come_back),
        ON_BOTH(without_wire_there_is_none),
        ON_BOTH(a_replaced_record_moves_to_the_end),
        ON_BOTH(removing_twice_is_no_error),
        ON_BOTH(sequence_numbers_never_repeat),
        ON_BOTH(a_scan_by_arrival_survives_changes),
        ON_BOTH(a_scan_ends_where_it_is_told),
        ON_BOTH(filters_select_type_and_creator),
        ON_BOTH(a_filter_looks_at_so_many_rows_at_once),
        ON_BOTH(ticks_order_by_all_their_bits),
        ON_BOTH(equal_times_order_by_id),
        ON_BOTH(a_scan_by_time_survives_changes),
        ON_BOTH(records_expire_in_their_order),
        ON_BOTH(what_expires_together_comes_in_pieces),
        ON_BOTH(settings_are_part_of_the_transaction),
        ON_BOTH(a_setting_is_appended),
        ON_BOTH(rollback_takes_back_everything),
        ON_BOTH(what_is_not_committed_is_gone_after_a_crash),
        ON_BOTH(a_database_opens_once),
        ON_BOTH(names_are_three_parts),
        ON_BOTH(create_wants_a_new_one),
        ON_BOTH(removed_is_removed),
        cmocka_unit_test(a_full_disk_fails_the_commit),
        cmocka_unit_test(the_memory_store_survives_no_memory),
        cmocka_unit_test(a_hundred_thousand_rows_in_order),
        cmocka_unit_test(both_kinds_answer_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
