/** How a search is carried out in SQLite: as ranges of indexes that together hold every record that can match. */
#ifndef PEER_STORE_SQLITE_PLAN_H
#define PEER_STORE_SQLITE_PLAN_H

#include "store/sqlite_range.h"

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
void peer__sqlite_plan_free(struct search_plan *plan);

#endif
