/** Interface: a graph's database. SQLite for life, memory for proof; both behave alike (tests/unit/test_store.c runs on both). */
#ifndef PEER_BASE_STORE_H
#define PEER_BASE_STORE_H

#include "base/bytes.h"
#include "base/jobs.h"
#include "base/search.h"

#define STORE_ELEMENT_SIZE 16u

/**
 * What the store knows of a record. It keeps the wire bytes as they are and the columns that queries need, and never
 * looks into the bytes. Times are ticks (unsigned, all 64 bits). `seq` is the order of arrival: given by the store at
 * each put, so that a replaced record moves to the end; it never repeats, not even after a rollback and a restart of
 * the process (a rolled back number may be given again). A put with a `seq` other than 0 replaces the row of that id and
 * number where it stands.
 */
struct store_row {
    uint64_t seq;
    peer_guid id;
    peer_guid type;
    uint32_t version;
    uint32_t flags;       /* RECORD_FLAG_DELETED */
    uint32_t local_flags; /* what does not travel: autorefresh */
    uint64_t modified;
    uint64_t expires;
    uint8_t element[STORE_ELEMENT_SIZE]; /* a digest of the wire bytes, the engine's to make; zero: not known */
    struct span creator_id;              /* UTF-16BE, for filters */
    struct span wire;
    /* For searches alone, which are the only reads that give them back: */
    uint64_t created;
    struct span modifier_id; /* UTF-16BE, or empty */
    struct span attributes;  /* of peer__indexed_append */
};

/** Which records a scan visits and in which order. */
struct store_scan {
    const peer_guid *type;  /* NULL: any */
    struct span creator_id; /* size 0: any */
    int by_modified;        /* 1: order (modified, id), starting at `since`; 0: order of seq */
    uint64_t since;         /* by_modified: lowest modified, inclusive */
    uint64_t seq_max;       /* leave out rows with a higher seq; UINT64_MAX: none */
};

/** Where a scan stands. Zero-initialise to start. Survives changes of the database: what is put later may be seen or not. */
struct store_position {
    uint64_t seq;
    uint64_t modified;
    peer_guid id;
    int started;
};

/** Called for each row; the spans are valid during the call. May not call the store. Non-zero ends the call after this row. */
typedef int (*store_visit)(void *context, const struct store_row *row);

#define STORE_SCAN_EXAMINED_MAX 4096u
/** What a row takes besides its wire bytes, about: columns and indexes. */
#define STORE_ROW_OVERHEAD 256u

struct store;

/**
 * A search under way, over what the store held when it began. One thread at a time. Outlives the store: from then on `step`
 * gives PEER_E_GRAPH_SHUTTING_DOWN.
 */
struct store_search {
    /**
     * Goes on, from any thread and without a lock: looks at no more than STORE_SEARCH_EXAMINED_MAX rows and calls `visit` for
     * those that match, without wire, in no particular order and each once. Tombstones may be among them. `*end_out` 1:
     * that was all.
     */
    peer_status (*step)(struct store_search *search, store_visit visit, void *context, int *end_out);
    void (*close)(struct store_search *search);
};

/** About a millisecond. */
#define STORE_SEARCH_EXAMINED_MAX 512u

/** A place in the order in which rows expire: behind the row of that number. UINT64_MAX: behind all that expire then. */
struct store_expiry {
    uint64_t expires;
    uint64_t seq;
};

/** Every function may fail with PEER_E_DISK_FULL, E_OUTOFMEMORY, PEER_E_INVALID_DATABASE (damaged) or PEER_E_DATABASE_ACCESSDENIED. */
struct store_operations {
    /* Writing begins a transaction by itself. Reads see what the transaction wrote. After a write or a commit has
     * failed, writes and commits give the same status until rollback: half a transaction is never committed. */
    peer_status (*put)(struct store *store, const struct store_row *row, uint64_t *seq_out);
    peer_status (*remove)(struct store *store, const peer_guid *id); /* PEER_OK also if it is not there */
    /** Makes everything since the last commit durable against the death of the process. PEER_OK if there is nothing. */
    peer_status (*commit)(struct store *store);
    /** Drops everything since the last commit. Cannot fail. */
    void (*rollback)(struct store *store);

    /**
     * A long commit, in two parts, for who has the store for himself: `commit_begin` with the lock that guards the store,
     * `commit_apart` without, in the same thread. In between nobody else may use the store, but to roll back or close,
     * which wait for the end and find everything committed. After it the store may be gone. Both NULL: there is none.
     */
    void (*commit_begin)(struct store *store);
    peer_status (*commit_apart)(struct store *store);

    /** Calls `visit` once. PEER_E_RECORD_NOT_FOUND (sets no error line). `want_wire` 0 leaves `wire` empty and reads no payload. */
    peer_status (*get)(struct store *store, const peer_guid *id, int want_wire, store_visit visit, void *context);
    /**
     * Visits at most `row_max` rows after `position`, which moves along. `*end_out` 1: there are no more. It may visit
     * fewer, even none, before the end: a filter looks at no more than STORE_SCAN_EXAMINED_MAX rows in one call.
     */
    peer_status (*scan)(struct store *store, const struct store_scan *scan, struct store_position *position,
                        int want_wire, size_t row_max, store_visit visit, void *context, int *end_out);
    /**
     * Rows that expire after the place and not after `until`, by expires and number, without wire, at most row_max. Any
     * number may expire together.
     */
    peer_status (*expired)(struct store *store, const struct store_expiry *after, uint64_t until, size_t row_max,
                           store_visit visit, void *context);
    /** Begins a search for the tree, which must live as long as the search. What is not committed may not be there. */
    peer_status (*search)(struct store *store, const struct search *tree, struct store_search **search_out);
    /** Earliest expires later than `after`; UINT64_MAX: none. */
    peer_status (*next_expiry)(struct store *store, uint64_t after, uint64_t *expires_out);
    /** Highest seq ever given, 0: none. */
    peer_status (*last_seq)(struct store *store, uint64_t *seq_out);
    /** Number of rows, tombstones included. */
    peer_status (*count)(struct store *store, uint64_t *count_out);

    /** What the rows hold, their wire bytes and STORE_ROW_OVERHEAD for each; `creator_id` of size 0: all rows, else those
     *  of that creator. A running total: cheap. What is not committed counts. */
    peer_status (*bytes)(struct store *store, struct span creator_id, uint64_t *bytes_out);

    /** Settings: small values by name, part of the transaction. get: value appended; PEER_E_NOT_FOUND sets no error line. */
    peer_status (*setting_put)(struct store *store, const char *name, struct span value);
    peer_status (*setting_get)(struct store *store, const char *name, struct buffer *value);

    /** A job that moves the journal into the database, if that is worth it now; else NULL. The caller submits it.
     *  To be called after commits, and now and then when nothing happens: it gives cache memory back. */
    struct job *(*maintenance)(struct store *store);
    /** 1 while the journal is too long and a job is at work on it: bulk from outside should wait until this is 0 again. */
    int (*is_behind)(struct store *store);
    /** Commits nothing: what is not committed is dropped. Waits for a maintenance job under way, and may take a while:
     *  it needs no lock, and may come from any thread when nobody else uses the store any more. */
    void (*close)(struct store *store);
};

struct store {
    const struct store_operations *operations;
};

#define STORE_CREATE 0x1u  /* make a new one: PEER_E_DATABASE_ALREADY_PRESENT if there is one */
#define STORE_DURABLE 0x2u /* survive power loss, not only the death of the process */

/** Where stores come from. `self` knows the directory (SQLite) or keeps the databases by name (memory). */
struct store_factory {
    /**
     * Opens; a missing one is made and `*is_new_out` is 1. PEER_E_DATABASE_IN_USE with the file's name and, if known, the
     * process; PEER_E_INVALID_DATABASE with the file's name if it is damaged, not ours or newer than we know.
     */
    peer_status (*open)(void *self, const char *graph_id, const char *peer_id, const char *database_name,
                        uint32_t flags, int *is_new_out, struct store **store_out);
    /** PEER_E_DATABASE_NOT_PRESENT, PEER_E_DATABASE_IN_USE, PEER_E_DATABASE_ACCESSDENIED. */
    peer_status (*remove)(void *self, const char *graph_id, const char *peer_id, const char *database_name);

    /* decisions.md 1: room that is kept so that deletions and settings still fit on a full disk. */

    /** Keeps it, where that was not done yet. 0: there is not enough room to do so. */
    int (*keep_reserve)(void *self);
    /** Gives it up. 1: there is more room now. */
    int (*give_reserve)(void *self);
    /** 1: there is room for as much again. */
    int (*has_room)(void *self);
    void *self;
};

/** Some thirty deletions of records. */
#define STORE_RESERVE_SIZE (1024 * 1024)

#endif
