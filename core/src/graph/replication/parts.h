/** How the databases of two neighbours become equal: flooding, synchronization, reconciliation. For the rest of the engine, file by file. */
#ifndef PEER_GRAPH_REPLICATION_PARTS_H
#define PEER_GRAPH_REPLICATION_PARTS_H

#include "graph/state.h"

/* sync.c */
void peer__sync_start(struct link *link);
void peer__sync_on_solicit(struct link *link, uint8_t type, const struct wire_solicit *message);
void peer__sync_on_end(struct link *link);
void peer__sync_finish(struct link *link);
void peer__sync_free(struct link *link);
/** Compares the databases: by reconciliation with a node of ours, else by hashes of all ranges. */
void peer__sync_compare(struct link *link);
/** Sends RecordsToSend from now on. */
void peer__sync_push(struct link *link);
/** 1: a question of the other side is being answered. */
int peer__sync_is_answering(const struct link *link);

/* sync_hash.c */
void peer__sync_hash_start(struct link *link);
void peer__sync_hash_on_solicit(struct link *link, const struct wire_solicit *message);
void peer__sync_hash_on_advertise(struct link *link, const struct wire_advertise *message);
void peer__sync_hash_on_request(struct link *link, const struct wire_request *message);
/** One step of the walk, if there is one. What is uncommitted must have been committed: it could still be dropped. */
void peer__sync_hash_step(struct link *link);
void peer__sync_walk_free(struct walk *walk);

/* reconcile.c */
void peer__reconcile_start(struct link *link);
void peer__reconcile_on_end(struct link *link);
/** All records that were to be sent have been. */
void peer__reconcile_pushed(struct link *link);
void peer__link_on_differ(struct link *link, const struct wire_differ *message);
void peer__asking_step(struct link *link);
/** 1: it is for us to move it, not for the other side. */
int peer__asking_is_busy(const struct link *link);
void peer__asking_free(struct link *link);

/* reconcile_answer.c */
void peer__link_on_compare(struct link *link, const struct wire_compare *message);
void peer__answering_step(struct link *link);
void peer__answering_free(struct link *link);

/* advertised.c */
/** Copies the entries; which ranges they are in is noted one by one afterwards. */
peer_status peer__advertised_take(struct advertised *advertised, const struct wire_advertise *message,
                                  const struct random *random);
void peer__advertised_at(const struct advertised *advertised, size_t index, struct wire_abstract *abstract_out);
void peer__advertised_note(struct advertised *advertised, size_t index, size_t range);
/** Of what was noted. */
int peer__advertised_has(const struct advertised *advertised, const struct wire_abstract *abstract, size_t range);
void peer__advertised_free(struct advertised *advertised);

/* outbox.c */
void peer__link_acknowledge(struct link *link, const peer_guid *id, int useful);
void peer__link_owe(struct link *link, const peer_guid *id);
void peer__link_pump(struct link *link);
void peer__graph_pump(struct graph *graph);
void peer__link_answer_free(struct answer *answer);

/* journal.c */
peer_status peer__journal_create(struct journal *journal);
void peer__journal_append(struct journal *journal, uint64_t seq, struct record *record, uint64_t source);
/** The entry of `seq`, or NULL if it is older than what is kept. */
const struct journal_entry *peer__journal_find(const struct journal *journal, uint64_t seq);
void peer__journal_free(struct journal *journal);

/* flood.c */
void peer__link_on_flood(struct link *link, const struct wire_flood *message);
/** 6.8: whether a record that somebody else has made may be taken at all. A failure is one of ours. */
peer_status peer__graph_check_received(const struct graph *graph, const struct record_fields *fields, int *valid_out);
/** What it means for the application that a record takes the place of the held one; 0: nothing. */
int32_t peer__graph_change_of(const struct graph *graph, const struct record_fields *fields, const struct held *held);
void peer__link_on_ack(struct link *link, const struct wire_ack *message);

/** A record that was judged valid is processed as if it had just come (3.1.4.10); `connection_id` brought it. */
peer_status peer__graph_take_judged(struct graph *graph, struct record *record, uint64_t connection_id);

#endif
