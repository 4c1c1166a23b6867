/** What the SQLite store's files share. Nobody else includes this. */
#ifndef PEER_STORE_SQLITE_INTERNAL_H
#define PEER_STORE_SQLITE_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>

#include "base/list.h"
#include "store/sqlite.h"

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_INSERT,
    STATEMENT_HELD,
    STATEMENT_DELETE_SEQ,
    STATEMENT_ATTRIBUTE_PUT,
    STATEMENT_ATTRIBUTES_DELETE,
    STATEMENT_KEEP_LAST_SEQ,
    STATEMENT_SETTING_PUT,
    STATEMENT_SETTING_GET,
    STATEMENT_COUNT_ROWS,
    STATEMENT_USAGE_ADD,
    STATEMENT_USAGE_END,
    STATEMENT_USAGE_GET,
    STATEMENT_NEXT_EXPIRY,
    /* Those that read rows come in pairs: without the wire bytes, then with them. */
    STATEMENT_GET,
    STATEMENT_GET_WIRE,
    STATEMENT_SCAN_SEQ,
    STATEMENT_SCAN_SEQ_WIRE,
    STATEMENT_SCAN_TYPE,
    STATEMENT_SCAN_TYPE_WIRE,
    STATEMENT_SCAN_MODIFIED,
    STATEMENT_SCAN_MODIFIED_WIRE,
    STATEMENT_EXPIRED_TOGETHER,
    STATEMENT_EXPIRED,
    STATEMENT_COUNT
};

struct sqlite_factory {
    char directory[PATH_MAX]; /* resolved, so that one file has one name in this process */
};

/** A database open in this process. SQLite keeps other processes out, but not a second opening by our own. */
struct open_database {
    struct list node;
    const char *path;
};

/** The second connection and the job that runs on it. Outlives the store while the job is out. */
struct checkpoint;

/** What the rows of a creator have grown by in this transaction. */
struct usage_change {
    struct buffer creator_id;
    int64_t bytes;
};

/* A transaction of more creators writes some of them before its end. */
#define USAGE_CHANGES_MAX 16u

struct sqlite_store {
    struct store store;
    struct open_database open;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    char *path;
    char *label; /* "graph id/peer id", for people */

    int writing;           /* a transaction is open */
    peer_status failed;    /* of the first write of the transaction that failed; 0 none */
    int visiting;          /* a visit is under way and may not call us */
    pthread_mutex_t apart; /* held while a transaction is committed without the lock that guards the rest */

    uint64_t last_seq;
    uint64_t committed_last_seq;
    int64_t row_count; /* COUNT_UNKNOWN until somebody asked */
    int64_t committed_row_count;
    int64_t bytes; /* of all rows */
    int64_t committed_bytes;
    struct usage_change usage[USAGE_CHANGES_MAX];
    size_t usage_count;

    size_t put_count; /* in this transaction */
    int bulk;         /* the cache is large */
    unsigned quiet;   /* small commits and calls of maintenance since the last bulk */

    int journal_pages; /* in the journal */
    int journal_moved; /* of them, those that are in the database too */
    int journal_tried; /* length of the journal when we last tried to finish it ourselves */
    int job_out;
    struct checkpoint *checkpoint;
    struct search_gate *searches;
};

#define COUNT_UNKNOWN (-1)
/* Rows of 1 KiB a second in commits of 1 / 64 / 1,000: 16,900 / 43,000 / 83,000 with this size; 7,000 / 31,000 / 97,000
 * with 16384, where each commit writes 100 KiB of journal (tests/bench/bench_store.c; against decisions.md 4). */
#define PAGE_SIZE 4096

/* sqlite_error.c */

/** The one place that turns a result of SQLite into a status and a line that names the file. `db` may be NULL. */
peer_status peer__sqlite_failed(struct sqlite3 *db, int result, const char *path);
/** The same for errno; `what` says what was tried: "cannot be removed". */
peer_status peer__sqlite_system_failed(int error, const char *what, const char *path);
/** The file holds what no program of ours wrote. */
peer_status peer__sqlite_damaged(const char *path, const char *how);
peer_status peer__sqlite_not_ours(const char *path);

/** Whether an errno says that there is no room. */
int peer__sqlite_is_full(int error);

/* sqlite_reserve.c */

/** A file in the directory of the databases, which other processes may share. These are the factory's. */
int peer__sqlite_keep_reserve(void *self);
int peer__sqlite_give_reserve(void *self);
int peer__sqlite_has_room(void *self);

/* sqlite_lock.c */

/** Reserves a path within this process: 1, or 0 if it is open already. The path must live until release. */
int peer__sqlite_reserve(struct open_database *database, const char *path);
void peer__sqlite_release(struct open_database *database);
/** The process that has a file open, or 0. Only for a file that this process has reserved and not open. */
int64_t peer__sqlite_holder(const char *path);
/** Keeps other processes out of a file that SQLite has not open. 0, or an errno: EAGAIN if another process has it. */
int peer__sqlite_lock_file(int file);
/** PEER_E_DATABASE_IN_USE with a line that names the file, and `process` unless it is 0. */
peer_status peer__sqlite_in_use(const char *label, const char *path, int64_t process);

/* sqlite_schema.c */

/** Sets up a connection; `path` is what error lines name. */
peer_status peer__sqlite_connect(const char *path, sqlite3 **db_out);
/** What the file must say about itself. */
struct database_identity {
    const char *graph_id;
    const char *peer_id;
    const char *database_name;
};
/**
 * Keeps other processes out, checks the database, makes or migrates it. Touches nothing if it is not ours.
 */
peer_status peer__sqlite_prepare(sqlite3 *db, const char *path, const struct database_identity *identity,
                                 uint32_t flags, int *is_new_out);
/** The one number that a query of ours gives. */
peer_status peer__sqlite_read_number(sqlite3 *db, const char *path, const char *sql, int64_t *number_out);
/** Highest seq ever given. */
peer_status peer__sqlite_load_last_seq(sqlite3 *db, const char *path, uint64_t *seq_out);

/* sqlite_statements.c */

/** The statement, prepared on first use; NULL with `*status_out` set. */
sqlite3_stmt *peer__sqlite_statement(struct sqlite_store *store, enum statement which, peer_status *status_out);
void peer__sqlite_bind_guid(sqlite3_stmt *statement, int at, const peer_guid *guid);
void peer__sqlite_bind_ticks(sqlite3_stmt *statement, int at, uint64_t ticks);
/** SQLite takes NULL for the value NULL, not for no bytes. */
void peer__sqlite_bind_span(sqlite3_stmt *statement, int at, struct span span);
uint64_t peer__sqlite_column_ticks(sqlite3_stmt *statement, int at);
struct span peer__sqlite_column_span(sqlite3_stmt *statement, int at);
/** 0, or -1: it is none. */
int peer__sqlite_column_guid(sqlite3_stmt *statement, int at, peer_guid *guid_out);
/** Resets a statement after its last step gave `result`; the status of that. */
peer_status peer__sqlite_finish(struct sqlite_store *store, sqlite3_stmt *statement, int result);

/* sqlite_write.c */

peer_status peer__sqlite_put(struct store *base, const struct store_row *row, uint64_t *seq_out);
peer_status peer__sqlite_remove(struct store *base, const peer_guid *id);
peer_status peer__sqlite_commit(struct store *base);
void peer__sqlite_rollback(struct store *base);
void peer__sqlite_commit_begin(struct store *base);
peer_status peer__sqlite_commit_apart(struct store *base);
peer_status peer__sqlite_setting_put(struct store *base, const char *name, struct span value);

/* sqlite_attributes.c */

/** Bytes of a text that are indexed. */
#define VALUE_INDEXED_MAX 256u
/** Name of an attribute with its type in front, as the table has it. */
#define ATTRIBUTE_KEY_SIZE (SEARCH_NAME_MAX + 2)
void peer__sqlite_attribute_key(int32_t type, struct span name, char key[ATTRIBUTE_KEY_SIZE]);
/** Writes what searches find of a row. */
peer_status peer__sqlite_attributes_put(struct sqlite_store *store, uint64_t seq, struct span attributes);
/** Appends what `statement` selects (name, value, rest) as peer__indexed_append does. SQLITE_DONE, or the error. */
int peer__sqlite_attributes_read(sqlite3_stmt *statement, struct buffer *out);

/* sqlite_usage.c */

/** Of all rows, when the database is opened. */
peer_status peer__sqlite_usage_load(struct sqlite_store *store);
/** The rows of a creator have grown by so many bytes. */
peer_status peer__sqlite_usage_add(struct sqlite_store *store, struct span creator_id, int64_t bytes);
/** Before COMMIT: what is still to be written. */
peer_status peer__sqlite_usage_write(struct sqlite_store *store);
void peer__sqlite_usage_committed(struct sqlite_store *store);
void peer__sqlite_usage_rolled_back(struct sqlite_store *store);
void peer__sqlite_usage_free(struct sqlite_store *store);
peer_status peer__sqlite_bytes(struct store *base, struct span creator_id, uint64_t *bytes_out);

/* sqlite_read.c */

peer_status peer__sqlite_get(struct store *base, const peer_guid *id, int want_wire, store_visit visit, void *context);
peer_status peer__sqlite_scan(struct store *base, const struct store_scan *scan, struct store_position *position,
                              int want_wire, size_t row_max, store_visit visit, void *context, int *end_out);
peer_status peer__sqlite_expired(struct store *base, const struct store_expiry *after, uint64_t until, size_t row_max,
                                 store_visit visit, void *context);
peer_status peer__sqlite_next_expiry(struct store *base, uint64_t after, uint64_t *expires_out);
peer_status peer__sqlite_last_seq(struct store *base, uint64_t *seq_out);
peer_status peer__sqlite_count(struct store *base, uint64_t *count_out);
peer_status peer__sqlite_setting_get(struct store *base, const char *name, struct buffer *value);

/* sqlite_search.c */

peer_status peer__sqlite_searches_new(struct sqlite_store *store);
/** Ends the searches under way: their next step fails. */
void peer__sqlite_searches_close(struct sqlite_store *store);
peer_status peer__sqlite_search(struct store *base, const struct search *tree, struct store_search **search_out);

/* sqlite_maintenance.c */

peer_status peer__sqlite_checkpoint_new(struct sqlite_store *store);
/** Waits for a job under way. */
void peer__sqlite_checkpoint_close(struct sqlite_store *store);
struct job *peer__sqlite_maintenance(struct store *base);
int peer__sqlite_is_behind(struct store *base);
/** After each commit: a journal that the job does not get to the end of is finished here. */
void peer__sqlite_bound_journal(struct sqlite_store *store);
/** Large cache while writing bulk, small otherwise. */
void peer__sqlite_set_bulk(struct sqlite_store *store, int bulk);
/** Counts a quiet moment; enough of them end a bulk. */
void peer__sqlite_quiet(struct sqlite_store *store);

#endif
