#include <string.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

/* "pgrf": in the file's header, so that file(1) and we can tell our databases from others. */
#define APPLICATION_ID 0x70677266

/*
 * Step i leads from schema version i to i + 1. Steps that were released never change.
 *
 * Ticks are stored biased (value xor 2^63, as a signed number): SQLite's integers are signed, and so the order is
 * right for all 64 bits. The wire bytes stand last, so that a query which leaves them out need not read past them.
 * There is no AUTOINCREMENT: the store counts by itself, and notes in `meta` the highest number when its row goes.
 */
static const char *const migrations[] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE records ("
    " seq INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL,"
    " type BLOB NOT NULL,"
    " version INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " local_flags INTEGER NOT NULL,"
    " modified INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " creator BLOB NOT NULL,"
    " wire BLOB NOT NULL);"
    "CREATE UNIQUE INDEX records_id ON records (id);"
    "CREATE UNIQUE INDEX records_modified ON records (modified, id);"
    "CREATE INDEX records_expires ON records (expires);"
    "CREATE INDEX records_type ON records (type);",
    /* What the rows of each creator hold (STORE_ROW_OVERHEAD for each), kept up with every change. */
    "CREATE TABLE usage (creator BLOB PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO usage (creator, bytes) SELECT creator, sum(length(wire) + 256) FROM records GROUP BY creator;",
    /* More columns, before the wire bytes: the element, for comparisons; and for searches, with what they find of each
     * record's attributes. `name` begins with a letter for the type. Of a text `value` holds the beginning, which is
     * indexed, and `rest` what is beyond. What was stored before is put once more by the graph. */
    "CREATE TABLE searchable_records ("
    " seq INTEGER PRIMARY KEY,"
    " id BLOB NOT NULL,"
    " type BLOB NOT NULL,"
    " version INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " local_flags INTEGER NOT NULL,"
    " modified INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " creator BLOB NOT NULL,"
    " element BLOB NOT NULL,"
    " created INTEGER NOT NULL,"
    " modifier BLOB,"
    " wire BLOB NOT NULL);"
    "INSERT INTO searchable_records SELECT seq, id, type, version, flags, local_flags, modified, expires, creator,"
    " x'', modified, NULL, wire FROM records;"
    "DROP TABLE records;"
    "ALTER TABLE searchable_records RENAME TO records;"
    "CREATE UNIQUE INDEX records_id ON records (id);"
    "CREATE UNIQUE INDEX records_modified ON records (modified, id);"
    "CREATE INDEX records_expires ON records (expires);"
    "CREATE INDEX records_type ON records (type);"
    "CREATE INDEX records_creator ON records (creator);"
    "CREATE INDEX records_created ON records (created);"
    "CREATE INDEX records_modifier ON records (modifier) WHERE modifier IS NOT NULL;"
    "CREATE TABLE attributes ("
    " seq INTEGER NOT NULL,"
    " place INTEGER NOT NULL,"
    " name TEXT NOT NULL,"
    " value NOT NULL,"
    " rest BLOB,"
    " PRIMARY KEY (seq, place)) WITHOUT ROWID;"
    "CREATE INDEX attributes_value ON attributes (name, value);",
};

#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

static peer_status run(sqlite3 *db, const char *path, const char *sql)
{
    int result = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? PEER_OK : peer__sqlite_failed(db, result, path);
}

peer_status peer__sqlite_read_number(sqlite3 *db, const char *path, const char *sql, int64_t *number_out)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW)
            *number_out = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? PEER_OK : peer__sqlite_failed(db, result, path);
}

peer_status peer__sqlite_connect(const char *path, sqlite3 **db_out)
{
    /* Whatever stands in the file is data: it can neither run code of its own nor reach the schema. */
    static const struct {
        int option;
        int value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},   {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0}, {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    sqlite3 *db = NULL;
    peer_status status = PEER_OK;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int result = sqlite3_open_v2(path, &db, flags, "unix-excl");

    if (result != SQLITE_OK)
        goto failed;
    sqlite3_extended_result_codes(db, 1);
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        result = sqlite3_db_config(db, options[i].option, options[i].value, (int *)NULL);
        if (result != SQLITE_OK)
            goto failed;
    }
    *db_out = db;
    return PEER_OK;
failed:
    status = peer__sqlite_failed(db, result, path);
    sqlite3_close(db);
    return status;
}

/* Decides whether the file is ours, before anything in it is touched. The first read takes the lock. */
static peer_status inspect(sqlite3 *db, const char *path, int64_t *version_out)
{
    int64_t application = 0;
    int64_t objects = 0;

    PEER_TRY(peer__sqlite_read_number(db, path, "SELECT count(*) FROM sqlite_master", &objects));
    PEER_TRY(peer__sqlite_read_number(db, path, "PRAGMA application_id", &application));
    PEER_TRY(peer__sqlite_read_number(db, path, "PRAGMA user_version", version_out));
    if (objects == 0 && application == 0 && *version_out == 0)
        return PEER_OK;
    if (application != APPLICATION_ID)
        return peer__sqlite_not_ours(path);
    if (*version_out > SCHEMA_VERSION)
        return peer__fail(
            PEER_E_INVALID_DATABASE,
            "\"%s\" was written by a newer version of peergraph (schema %d, we know %d); use that version", path,
            (int)*version_out, SCHEMA_VERSION);
    if (*version_out < 1 || objects == 0)
        return peer__sqlite_damaged(path, "its schema is missing");
    return PEER_OK;
}

static peer_status configure(sqlite3 *db, const char *path, uint32_t flags)
{
    /* The page size counts only in a database that is still empty. The journal's limit is above what a bulk reaches
     * (JOURNAL_PAGES_LONG): to cut a journal off takes 50 ms, and that under the lock. Some systems build SQLite so that it
     * fills with zeros what becomes free: a deletion would write as much as the record had, and find no room for that on a
     * full disk. */
    PEER_TRY(run(db, path,
                 "PRAGMA page_size = " TEXT(PAGE_SIZE) ";"
                                                       "PRAGMA journal_mode = WAL;"
                                                       "PRAGMA wal_autocheckpoint = 0;"
                                                       "PRAGMA journal_size_limit = 67108864;"
                                                       "PRAGMA temp_store = MEMORY;"
                                                       "PRAGMA secure_delete = FAST;"
                                                       "PRAGMA cell_size_check = ON;"));
    return run(db, path, (flags & STORE_DURABLE) != 0 ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

static peer_status write_identity_part(sqlite3 *db, const char *path, const char *name, const char *value)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, "INSERT INTO meta (name, value) VALUES (?, ?)", -1, &statement, NULL);

    if (result == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(statement, 2, value, -1, SQLITE_STATIC);
        result = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return result == SQLITE_DONE ? PEER_OK : peer__sqlite_failed(db, result, path);
}

static peer_status migrate_within(sqlite3 *db, const char *path, int64_t version,
                                  const struct database_identity *identity)
{
    int is_new = version == 0;
    char sql[96];

    for (; version < SCHEMA_VERSION; version++)
        PEER_TRY(run(db, path, migrations[version]));
    sqlite3_snprintf(sizeof(sql), sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
                     SCHEMA_VERSION);
    PEER_TRY(run(db, path, sql));
    if (is_new) {
        PEER_TRY(write_identity_part(db, path, "graph_id", identity->graph_id));
        PEER_TRY(write_identity_part(db, path, "peer_id", identity->peer_id));
        PEER_TRY(write_identity_part(db, path, "database_name", identity->database_name));
    }
    return run(db, path, "COMMIT");
}

static peer_status migrate(sqlite3 *db, const char *path, int64_t version, const struct database_identity *identity)
{
    peer_status status;

    if (version == SCHEMA_VERSION)
        return PEER_OK;
    PEER_TRY(run(db, path, "BEGIN IMMEDIATE"));
    status = migrate_within(db, path, version, identity);
    if (status < 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

static peer_status check_identity_part(sqlite3 *db, const char *path, const char *name, const char *value)
{
    sqlite3_stmt *statement = NULL;
    peer_status status = PEER_OK;
    int result = sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE name = ?", -1, &statement, NULL);

    if (result == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        result = sqlite3_step(statement);
    }
    if (result == SQLITE_ROW) {
        const char *held = (const char *)sqlite3_column_text(statement, 0);
        if (held == NULL || strcmp(held, value) != 0)
            status = peer__fail(PEER_E_INVALID_DATABASE, "\"%s\" belongs to another %s: \"%s\"", path, name,
                                held != NULL ? held : "");
    } else {
        status = result == SQLITE_DONE ? peer__sqlite_damaged(path, "it does not say whose it is")
                                       : peer__sqlite_failed(db, result, path);
    }
    sqlite3_finalize(statement);
    return status;
}

/* File names are hashes: two graphs may not end up in one file by chance. */
static peer_status check_identity(sqlite3 *db, const char *path, const struct database_identity *identity)
{
    PEER_TRY(check_identity_part(db, path, "graph_id", identity->graph_id));
    PEER_TRY(check_identity_part(db, path, "peer_id", identity->peer_id));
    return check_identity_part(db, path, "database_name", identity->database_name);
}

peer_status peer__sqlite_prepare(sqlite3 *db, const char *path, const struct database_identity *identity,
                                 uint32_t flags, int *is_new_out)
{
    int64_t version = 0;
    int moved = 0;

    PEER_TRY(inspect(db, path, &version));
    /* Another process removed the file between our opening and our lock. */
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
        return peer__sqlite_in_use(NULL, path, 0);
    if (version != 0 && (flags & STORE_CREATE) != 0)
        return peer__fail(PEER_E_DATABASE_ALREADY_PRESENT, "\"%s\" is there already", path);
    PEER_TRY(configure(db, path, flags));
    PEER_TRY(migrate(db, path, version, identity));
    PEER_TRY(check_identity(db, path, identity));
    *is_new_out = version == 0;
    return PEER_OK;
}

peer_status peer__sqlite_load_last_seq(sqlite3 *db, const char *path, uint64_t *seq_out)
{
    int64_t seq = 0;

    PEER_TRY(peer__sqlite_read_number(db, path,
                                      "SELECT max(coalesce((SELECT max(seq) FROM records), 0),"
                                      " coalesce((SELECT value FROM meta WHERE name = 'last_seq'), 0))",
                                      &seq));
    if (seq < 0)
        return peer__sqlite_damaged(path, "its numbers are wrong");
    *seq_out = (uint64_t)seq;
    return PEER_OK;
}
