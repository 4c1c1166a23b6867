/** How a search is carried out in SQLite: as ranges of indexes that together hold every record that can match. */
#ifndef PEER_STORE_SQLITE_PLAN_H
#define PEER_STORE_SQLITE_PLAN_H

#include "store/sqlite_internal.h"

/** One end of a range; of numbers or of bytes, as the column has them. */
struct search_bound {
    int is_open; /* nothing ends it here: `high` only */
    int is_exclusive;
    int64_t number;
    struct buffer bytes;
};

/** A run of entries in the index of a field, or in that of attributes under one name. */
struct search_range {
    enum search_field field;
    int is_number;
    char key[ATTRIBUTE_KEY_SIZE];
    struct search_bound low;
    struct search_bound high;
};

/** Zero-initialise. No ranges: nothing matches. */
struct search_plan {
    struct search_range *ranges;
    size_t count;
    size_t capacity;
};

/**
 * Chooses the ranges: of an <or> those of every child, of an <and> those of the child with the fewest entries, which are
 * counted in the index up to a bound. SQLITE_OK or the error.
 */
int peer__sqlite_plan(sqlite3 *db, const struct search *tree, struct search_plan *plan);
/** 1 if every record of the ranges matches, and no more needs to be looked at. */
int peer__sqlite_plan_is_exact(const struct search *tree);
void peer__sqlite_plan_free(struct search_plan *plan);

/* Columns of the statement of a range. */
enum search_column {
    FOUND_SEQ,
    FOUND_ID,
    FOUND_TYPE,
    FOUND_FLAGS,
    FOUND_EXPIRES,
    FOUND_MODIFIED,
    FOUND_CREATED,
    FOUND_CREATOR,
    FOUND_MODIFIER
};
/** Prepares and binds the statement that visits the records of a range: no payload is read. The range must outlive it. */
int peer__sqlite_range_prepare(sqlite3 *db, const struct search_range *range, sqlite3_stmt **statement_out);

#endif
