/** What the tests of the stores share: a factory of either kind in a directory of its own, rows by number, rows seen. */
#ifndef TESTS_UNIT_STORE_WORLD_H
#define TESTS_UNIT_STORE_WORLD_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/store.h"
#include "store/memory.h"
#include "store/sqlite.h"
#include "unit/check.h"

enum store_kind { KIND_MEMORY, KIND_SQLITE };

struct store_world {
    enum store_kind kind;
    struct store_factory factory;
    struct store *store; /* NULL while closed */
    const struct store_operations *calls;
    int64_t live; /* blocks before it was made */
    char directory[64];
};

static inline peer_status world_try_open(struct store_world *world, uint32_t flags, int *is_new_out)
{
    peer_status status =
        world->factory.open(world->factory.self, "film club", "bob", "graph.db", flags, is_new_out, &world->store);
    if (status == PEER_OK)
        world->calls = world->store->operations;
    return status;
}

static inline int world_open(struct store_world *world)
{
    int is_new = -1;

    assert_null(world->store);
    assert_int_equal(world_try_open(world, 0, &is_new), PEER_OK);
    return is_new;
}

static inline void world_close(struct store_world *world)
{
    world->calls->close(world->store);
    world->store = NULL;
}

static inline void world_commit(struct store_world *world)
{
    assert_int_equal(world->calls->commit(world->store), PEER_OK);
}

/** What a restart of the process does to a store. */
static inline void world_crash(struct store_world *world)
{
    world_close(world);
    assert_int_equal(world_open(world), 0);
}

static inline int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void remove_tree(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void make_directory(char directory[64])
{
    strcpy(directory, "/tmp/peergraph-store-XXXXXX");
    assert_non_null(mkdtemp(directory));
}

static inline struct store_world *world_new(enum store_kind kind)
{
    struct store_world *world = calloc(1, sizeof(*world));

    world->live = peer__memory_live();
    world->kind = kind;
    make_directory(world->directory);
    if (kind == KIND_MEMORY)
        assert_int_equal(peer__store_memory_factory(&world->factory), PEER_OK);
    else
        assert_int_equal(peer__store_sqlite_factory(world->directory, &world->factory), PEER_OK);
    assert_int_equal(world_open(world), 1);
    return world;
}

static inline void world_free(struct store_world *world)
{
    if (world->store != NULL)
        world_close(world);
    if (world->kind == KIND_MEMORY)
        peer__store_memory_factory_free(&world->factory);
    else
        peer__store_sqlite_factory_free(&world->factory);
    remove_tree(world->directory);
    free(world);
}

/** For tests with one world: all memory was given back. */
static inline void world_free_all(struct store_world *world)
{
    int64_t live = world->live;

    world_free(world);
    assert_int_equal(peer__memory_live(), live);
}

/** A row by number: ids in no order, three types, two creators, modified rising. Spans live until the next call. */
static inline struct store_row row_of(uint32_t number)
{
    static uint8_t wire[512];
    struct store_row row = {.version = 1, .modified = 1000 + number, .expires = 1000000 + number};
    uint64_t state = number * UINT64_C(0x9e3779b97f4a7c15) + 1;

    for (size_t i = 0; i < sizeof(row.id.bytes); i++)
        row.id.bytes[i] = (uint8_t)next_random(&state);
    for (size_t i = 0; i < sizeof(wire); i++)
        wire[i] = (uint8_t)next_random(&state);
    row.type.bytes[0] = (uint8_t)(number % 3);
    row.flags = number % 2;
    row.local_flags = number % 5;
    for (size_t i = 0; i < sizeof(row.element); i++)
        row.element[i] = (uint8_t)next_random(&state);
    row.creator_id =
        (struct span){(const uint8_t *)(number % 7 == 0 ? "\0a\0l\0" : "\0b\0o\0b\0"), number % 7 == 0 ? 4 : 6};
    row.wire = (struct span){wire, number % sizeof(wire)};
    return row;
}

static inline uint64_t world_put_row(struct store_world *world, const struct store_row *row)
{
    uint64_t seq = 0;

    assert_int_equal(world->calls->put(world->store, row, &seq), PEER_OK);
    return seq;
}

static inline uint64_t world_put(struct store_world *world, uint32_t number)
{
    struct store_row row = row_of(number);
    return world_put_row(world, &row);
}

static inline void world_fill(struct store_world *world, uint32_t count)
{
    for (uint32_t number = 0; number < count; number++)
        world_put(world, number);
    world_commit(world);
}

/** What was visited: some fields to look at, and a digest of everything. */
struct seen {
    size_t count;
    size_t stop_at; /* end the call with that row; 0: never */
    uint64_t digest;
    struct store_row rows[300]; /* the first of them, without spans */
    size_t wire_sizes[300];
};

static inline uint64_t digest_of(uint64_t digest, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
    return (digest ^ size) * UINT64_C(0x100000001b3);
}

static inline int see(void *context, const struct store_row *row)
{
    struct seen *seen = context;
    const uint64_t numbers[] = {row->seq, row->version, row->flags, row->local_flags, row->modified, row->expires};

    seen->digest = digest_of(seen->digest, numbers, sizeof(numbers));
    seen->digest = digest_of(seen->digest, row->id.bytes, sizeof(row->id.bytes));
    seen->digest = digest_of(seen->digest, row->type.bytes, sizeof(row->type.bytes));
    seen->digest = digest_of(seen->digest, row->element, sizeof(row->element));
    seen->digest = digest_of(seen->digest, row->creator_id.data, row->creator_id.size);
    seen->digest = digest_of(seen->digest, row->wire.data, row->wire.size);
    if (seen->count < 300) {
        seen->rows[seen->count] = *row;
        seen->rows[seen->count].creator_id = seen->rows[seen->count].wire = (struct span){0};
        seen->wire_sizes[seen->count] = row->wire.size;
    }
    seen->count++;
    return seen->count == seen->stop_at;
}

/** The status of get, and what it saw. */
static inline peer_status world_get(struct store_world *world, uint32_t number, struct seen *seen_out)
{
    struct store_row row = row_of(number);

    *seen_out = (struct seen){0};
    return world->calls->get(world->store, &row.id, 1, see, seen_out);
}

static inline int world_has(struct store_world *world, uint32_t number)
{
    struct seen seen;
    peer_status status = world_get(world, number, &seen);

    assert_true(status == PEER_OK || status == PEER_E_RECORD_NOT_FOUND);
    assert_int_equal(seen.count, status == PEER_OK);
    return status == PEER_OK;
}

/** One call of scan: whether it came to the end. */
static inline int world_scan_step(struct store_world *world, const struct store_scan *scan,
                                  struct store_position *position, size_t row_max, struct seen *seen)
{
    int end = -1;

    assert_int_equal(world->calls->scan(world->store, scan, position, 1, row_max, see, seen, &end), PEER_OK);
    return end;
}

/** A whole scan, `row_max` at a time. */
static inline void world_scan(struct store_world *world, const struct store_scan *scan, size_t row_max,
                              struct seen *seen_out)
{
    struct store_position position = {0};

    *seen_out = (struct seen){0};
    while (!world_scan_step(world, scan, &position, row_max, seen_out))
        continue;
}

static inline uint64_t world_count(struct store_world *world)
{
    uint64_t count = 0;
    assert_int_equal(world->calls->count(world->store, &count), PEER_OK);
    return count;
}

static inline uint64_t world_bytes(struct store_world *world, struct span creator_id)
{
    uint64_t bytes = 0;
    assert_int_equal(world->calls->bytes(world->store, creator_id, &bytes), PEER_OK);
    return bytes;
}

static inline uint64_t world_last_seq(struct store_world *world)
{
    uint64_t seq = 0;
    assert_int_equal(world->calls->last_seq(world->store, &seq), PEER_OK);
    return seq;
}

static inline void world_setting_put(struct store_world *world, const char *name, const char *value)
{
    assert_int_equal(world->calls->setting_put(world->store, name, text_span(value)), PEER_OK);
}

/** 1 if the setting is there with that value; NULL: if it is not there. */
static inline int world_setting_is(struct store_world *world, const char *name, const char *value)
{
    struct buffer held = {0};
    peer_status status = world->calls->setting_get(world->store, name, &held);
    int is_equal = value == NULL
                       ? status == PEER_E_NOT_FOUND
                       : status == PEER_OK && peer__span_equal((struct span){held.data, held.size}, text_span(value));

    peer__buffer_free(&held);
    return is_equal;
}

#endif
