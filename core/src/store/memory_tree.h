/** The orders of the memory store: a row is linked into four treaps at once, so that every question is O(log n). */
#ifndef PEER_STORE_MEMORY_TREE_H
#define PEER_STORE_MEMORY_TREE_H

#include "base/store.h"

enum row_order {
    ORDER_SEQ,
    ORDER_MODIFIED, /* (modified, id) */
    ORDER_EXPIRES,  /* (expires, seq) */
    ORDER_TYPE,     /* (type, seq) */
    ORDER_COUNT
};

/** All that a way down reads of a row, side by side: thousands of databases in one process do not fit into a cache. */
struct row_link {
    struct row *below;
    struct row *above;
    uint64_t key; /* what the order compares first, as a number */
    uint64_t priority;
};

struct account;

struct row {
    struct row_link links[ORDER_COUNT];
    struct row *next;        /* in its bucket of memory_index.h */
    struct account *account; /* of its creator */
    struct store_row record; /* its spans point behind the row */
};

/** No row may be equal to it in this order. */
void peer__tree_insert(struct row **root, enum row_order order, struct row *row);
void peer__tree_remove(struct row **root, enum row_order order, struct row *row);
/** The first row at or after `key`, of which only the fields of the order are read; NULL if there is none. */
struct row *peer__tree_at_least(struct row *root, enum row_order order, const struct store_row *key);
/** The first row after `key`. */
struct row *peer__tree_after(struct row *root, enum row_order order, const struct store_row *key);

#endif
