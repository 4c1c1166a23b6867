/**
 * The records that wait for a judgement (the Deferred Record List of MS-PPGRH 3.1.1), oldest first, found by their number
 * and by what they are. Each belongs to the connection that brought it, or to none if that has ended.
 */
#ifndef PEER_GRAPH_DEFERRED_LIST_H
#define PEER_GRAPH_DEFERRED_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "wire/record.h"

#define DEFERRED_BUCKETS 4096u

struct deferred {
    struct list in_list;
    struct list in_undecided; /* asked about, and not answered yet; else it was deferred by the judge */
    struct list in_owner;     /* a connection's, or the list's orphans */
    struct list by_number;
    struct list by_id;
    struct list by_copy;
    uint64_t number;
    uint64_t connection_id;       /* that brought it last */
    struct deferred_owner *owner; /* NULL: its connection has ended */
    struct record *record;        /* retained */
    int32_t change;
    int is_meant; /* by the call under way */
};

/** What one connection has brought. */
struct deferred_owner {
    struct list records;
    size_t bytes;
};

struct deferred_list {
    struct list records;
    struct list undecided;
    struct list orphans;
    size_t bytes;
    uint64_t last_number;
    uint64_t key; /* others choose what is in records: it keeps them out of one bucket */
    struct list numbers[DEFERRED_BUCKETS];
    struct list ids[DEFERRED_BUCKETS];
    struct list copies[DEFERRED_BUCKETS]; /* of ids, too: thousands may wait that have the same */
};

/** NULL: memory is out. */
struct deferred_list *peer__deferred_list_create(uint64_t key);
/** Before this no owner may be left; or NULL. */
void peer__deferred_list_free(struct deferred_list *list);
/** What a record that waits costs. */
size_t peer__deferred_cost(const struct record *record);

/** Undecided, under the next number. NULL: memory is out. */
struct deferred *peer__deferred_add(struct deferred_list *list, struct record *record, int32_t change);
void peer__deferred_give(struct deferred_list *list, struct deferred *deferred, struct deferred_owner *owner,
                         uint64_t connection_id);
/** What it has brought belongs to nobody from here on. `list` may be NULL: it has brought nothing. */
void peer__deferred_disown(struct deferred_list *list, struct deferred_owner *owner);
void peer__deferred_drop(struct deferred_list *list, struct deferred *deferred);
/** Or NULL, in all of these. */
struct deferred *peer__deferred_find(struct deferred_list *list, uint64_t number);
struct deferred *peer__deferred_find_record(struct deferred_list *list, const struct record_fields *fields);
/** The first one of that record id, or the next after `before`; they are in the order in which they came. */
struct deferred *peer__deferred_next_of_id(struct deferred_list *list, const peer_guid *id, struct deferred *before);
struct deferred *peer__deferred_oldest_orphan(struct deferred_list *list);
struct deferred *peer__deferred_oldest_undecided(struct deferred_list *list);

#endif
