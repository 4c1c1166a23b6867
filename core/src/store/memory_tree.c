#include "store/memory_tree.h"

#include <assert.h>

/* Evenly spread, from the number of the row: chance that is the same on every run. The finalizer of splitmix64. */
static uint64_t priority_of(uint64_t seq)
{
    uint64_t mixed = seq * UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static uint64_t key_of(enum row_order order, const struct store_row *row)
{
    uint64_t key = 0;

    switch (order) {
    case ORDER_MODIFIED:
        return row->modified;
    case ORDER_EXPIRES:
        return row->expires;
    case ORDER_TYPE:
        for (size_t i = 0; i < sizeof(key); i++)
            key = key << 8 | row->type.bytes[i];
        return key;
    case ORDER_SEQ:
    case ORDER_COUNT:
        break;
    }
    return row->seq;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Of two with the same key. */
static int compare_rest(enum row_order order, const struct store_row *a, const struct store_row *b)
{
    int result = 0;

    if (order == ORDER_MODIFIED)
        return peer__guid_compare(&a->id, &b->id);
    if (order == ORDER_TYPE)
        result = peer__guid_compare(&a->type, &b->type);
    return result != 0 ? result : compare_numbers(a->seq, b->seq);
}

static int compare(enum row_order order, const struct row *row, uint64_t key, const struct store_row *other)
{
    int result = compare_numbers(row->links[order].key, key);

    return result != 0 ? result : compare_rest(order, &row->record, other);
}

/* Where a row goes on to from another that stands above it. */
static struct row **towards(enum row_order order, struct row *from, const struct row *row)
{
    struct row_link *link = &from->links[order];

    return compare(order, from, row->links[order].key, &row->record) > 0 ? &link->below : &link->above;
}

/* Down to where nothing has a higher priority; what stands there is split into what sorts below and above the row. */
void peer__tree_insert(struct row **root, enum row_order order, struct row *row)
{
    struct row_link *link = &row->links[order];
    struct row **at = root;
    struct row **below = &link->below;
    struct row **above = &link->above;

    link->key = key_of(order, &row->record);
    link->priority = priority_of(row->record.seq);
    while (*at != NULL && (*at)->links[order].priority >= link->priority)
        at = towards(order, *at, row);
    for (struct row *rest = *at; rest != NULL;) {
        int order_of_rest = compare(order, rest, link->key, &row->record);

        assert(order_of_rest != 0);
        if (order_of_rest < 0) {
            *below = rest;
            below = &rest->links[order].above;
            rest = *below;
        } else {
            *above = rest;
            above = &rest->links[order].below;
            rest = *above;
        }
    }
    *below = *above = NULL;
    *at = row;
}

/* The two trees under the row are joined in its place, the higher priority on top. */
void peer__tree_remove(struct row **root, enum row_order order, struct row *row)
{
    struct row **at = root;
    struct row *below = row->links[order].below;
    struct row *above = row->links[order].above;

    while (*at != row) {
        assert(*at != NULL);
        at = towards(order, *at, row);
    }
    while (below != NULL && above != NULL) {
        if (below->links[order].priority >= above->links[order].priority) {
            *at = below;
            at = &below->links[order].above;
            below = *at;
        } else {
            *at = above;
            at = &above->links[order].below;
            above = *at;
        }
    }
    *at = below != NULL ? below : above;
}

static struct row *first_beyond(struct row *root, enum row_order order, const struct store_row *key, int after)
{
    uint64_t number = key_of(order, key);
    struct row *found = NULL;

    for (struct row *at = root; at != NULL;) {
        if (compare(order, at, number, key) >= after) {
            found = at;
            at = at->links[order].below;
        } else {
            at = at->links[order].above;
        }
    }
    return found;
}

struct row *peer__tree_at_least(struct row *root, enum row_order order, const struct store_row *key)
{
    return first_beyond(root, order, key, 0);
}

struct row *peer__tree_after(struct row *root, enum row_order order, const struct store_row *key)
{
    return first_beyond(root, order, key, 1);
}
