#include <assert.h>
#include <limits.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

/* A transaction of so many records is bulk. */
#define BULK_ROWS 64

static peer_status step_write(struct sqlite_store *store, sqlite3_stmt *statement)
{
    return peer__sqlite_finish(store, statement, sqlite3_step(statement));
}

static peer_status run(struct sqlite_store *store, enum statement which)
{
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, which, &status);

    return statement != NULL ? step_write(store, statement) : status;
}

/* An error of SQLite may have rolled the transaction back by itself; writing on would then commit its second half. */
static peer_status note_failure(struct sqlite_store *store, peer_status status)
{
    if (status < 0 && store->failed == PEER_OK)
        store->failed = status;
    return status;
}

static peer_status begin(struct sqlite_store *store)
{
    assert(!store->visiting);
    if (store->failed < 0)
        return peer__fail(store->failed, "an earlier write to \"%s\" failed and is still to be rolled back",
                          store->path);
    if (store->writing)
        return PEER_OK;
    PEER_TRY(run(store, STATEMENT_BEGIN));
    store->writing = 1;
    return PEER_OK;
}

static peer_status insert(struct sqlite_store *store, const struct store_row *row, uint64_t seq)
{
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_INSERT, &status);

    if (statement == NULL)
        return status;
    sqlite3_bind_int64(statement, 1, (int64_t)seq);
    peer__sqlite_bind_guid(statement, 2, &row->id);
    peer__sqlite_bind_guid(statement, 3, &row->type);
    sqlite3_bind_int64(statement, 4, row->version);
    sqlite3_bind_int64(statement, 5, row->flags);
    sqlite3_bind_int64(statement, 6, row->local_flags);
    peer__sqlite_bind_ticks(statement, 7, row->modified);
    peer__sqlite_bind_ticks(statement, 8, row->expires);
    peer__sqlite_bind_span(statement, 9, row->creator_id);
    peer__sqlite_bind_span(statement, 10, (struct span){row->element, sizeof(row->element)});
    peer__sqlite_bind_ticks(statement, 11, row->created);
    if (row->modifier_id.size != 0)
        peer__sqlite_bind_span(statement, 12, row->modifier_id);
    else
        sqlite3_bind_null(statement, 12);
    peer__sqlite_bind_span(statement, 13, row->wire);
    return step_write(store, statement);
}

static int64_t bytes_of(size_t wire_size)
{
    return (int64_t)wire_size + STORE_ROW_OVERHEAD;
}

/* Takes a row out of its creator's account. *seq_out 0: there is no such row. */
static peer_status close_account(struct sqlite_store *store, const peer_guid *id, int64_t *seq_out)
{
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_HELD, &status);

    *seq_out = 0;
    if (statement == NULL)
        return status;
    peer__sqlite_bind_guid(statement, 1, id);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        struct span creator = {sqlite3_column_blob(statement, 1), (size_t)sqlite3_column_bytes(statement, 1)};
        *seq_out = sqlite3_column_int64(statement, 0);
        status = peer__sqlite_usage_add(store, creator, -bytes_of((size_t)sqlite3_column_int64(statement, 2)));
    }
    PEER_TRY(peer__sqlite_finish(store, statement, result));
    return status;
}

static peer_status write_number(struct sqlite_store *store, enum statement which, int64_t number)
{
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, which, &status);

    if (statement == NULL)
        return status;
    sqlite3_bind_int64(statement, 1, number);
    return step_write(store, statement);
}

static peer_status delete_seq(struct sqlite_store *store, int64_t seq)
{
    PEER_TRY(write_number(store, STATEMENT_DELETE_SEQ, seq));
    return write_number(store, STATEMENT_ATTRIBUTES_DELETE, seq);
}

static peer_status put(struct sqlite_store *store, const struct store_row *row)
{
    uint64_t seq = row->seq != 0 ? row->seq : store->last_seq + 1;
    int64_t replaced;

    PEER_TRY(close_account(store, &row->id, &replaced));
    if (replaced != 0) /* it need not leave its number behind: ours is not lower */
        PEER_TRY(delete_seq(store, replaced));
    PEER_TRY(insert(store, row, seq));
    PEER_TRY(peer__sqlite_attributes_put(store, seq, row->attributes));
    PEER_TRY(peer__sqlite_usage_add(store, row->creator_id, bytes_of(row->wire.size)));
    if (row->seq == 0)
        store->last_seq++;
    if (store->row_count != COUNT_UNKNOWN)
        store->row_count += replaced == 0;
    return PEER_OK;
}

static peer_status remove_seq(struct sqlite_store *store, int64_t seq)
{
    PEER_TRY(delete_seq(store, seq));
    if (store->row_count != COUNT_UNKNOWN)
        store->row_count--;
    /* The highest number goes, and with it all that a restart could tell it from. */
    return (uint64_t)seq == store->last_seq ? write_number(store, STATEMENT_KEEP_LAST_SEQ, seq) : PEER_OK;
}

peer_status peer__sqlite_put(struct store *base, const struct store_row *row, uint64_t *seq_out)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);

    PEER_TRY(note_failure(store, begin(store)));
    PEER_TRY(note_failure(store, put(store, row)));
    if (++store->put_count == BULK_ROWS)
        peer__sqlite_set_bulk(store, 1);
    *seq_out = row->seq != 0 ? row->seq : store->last_seq;
    return PEER_OK;
}

peer_status peer__sqlite_remove(struct store *base, const peer_guid *id)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    int64_t seq = 0;

    PEER_TRY(note_failure(store, begin(store)));
    PEER_TRY(note_failure(store, close_account(store, id, &seq)));
    return seq != 0 ? note_failure(store, remove_seq(store, seq)) : PEER_OK;
}

peer_status peer__sqlite_setting_put(struct store *base, const char *name, struct span value)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    peer_status status;

    PEER_TRY(note_failure(store, begin(store)));
    sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_SETTING_PUT, &status);
    if (statement == NULL)
        return note_failure(store, status);
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    peer__sqlite_bind_span(statement, 2, value);
    return note_failure(store, step_write(store, statement));
}

/* What is written to a file that was removed is lost, and nobody would notice before the next start. */
static peer_status check_place(struct sqlite_store *store)
{
    int moved = 0;

    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
        return peer__sqlite_damaged(store->path, "it was removed or replaced while it was open");
    return PEER_OK;
}

peer_status peer__sqlite_commit(struct store *base)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);

    if (!store->writing && store->failed == PEER_OK)
        return PEER_OK;
    PEER_TRY(begin(store)); /* only to tell of an earlier failure */
    PEER_TRY(note_failure(store, check_place(store)));
    PEER_TRY(note_failure(store, peer__sqlite_usage_write(store)));
    PEER_TRY(note_failure(store, run(store, STATEMENT_COMMIT)));
    store->writing = 0;
    peer__sqlite_usage_committed(store);
    store->committed_last_seq = store->last_seq;
    store->committed_row_count = store->row_count;
    if (store->put_count < BULK_ROWS)
        peer__sqlite_quiet(store);
    store->put_count = 0;
    peer__sqlite_bound_journal(store);
    return PEER_OK;
}

void peer__sqlite_commit_begin(struct store *base)
{
    pthread_mutex_lock(&CONTAINER_OF(base, struct sqlite_store, store)->apart);
}

peer_status peer__sqlite_commit_apart(struct store *base)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    peer_status status = peer__sqlite_commit(base);

    pthread_mutex_unlock(&store->apart);
    return status;
}

void peer__sqlite_rollback(struct store *base)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);

    assert(!store->visiting);
    pthread_mutex_lock(&store->apart); /* a commit that is under way is waited for, and comes first */
    pthread_mutex_unlock(&store->apart);
    /* Unless an error did so already. Where the prepared statement finds no memory, a second try may. */
    if (!sqlite3_get_autocommit(store->db) && run(store, STATEMENT_ROLLBACK) < 0 && !sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    store->writing = 0;
    store->failed = PEER_OK;
    store->put_count = 0;
    store->last_seq = store->committed_last_seq;
    store->row_count = store->committed_row_count;
    peer__sqlite_usage_rolled_back(store);
}
