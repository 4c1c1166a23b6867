/** The orders of the memory store: a row is linked into five treaps at once, so that every question is O(log n). */
#ifndef PEER_STORE_MEMORY_TREE_H
#define PEER_STORE_MEMORY_TREE_H

#include "base/store.h"

enum row_order {
    ORDER_ID,
    ORDER_SEQ,
    ORDER_MODIFIED, /* (modified, id) */
    ORDER_EXPIRES,  /* (expires, seq) */
    ORDER_TYPE,     /* (type, seq) */
    ORDER_COUNT
};

struct row {
    struct store_row record; /* its spans point behind the row */
    uint64_t priority;
    struct {
        struct row *below;
        struct row *above;
    } links[ORDER_COUNT];
};

/** The priority of a row, evenly spread, from its number: chance that is the same on every run. */
uint64_t peer__row_priority(uint64_t seq);

/** No row may be equal to it in this order. */
void peer__tree_insert(struct row **root, enum row_order order, struct row *row);
void peer__tree_remove(struct row **root, enum row_order order, struct row *row);
/** The first row at or after `key`, of which only the fields of the order are read; NULL if there is none. */
struct row *peer__tree_at_least(struct row *root, enum row_order order, const struct store_row *key);
/** The first row after `key`. */
struct row *peer__tree_after(struct row *root, enum row_order order, const struct store_row *key);

#endif
