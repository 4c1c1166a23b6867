/*
 * What the records hold, in all and of each creator (decisions.md 6). The totals of creators stand in a table, which a
 * transaction changes once for each creator that it has met, so that bulk costs next to nothing.
 */
#include "base/error.h"
#include "store/sqlite_internal.h"

peer_status peer__sqlite_usage_load(struct sqlite_store *store)
{
    PEER_TRY(
        peer__sqlite_read_number(store->db, store->path, "SELECT coalesce(sum(bytes), 0) FROM usage", &store->bytes));
    store->committed_bytes = store->bytes;
    return PEER_OK;
}

static struct span creator_of(const struct usage_change *change)
{
    return (struct span){change->creator_id.data, change->creator_id.size};
}

static peer_status write_one(struct sqlite_store *store, enum statement which, const struct usage_change *change)
{
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, which, &status);

    if (statement == NULL)
        return status;
    peer__sqlite_bind_span(statement, 1, creator_of(change));
    if (which == STATEMENT_USAGE_ADD)
        sqlite3_bind_int64(statement, 2, change->bytes);
    return peer__sqlite_finish(store, statement, sqlite3_step(statement));
}

peer_status peer__sqlite_usage_write(struct sqlite_store *store)
{
    for (; store->usage_count > 0; store->usage_count--) {
        const struct usage_change *change = &store->usage[store->usage_count - 1];
        if (change->bytes == 0)
            continue;
        PEER_TRY(write_one(store, STATEMENT_USAGE_ADD, change));
        if (change->bytes < 0)
            PEER_TRY(write_one(store, STATEMENT_USAGE_END, change));
    }
    return PEER_OK;
}

static struct usage_change *find(struct sqlite_store *store, struct span creator_id)
{
    for (size_t i = 0; i < store->usage_count; i++) {
        if (peer__span_equal(creator_of(&store->usage[i]), creator_id))
            return &store->usage[i];
    }
    return NULL;
}

static peer_status add_change(struct sqlite_store *store, struct span creator_id, struct usage_change **change_out)
{
    if (store->usage_count == USAGE_CHANGES_MAX)
        PEER_TRY(peer__sqlite_usage_write(store));
    struct usage_change *change = &store->usage[store->usage_count];
    peer__buffer_clear(&change->creator_id);
    peer__buffer_append(&change->creator_id, creator_id.data, creator_id.size);
    if (change->creator_id.failed) {
        peer__buffer_free(&change->creator_id);
        return peer__out_of_memory();
    }
    change->bytes = 0;
    store->usage_count++;
    *change_out = change;
    return PEER_OK;
}

peer_status peer__sqlite_usage_add(struct sqlite_store *store, struct span creator_id, int64_t bytes)
{
    struct usage_change *change = find(store, creator_id);

    if (change == NULL)
        PEER_TRY(add_change(store, creator_id, &change));
    change->bytes += bytes;
    store->bytes += bytes;
    return PEER_OK;
}

void peer__sqlite_usage_committed(struct sqlite_store *store)
{
    store->committed_bytes = store->bytes;
}

void peer__sqlite_usage_rolled_back(struct sqlite_store *store)
{
    store->usage_count = 0;
    store->bytes = store->committed_bytes;
}

void peer__sqlite_usage_free(struct sqlite_store *store)
{
    for (size_t i = 0; i < USAGE_CHANGES_MAX; i++)
        peer__buffer_free(&store->usage[i].creator_id);
}

peer_status peer__sqlite_bytes(struct store *base, struct span creator_id, uint64_t *bytes_out)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    const struct usage_change *change = find(store, creator_id);
    int64_t bytes = change != NULL ? change->bytes : 0;
    peer_status status;

    if (creator_id.size == 0) {
        *bytes_out = (uint64_t)store->bytes;
        return PEER_OK;
    }
    sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_USAGE_GET, &status);
    if (statement == NULL)
        return status;
    peer__sqlite_bind_span(statement, 1, creator_id);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        bytes += sqlite3_column_int64(statement, 0);
    PEER_TRY(peer__sqlite_finish(store, statement, result));
    *bytes_out = bytes > 0 ? (uint64_t)bytes : 0;
    return PEER_OK;
}
