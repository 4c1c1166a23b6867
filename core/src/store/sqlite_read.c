#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

/* Places in the column list of sqlite_statements.c. */
enum {
    COLUMN_SEQ,
    COLUMN_ID,
    COLUMN_TYPE,
    COLUMN_VERSION,
    COLUMN_FLAGS,
    COLUMN_LOCAL_FLAGS,
    COLUMN_MODIFIED,
    COLUMN_EXPIRES,
    COLUMN_CREATOR,
    COLUMN_ELEMENT,
    COLUMN_WIRE
};

/* The spans of the row live until the statement moves on. */
static peer_status read_row(struct sqlite_store *store, sqlite3_stmt *statement, struct store_row *row)
{
    *row = (struct store_row){
        .seq = (uint64_t)sqlite3_column_int64(statement, COLUMN_SEQ),
        .version = (uint32_t)sqlite3_column_int64(statement, COLUMN_VERSION),
        .flags = (uint32_t)sqlite3_column_int64(statement, COLUMN_FLAGS),
        .local_flags = (uint32_t)sqlite3_column_int64(statement, COLUMN_LOCAL_FLAGS),
        .modified = peer__sqlite_column_ticks(statement, COLUMN_MODIFIED),
        .expires = peer__sqlite_column_ticks(statement, COLUMN_EXPIRES),
        .creator_id = peer__sqlite_column_span(statement, COLUMN_CREATOR),
    };
    if (peer__sqlite_column_guid(statement, COLUMN_ID, &row->id) != 0 ||
        peer__sqlite_column_guid(statement, COLUMN_TYPE, &row->type) != 0)
        return peer__sqlite_damaged(store->path, "a row of it is malformed");
    struct span element = peer__sqlite_column_span(statement, COLUMN_ELEMENT);
    if (element.size == sizeof(row->element)) /* else it is not known, as of rows from before there were elements */
        memcpy(row->element, element.data, element.size);
    if (sqlite3_column_count(statement) > COLUMN_WIRE)
        row->wire = peer__sqlite_column_span(statement, COLUMN_WIRE);
    return PEER_OK;
}

static int visit_row(struct sqlite_store *store, store_visit visit, void *context, const struct store_row *row)
{
    int stop;

    store->visiting = 1;
    stop = visit(context, row);
    store->visiting = 0;
    return stop;
}

peer_status peer__sqlite_get(struct store *base, const peer_guid *id, int want_wire, store_visit visit, void *context)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, want_wire ? STATEMENT_GET_WIRE : STATEMENT_GET, &status);

    assert(!store->visiting);
    if (statement == NULL)
        return status;
    peer__sqlite_bind_guid(statement, 1, id);
    int result = sqlite3_step(statement);
    if (result == SQLITE_DONE)
        status = PEER_E_RECORD_NOT_FOUND;
    if (result == SQLITE_ROW) {
        struct store_row row;
        status = read_row(store, statement, &row);
        if (status == PEER_OK)
            visit_row(store, visit, context, &row);
    }
    peer_status finished = peer__sqlite_finish(store, statement, result);
    return finished < 0 ? finished : status;
}

static sqlite3_stmt *scan_statement(struct sqlite_store *store, const struct store_scan *scan, int want_wire,
                                    peer_status *status_out)
{
    enum statement plain = STATEMENT_SCAN_SEQ;

    if (scan->by_modified)
        plain = STATEMENT_SCAN_MODIFIED;
    else if (scan->type != NULL)
        plain = STATEMENT_SCAN_TYPE;
    return peer__sqlite_statement(store, want_wire ? plain + 1 : plain, status_out);
}

static int64_t seq_bound(uint64_t seq)
{
    return seq > INT64_MAX ? INT64_MAX : (int64_t)seq;
}

static void bind_scan(sqlite3_stmt *statement, const struct store_scan *scan, const struct store_position *position)
{
    if (scan->by_modified) {
        peer__sqlite_bind_ticks(statement, 1, position->started ? position->modified : scan->since);
        /* An empty blob sorts before every id: the first call takes all that was modified at `since`. */
        if (position->started)
            peer__sqlite_bind_guid(statement, 2, &position->id);
        else
            sqlite3_bind_zeroblob(statement, 2, 0);
        return;
    }
    sqlite3_bind_int64(statement, 1, seq_bound(position->seq));
    sqlite3_bind_int64(statement, 2, seq_bound(scan->seq_max));
    if (scan->type != NULL)
        peer__sqlite_bind_guid(statement, 3, scan->type);
}

static int is_wanted(const struct store_scan *scan, const struct store_row *row)
{
    return row->seq <= scan->seq_max && (scan->type == NULL || peer__guid_equal(scan->type, &row->type)) &&
           (scan->creator_id.size == 0 || peer__span_equal(scan->creator_id, row->creator_id));
}

static void move_position(struct store_position *position, const struct store_row *row)
{
    position->seq = row->seq;
    position->modified = row->modified;
    position->id = row->id;
    position->started = 1;
}

/* The statement ends with the call: a scan that stayed open would hold the journal while a slow neighbour reads. */
peer_status peer__sqlite_scan(struct store *base, const struct store_scan *scan, struct store_position *position,
                              int want_wire, size_t row_max, store_visit visit, void *context, int *end_out)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    struct store_position at = *position;
    peer_status status;
    sqlite3_stmt *statement = scan_statement(store, scan, want_wire, &status);
    int result = SQLITE_ROW;
    int stop = 0;

    assert(!store->visiting);
    if (statement == NULL)
        return status;
    bind_scan(statement, scan, position);
    for (size_t examined = 0; row_max != 0 && examined < STORE_SCAN_EXAMINED_MAX && !stop; examined++) {
        struct store_row row;

        result = sqlite3_step(statement);
        if (result != SQLITE_ROW)
            break;
        status = read_row(store, statement, &row);
        if (status < 0)
            break;
        move_position(&at, &row);
        if (is_wanted(scan, &row)) {
            stop = visit_row(store, visit, context, &row);
            row_max--;
        }
    }
    peer_status finished = peer__sqlite_finish(store, statement, result);
    PEER_TRY(finished);
    PEER_TRY(status);
    *position = at;
    *end_out = result == SQLITE_DONE;
    return PEER_OK;
}

struct expiry_walk {
    size_t row_max; /* that are left */
    int stop;
    store_visit visit;
    void *context;
};

static peer_status walk_expired(struct sqlite_store *store, sqlite3_stmt *statement, struct expiry_walk *walk)
{
    peer_status status = PEER_OK;
    int result = SQLITE_DONE;

    while (walk->row_max != 0 && !walk->stop && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct store_row row;

        status = read_row(store, statement, &row);
        if (status < 0)
            break;
        walk->row_max--;
        walk->stop = visit_row(store, walk->visit, walk->context, &row);
    }
    peer_status finished = peer__sqlite_finish(store, statement, result);
    return finished < 0 ? finished : status;
}

/* In one statement SQLite would look through all that expire together, each time. */
peer_status peer__sqlite_expired(struct store *base, const struct store_expiry *after, uint64_t until, size_t row_max,
                                 store_visit visit, void *context)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    struct expiry_walk walk = {.row_max = row_max, .visit = visit, .context = context};
    peer_status status;
    sqlite3_stmt *statement;

    assert(!store->visiting);
    if (after->seq != UINT64_MAX && after->expires <= until) {
        statement = peer__sqlite_statement(store, STATEMENT_EXPIRED_TOGETHER, &status);
        if (statement == NULL)
            return status;
        peer__sqlite_bind_ticks(statement, 1, after->expires);
        sqlite3_bind_int64(statement, 2, seq_bound(after->seq));
        PEER_TRY(walk_expired(store, statement, &walk));
    }
    statement = peer__sqlite_statement(store, STATEMENT_EXPIRED, &status);
    if (statement == NULL)
        return status;
    peer__sqlite_bind_ticks(statement, 1, after->expires);
    peer__sqlite_bind_ticks(statement, 2, until);
    return walk_expired(store, statement, &walk);
}

peer_status peer__sqlite_next_expiry(struct store *base, uint64_t after, uint64_t *expires_out)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    uint64_t expires = UINT64_MAX;
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_NEXT_EXPIRY, &status);

    if (statement == NULL)
        return status;
    peer__sqlite_bind_ticks(statement, 1, after);
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
        expires = peer__sqlite_column_ticks(statement, 0);
    PEER_TRY(peer__sqlite_finish(store, statement, result));
    *expires_out = expires;
    return PEER_OK;
}

peer_status peer__sqlite_last_seq(struct store *base, uint64_t *seq_out)
{
    *seq_out = CONTAINER_OF(base, struct sqlite_store, store)->last_seq;
    return PEER_OK;
}

peer_status peer__sqlite_count(struct store *base, uint64_t *count_out)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);

    /* SQLite counts by walking an index, so it does that once; from then on we count along. */
    if (store->row_count == COUNT_UNKNOWN) {
        int64_t count = COUNT_UNKNOWN;
        peer_status status;
        sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_COUNT_ROWS, &status);

        if (statement == NULL)
            return status;
        int result = sqlite3_step(statement);
        if (result == SQLITE_ROW)
            count = sqlite3_column_int64(statement, 0);
        PEER_TRY(peer__sqlite_finish(store, statement, result));
        store->row_count = count;
        if (!store->writing)
            store->committed_row_count = count;
    }
    *count_out = (uint64_t)store->row_count;
    return PEER_OK;
}

peer_status peer__sqlite_setting_get(struct store *base, const char *name, struct buffer *value)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    peer_status status;
    sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_SETTING_GET, &status);

    if (statement == NULL)
        return status;
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    int result = sqlite3_step(statement);
    if (result == SQLITE_DONE)
        status = PEER_E_NOT_FOUND;
    if (result == SQLITE_ROW) {
        struct span held = peer__sqlite_column_span(statement, 0);
        peer__buffer_append(value, held.data, held.size);
        if (value->failed)
            status = peer__out_of_memory();
    }
    peer_status finished = peer__sqlite_finish(store, statement, result);
    return finished < 0 ? finished : status;
}
