/**
 * Who is known from contact or presence records (the Contact List and Presence List of 3.1.1): a copy, in memory, of what
 * these records say, so that questions about nodes do not read the store.
 */
#ifndef PEER_GRAPH_ROSTER_H
#define PEER_GRAPH_ROSTER_H

#include <stddef.h>

#include "base/address.h"

#define ROSTER_ADDRESSES_MAX 4u /* decisions.md 14 */
#define ROSTER_MAX 65536u       /* entries beyond are not remembered: their nodes stay reachable through others */

struct roster_entry {
    peer_guid record_id;
    uint64_t node_id;
    uint64_t signature; /* contacts: the publisher's view */
    char *peer_id;      /* UTF-8; NULL if memory was out */
    char *attributes;   /* presence: UTF-8, or NULL */
    size_t address_count;
    struct address addresses[ROSTER_ADDRESSES_MAX];
};

struct roster {
    struct roster_entry *entries; /* in the order of record ids */
    size_t count;
    size_t capacity;
};

struct roster_entry *peer__roster_find(const struct roster *roster, const peer_guid *record_id);
/** The entry of a node other than `record_id`'s, NULL: none. `record_id` may be NULL. */
struct roster_entry *peer__roster_find_node(const struct roster *roster, uint64_t node_id, const peer_guid *record_id);
/** Puts an entry in the place of the one with its record id; takes the texts over. 0 if there is no room for it. */
int peer__roster_put(struct roster *roster, const struct roster_entry *entry);
void peer__roster_remove(struct roster *roster, const peer_guid *record_id);
void peer__roster_entry_free(struct roster_entry *entry);
void peer__roster_free(struct roster *roster);

#endif
