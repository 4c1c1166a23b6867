/** A run of entries in one index, which holds what can satisfy one clause of a search. */
#ifndef PEER_STORE_SQLITE_RANGE_H
#define PEER_STORE_SQLITE_RANGE_H

#include "base/search.h"
#include "store/sqlite_internal.h"

/** One end of a range; of numbers or of bytes, as the column has them. */
struct search_bound {
    int is_open; /* nothing ends it here: `high` only */
    int is_exclusive;
    int64_t number;
    struct buffer bytes;
};

/** In the index of the clause's field, or in that of attributes under one name. */
struct search_range {
    const struct search_node *clause;
    int is_number;
    char key[ATTRIBUTE_KEY_SIZE];
    struct search_bound low;
    struct search_bound high;
};

void peer__sqlite_range_free(struct search_range *range);
/** Counts the entries, up to a bound. SQLITE_OK or the error. */
int peer__sqlite_range_count(sqlite3 *db, const struct search_range *range, size_t count_max, size_t *count_out);
/** Prepares and binds the statement that visits the entries: it reads the index alone. The range must outlive it. */
int peer__sqlite_range_prepare(sqlite3 *db, const struct search_range *range, sqlite3_stmt **statement_out);

enum entry_verdict {
    ENTRY_FAILS,
    ENTRY_SATISFIES,
    ENTRY_IS_CUT /* it holds the beginning of a text, and the rest may decide */
};
/** The entry at which the statement stands: the number of its record, and whether its value satisfies the clause. */
int peer__sqlite_range_entry(const struct search_range *range, sqlite3_stmt *statement, uint64_t *seq_out,
                             enum entry_verdict *verdict_out);

#endif
