/**
 * Which queues have news, for who asks instead of polling descriptors. A queue tells it under its own mutex; the set's is
 * the innermost. Counted: the queues outlive whoever asks.
 */
#ifndef PEER_EVENT_READY_H
#define PEER_EVENT_READY_H

#include <stdint.h>

#include "base/list.h"
#include "peergraph/peergraph.h"

struct ready_set;

/** Part of a queue. */
struct ready_entry {
    struct list in_set;
    uintptr_t mark; /* what the set gives */
};
void peer__ready_entry_init(struct ready_entry *entry);

peer_status peer__ready_set_create(struct ready_set **set_out);
struct ready_set *peer__ready_set_retain(struct ready_set *set);
void peer__ready_set_release(struct ready_set *set);

/** At the end, unless it waits there already. */
void peer__ready_set_add(struct ready_set *set, struct ready_entry *entry);
void peer__ready_set_remove(struct ready_set *set, struct ready_entry *entry);
/** Takes the first out of the set; 0: it is empty. */
uintptr_t peer__ready_set_take(struct ready_set *set);
int peer__ready_set_is_empty(struct ready_set *set);

#endif
