#include <string.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

#define COLUMNS "seq, id, type, version, flags, local_flags, modified, expires, creator, element"

/* The index is named where the planner could think of sorting. */
#define GET(columns) "SELECT " columns " FROM records WHERE id = ?"
#define SCAN_SEQ(columns) "SELECT " columns " FROM records WHERE seq > ? AND seq <= ? ORDER BY seq"
#define SCAN_TYPE(columns)                                                                                             \
    "SELECT " columns " FROM records INDEXED BY records_type WHERE type = ?3 AND seq > ?1 AND seq <= ?2 ORDER BY seq"
#define SCAN_MODIFIED(columns)                                                                                         \
    "SELECT " columns " FROM records INDEXED BY records_modified WHERE (modified, id) > (?, ?) ORDER BY modified, id"

static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_INSERT] = "INSERT INTO records (" COLUMNS ", created, modifier, wire)"
                         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_HELD] = "SELECT seq, creator, length(wire) FROM records WHERE id = ?",
    [STATEMENT_DELETE_SEQ] = "DELETE FROM records WHERE seq = ?",
    [STATEMENT_ATTRIBUTE_PUT] = "INSERT INTO attributes (seq, place, name, value, rest) VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_ATTRIBUTES_DELETE] = "DELETE FROM attributes WHERE seq = ?",
    [STATEMENT_KEEP_LAST_SEQ] = "INSERT OR REPLACE INTO meta (name, value) VALUES ('last_seq', ?)",
    [STATEMENT_SETTING_PUT] = "INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)",
    [STATEMENT_SETTING_GET] = "SELECT value FROM settings WHERE name = ?",
    [STATEMENT_COUNT_ROWS] = "SELECT count(*) FROM records",
    [STATEMENT_USAGE_ADD] = "INSERT INTO usage (creator, bytes) VALUES (?, ?)"
                            " ON CONFLICT (creator) DO UPDATE SET bytes = bytes + excluded.bytes",
    [STATEMENT_USAGE_END] = "DELETE FROM usage WHERE creator = ? AND bytes <= 0",
    [STATEMENT_USAGE_GET] = "SELECT bytes FROM usage WHERE creator = ?",
    [STATEMENT_NEXT_EXPIRY] = "SELECT min(expires) FROM records WHERE expires > ?",
    [STATEMENT_GET] = GET(COLUMNS),
    [STATEMENT_GET_WIRE] = GET(COLUMNS ", wire"),
    [STATEMENT_SCAN_SEQ] = SCAN_SEQ(COLUMNS),
    [STATEMENT_SCAN_SEQ_WIRE] = SCAN_SEQ(COLUMNS ", wire"),
    [STATEMENT_SCAN_TYPE] = SCAN_TYPE(COLUMNS),
    [STATEMENT_SCAN_TYPE_WIRE] = SCAN_TYPE(COLUMNS ", wire"),
    [STATEMENT_SCAN_MODIFIED] = SCAN_MODIFIED(COLUMNS),
    [STATEMENT_SCAN_MODIFIED_WIRE] = SCAN_MODIFIED(COLUMNS ", wire"),
    [STATEMENT_EXPIRED_TOGETHER] = "SELECT " COLUMNS " FROM records INDEXED BY records_expires"
                                   " WHERE expires = ? AND seq > ? ORDER BY seq",
    [STATEMENT_EXPIRED] = "SELECT " COLUMNS " FROM records INDEXED BY records_expires"
                          " WHERE expires > ? AND expires <= ? ORDER BY expires, seq",
};

sqlite3_stmt *peer__sqlite_statement(struct sqlite_store *store, enum statement which, peer_status *status_out)
{
    sqlite3_stmt **statement = &store->statements[which];

    *status_out = PEER_OK;
    if (*statement == NULL) {
        int result = sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
        if (result != SQLITE_OK)
            *status_out = peer__sqlite_failed(store->db, result, store->path);
    }
    return *statement;
}

peer_status peer__sqlite_finish(struct sqlite_store *store, sqlite3_stmt *statement, int result)
{
    peer_status status = PEER_OK;

    if (result != SQLITE_ROW && result != SQLITE_DONE)
        status = peer__sqlite_failed(store->db, result, store->path);
    /* Gives the status of the step once more, which is dealt with. */
    (void)sqlite3_reset(statement);
    return status;
}

void peer__sqlite_bind_guid(sqlite3_stmt *statement, int at, const peer_guid *guid)
{
    sqlite3_bind_blob(statement, at, guid->bytes, sizeof(guid->bytes), SQLITE_STATIC);
}

void peer__sqlite_bind_span(sqlite3_stmt *statement, int at, struct span span)
{
    if (span.size == 0)
        sqlite3_bind_zeroblob(statement, at, 0);
    else
        sqlite3_bind_blob64(statement, at, span.data, span.size, SQLITE_STATIC);
}

#define TICKS_BIAS (UINT64_C(1) << 63)

void peer__sqlite_bind_ticks(sqlite3_stmt *statement, int at, uint64_t ticks)
{
    int64_t biased;

    ticks ^= TICKS_BIAS;
    memcpy(&biased, &ticks, sizeof(biased));
    sqlite3_bind_int64(statement, at, biased);
}

uint64_t peer__sqlite_column_ticks(sqlite3_stmt *statement, int at)
{
    int64_t biased = sqlite3_column_int64(statement, at);
    uint64_t ticks;

    memcpy(&ticks, &biased, sizeof(ticks));
    return ticks ^ TICKS_BIAS;
}

struct span peer__sqlite_column_span(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);

    return (struct span){data, data != NULL ? (size_t)sqlite3_column_bytes(statement, at) : 0};
}

int peer__sqlite_column_guid(sqlite3_stmt *statement, int at, peer_guid *guid_out)
{
    struct span bytes = peer__sqlite_column_span(statement, at);

    if (bytes.size != sizeof(guid_out->bytes))
        return -1;
    memcpy(guid_out->bytes, bytes.data, bytes.size);
    return 0;
}
