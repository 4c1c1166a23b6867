/** Who is connected to whom: finding neighbours, keeping them, and noticing a graph that fell apart. For the rest of the engine, file by file. */
#ifndef PEER_GRAPH_MESH_PARTS_H
#define PEER_GRAPH_MESH_PARTS_H

#include "graph/state.h"

/* dialling.c */
/** Addresses that a neighbour named (9.4 to 9.7) join the referral list. */
void peer__graph_take_referrals(struct link *link, const struct wire_addresses *named);
/** A link has become a neighbour's, or its addresses have changed. */
void peer__graph_note_neighbour(struct link *link);
/** The neighbours are still there, and the address book goes to disk if it should. */
void peer__graph_keep_book(struct graph *graph);
/** Into the transaction under way. */
void peer__graph_save_book(struct graph *graph);
/** Whether this neighbour listens there for certain. */
int peer__link_is_at(const struct link *link, const struct address *address);
/** This address leads to this node. */
void peer__graph_note_self(struct graph *graph, const struct address *address);
/** A dial of ours did not lead to a neighbour: the application is told, or the next one is tried. */
void peer__graph_dial_ended(struct link *link, peer_status reason, const char *message);
/** The neighbour found us the least useful. */
void peer__graph_sent_away(const struct link *link);
void peer__graph_neighbour_lost(struct link *link);
int peer__graph_is_neighbour(const struct graph *graph, uint64_t node_id);
/** Dials a node that a record names, at one of its addresses, unless that was tried lately or it is a neighbour. */
void peer__graph_dial_node(struct graph *graph, const struct roster_entry *entry);
/** Dials somebody of the address book who is not seen present (decisions.md 13). */
void peer__graph_probe(struct graph *graph);
/** Dials once more, if there is anyone. */
void peer__graph_dial_one(struct graph *graph);
/** Sets the timer for the next attempts if neighbours are lacking and there is somebody to ask. */
void peer__graph_seek(struct graph *graph);
void peer__graph_retry(struct timer *timer);

/* maintenance.c */
/** 14: run when neighbours come or go. */
void peer__graph_maintain(struct graph *graph);
void peer__graph_maintain_by_timer(struct timer *timer);
/** The application has listened or connected: from now on the graph keeps itself connected. */
void peer__graph_go_online(struct graph *graph);

/* own_records.c */
struct publication {
    const peer_guid *type;
    const peer_guid *id; /* the one to be replaced, or a fixed one; NULL: a new record */
    struct span payload;
    uint64_t lifetime; /* ticks; 0: a tombstone */
    int fresh;         /* in the place of a held one, but as if it were new: our own, unmodified (decisions.md 20) */
};
/** Stores and floods it, in a transaction of its own. */
peer_status peer__graph_publish(struct graph *graph, const struct publication *publication);
void peer__graph_withdraw(struct graph *graph, const struct own_record *own, const peer_guid *type);
void peer__graph_withdraw_all(struct graph *graph);
void peer__graph_refresh_fire(struct timer *timer);
/** The addresses of this node have changed, which its contact and presence records name. */
void peer__graph_refresh_now(struct graph *graph);
void peer__graph_note_own(struct graph *graph, struct own_record *own, const struct record_fields *fields);
/** 13.3: a record of the graph's own kind was stored, has expired. Sets timers only: this is in the middle of a commit. */
void peer__graph_note_internal(struct graph *graph, const struct record_fields *fields);
void peer__graph_note_internal_expired(struct graph *graph, const peer_guid *type, const peer_guid *id);
/** Whether this node helps to keep the graph together. */
int peer__graph_takes_part(const struct graph *graph);
int64_t peer__graph_random_delay_us(struct graph *graph, unsigned least_s, unsigned most_s);

/* signature.c */
peer_status peer__graph_publish_signature(struct graph *graph);
void peer__graph_calculate_signature(struct graph *graph);
void peer__graph_signature_fire(struct timer *timer);
void peer__graph_note_signature(struct graph *graph, const struct record_fields *fields);
void peer__graph_signature_expired(struct graph *graph);

/* contacts.c */
peer_status peer__graph_publish_contact(struct graph *graph);
void peer__graph_maintain_contacts(struct graph *graph);
void peer__graph_contact_fire(struct timer *timer);
void peer__graph_signature_changed(struct graph *graph);
void peer__graph_detect_partition(struct graph *graph);
void peer__graph_partition_fire(struct timer *timer);
void peer__graph_note_contact(struct graph *graph, const struct record_fields *fields);
void peer__graph_contact_gone(struct graph *graph, const peer_guid *record_id);

/* presence.c */
peer_status peer__graph_refresh_presence(struct graph *graph);
void peer__graph_maintain_presence(struct graph *graph);
void peer__graph_presence_fire(struct timer *timer);
void peer__graph_note_presence_of(struct graph *graph, const struct record_fields *fields);
void peer__graph_presence_gone(struct graph *graph, const peer_guid *record_id);

#endif
