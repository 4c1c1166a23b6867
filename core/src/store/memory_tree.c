#include "store/memory_tree.h"

#include <assert.h>

/* The finalizer of splitmix64. */
uint64_t peer__row_priority(uint64_t seq)
{
    uint64_t mixed = seq * UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare(enum row_order order, const struct store_row *a, const struct store_row *b)
{
    int result = 0;

    switch (order) {
    case ORDER_ID:
        return peer__guid_compare(&a->id, &b->id);
    case ORDER_MODIFIED:
        result = compare_numbers(a->modified, b->modified);
        return result != 0 ? result : peer__guid_compare(&a->id, &b->id);
    case ORDER_EXPIRES:
        result = compare_numbers(a->expires, b->expires);
        break;
    case ORDER_TYPE:
        result = peer__guid_compare(&a->type, &b->type);
        break;
    case ORDER_SEQ:
    case ORDER_COUNT:
        break;
    }
    return result != 0 ? result : compare_numbers(a->seq, b->seq);
}

/* Down to where nothing has a higher priority; what stands there is split into what sorts below and above the row. */
void peer__tree_insert(struct row **root, enum row_order order, struct row *row)
{
    struct row **at = root;
    struct row **below = &row->links[order].below;
    struct row **above = &row->links[order].above;

    while (*at != NULL && (*at)->priority >= row->priority)
        at = compare(order, &row->record, &(*at)->record) < 0 ? &(*at)->links[order].below : &(*at)->links[order].above;
    for (struct row *rest = *at; rest != NULL;) {
        int order_of_rest = compare(order, &rest->record, &row->record);

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
        at = compare(order, &row->record, &(*at)->record) < 0 ? &(*at)->links[order].below : &(*at)->links[order].above;
    }
    while (below != NULL && above != NULL) {
        if (below->priority >= above->priority) {
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
    struct row *found = NULL;

    for (struct row *at = root; at != NULL;) {
        if (compare(order, &at->record, key) >= after) {
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
