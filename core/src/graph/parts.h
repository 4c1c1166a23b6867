/** What the files of graph/ do for each other, file by file. Nothing outside graph/ includes this. */
#ifndef PEER_GRAPH_PARTS_H
#define PEER_GRAPH_PARTS_H

#include "graph/state.h"

/* engine.c */
void peer__engine_enter(struct engine *engine);
void peer__engine_leave(struct engine *engine);
int64_t peer__engine_now_us(const struct engine *engine);
/** Local UTC less elapsed time: changes when the clock is stepped. */
int64_t peer__engine_clock_offset_us(const struct engine *engine);
void peer__engine_timer_set(struct engine *engine, struct timer *timer, int64_t delay_us);
/** A random number below `bound`, which is not 0. */
uint64_t peer__engine_draw(struct engine *engine, uint64_t bound);
/** The graph that listens there. `peer_id` without data: any. */
struct graph *peer__engine_find_graph(struct engine *engine, const struct listener *listener, struct span graph_id,
                                      struct span peer_id);

/* link.c */
peer_status peer__link_create(struct engine *engine, struct graph *graph, struct link **link_out);
struct link *peer__graph_find_link(struct graph *graph, uint64_t connection_id);
/** Sends what stands in engine->message and clears it. */
void peer__link_send(struct link *link);
int peer__link_has_room(const struct link *link);
/** Reading stops while the graph's store is behind or memory for messages is short; TCP holds the sender back. */
int peer__link_is_read(const struct link *link);
/** Something of that has changed. */
void peer__link_update_reading(struct link *link);
/** Tells the transport, and no more. */
void peer__link_apply_reading(struct link *link);
int peer__link_is_neighbour(const struct link *link); /* CONNECTED and not direct */
/**
 * Ends a link: events, status, the transport told to let go after what is queued was sent. `message` says why in one line.
 * The memory goes when the input under way has been dealt with.
 */
void peer__link_end(struct link *link, peer_status reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for input that breaks the protocol; `what` is for people. */
void peer__link_violation(struct link *link, const char *what);
void peer__link_out_of_memory(struct link *link);
void peer__link_free(struct link *link);

/* liveness.c */
/** A link has become CONNECTED: from now on its timer looks whether it lives. */
void peer__link_watch(struct link *link);
/** The timer: ends a link that is dead or stands still, pings one that is idle. */
void peer__link_look(struct link *link);
void peer__link_ping(struct link *link);
void peer__link_note_sent(struct link *link, size_t size);
void peer__link_note_received(struct link *link);
/** peer__link_leads has changed, maybe. */
void peer__link_note_leading(struct link *link);

/* crowd.c */
/** A connection from there is about to be accepted: if too many have not introduced themselves, one of them ends. */
void peer__engine_make_place(struct engine *engine, const struct address *remote);

/* partial.c */
/** After input, and when the link has ended: how much of a message it holds; large ones may have to wait. */
void peer__link_note_partial(struct link *link);
/** Whether it may be read has changed, maybe: another one may have to go on. */
void peer__link_share_out(struct link *link);
/** 1 if other messages wait for the one of this link, which is read. */
int peer__link_leads(const struct link *link);

/* handshake.c */
struct dial_request {
    const char *address;
    const char *peer_id; /* who must answer; NULL: anyone */
    int64_t timeout_us;  /* for the TCP connection; 0: D-13 */
    int automatic;
    int referred;
    uint8_t type; /* enum connection_type; 0: a neighbour's */
};
peer_status peer__link_dial(struct graph *graph, const struct dial_request *request, struct link **link_out);
void peer__link_say_auth_info_and_connect(struct link *link);
void peer__link_on_auth_info(struct link *link, const struct wire_auth_info *message);
void peer__link_on_connect(struct link *link, const struct wire_connect *message);
void peer__link_on_welcome(struct link *link, const struct wire_welcome *message);
void peer__link_on_refuse(struct link *link, const struct wire_refuse *message);
void peer__link_on_disconnect(struct link *link, const struct wire_refuse *message);
void peer__link_say_disconnect(struct link *link, uint8_t reason);
void peer__graph_tell_addresses(struct graph *graph);
/** Whether both sides have announced reconciliation. */
int peer__link_reconciles(const struct link *link);

/* direct.c */
/** Why a direct connection may not come in now; NULL: it may. */
const char *peer__link_refuses_direct(const struct link *link);
void peer__link_direct_is_up(struct link *link);
void peer__link_on_data(struct link *link, const struct wire_pt2pt *message);
void peer__link_tell_writable(struct link *link);

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

/* autorefresh.c */
/** The application has set the flag on a record: in the transaction under way, the graph remembers that there are such. */
peer_status peer__graph_expect_autorefresh(struct graph *graph);
peer_status peer__graph_load_autorefresh(struct graph *graph);
void peer__graph_autorefresh_fire(struct timer *timer);

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

/* peer_time.c */
uint64_t peer__graph_now(const struct graph *graph);
/** decisions.md 5: a step of the local clock changes the delta, not peer time. With every input. */
void peer__graph_look_at_clock(struct graph *graph, int64_t offset_us);
/** Whether what has expired by our clock may be deleted. */
int peer__graph_clock_is_sure(const struct graph *graph);
/** Notes that peer time is right now; into the transaction under way. */
void peer__graph_note_time(struct graph *graph);
peer_status peer__graph_load_time(struct graph *graph);
/** That of an exported database, into the transaction under way. `*taken_out` 0: this node knows better. */
peer_status peer__graph_take_time(struct graph *graph, const struct archive_head *head, int *taken_out);
/** 10: a WELCOME with the neighbour's peer time arrived. */
void peer__graph_adjust_time(struct graph *graph, const struct link *link, uint64_t remote_time);

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

/* commit.c */
/** Room for one more effect, so that adding it cannot fail. */
peer_status peer__graph_reserve_effect(struct graph *graph);
/** Adds an effect; the record of EFFECT_STORED is retained. */
peer_status peer__graph_add_effect(struct graph *graph, const struct effect *effect);
/** A timer: the store was behind; reading goes on if it is no longer. */
void peer__graph_relieve(struct timer *timer);
/** Commits and lets effects out. On failure they are dropped and the links that brought them end. */
peer_status peer__graph_commit(struct graph *graph);
void peer__graph_drop_effects(struct graph *graph);
/** After a commit that did not come through here. */
void peer__graph_maintain_store(struct graph *graph);

/* record_put.c */
struct held { /* what the store has of an id; no bodies */
    int found;
    uint32_t local_flags;
    uint64_t seq;
    struct record *record; /* retained */
};
peer_status peer__graph_find(struct graph *graph, const peer_guid *id, struct held *held_out);
/** Puts a record into the transaction under way, with its effects. `change` 0: no event. */
peer_status peer__graph_put(struct graph *graph, struct record *record, int32_t change, uint64_t source);
/** The same for a record that this node publishes, with flags that do not travel (D-09). */
peer_status peer__graph_put_flagged(struct graph *graph, struct record *record, int32_t change, uint64_t source,
                                    uint32_t local_flags);
/** Puts it into the store, with what searches find of it. `seq` 0: at the end; else where it stands already. */
peer_status peer__graph_put_row(struct graph *graph, const struct record *record, uint32_t local_flags, uint64_t seq,
                                uint64_t *seq_out);
int peer__record_is_hidden(const struct graph *graph, const struct record_fields *fields);
int peer__time_is_expired(const struct graph *graph, const peer_guid *type, uint64_t expires);
/** 1 while expiration is deferred because nobody is connected. */
int peer__graph_expires_nothing(const struct graph *graph);

/* indexing.c */
/** Sees to it that searches find what an older version has written. */
peer_status peer__graph_make_searchable(struct graph *graph);

/* flood.c */
void peer__link_on_flood(struct link *link, const struct wire_flood *message);
/** 6.8: whether a record that somebody else has made may be taken at all. A failure is one of ours. */
peer_status peer__graph_check_received(const struct graph *graph, const struct record_fields *fields, int *valid_out);
/** What it means for the application that a record takes the place of the held one; 0: nothing. */
int32_t peer__graph_change_of(const struct graph *graph, const struct record_fields *fields, const struct held *held);
void peer__link_on_ack(struct link *link, const struct wire_ack *message);

/** A record that was judged valid is processed as if it had just come (3.1.4.10); `connection_id` brought it. */
peer_status peer__graph_take_judged(struct graph *graph, struct record *record, uint64_t connection_id);

/* deferred.c */
/** Whether the application has judged this very copy invalid. */
peer_status peer__graph_has_rejected(struct graph *graph, const struct record *record, int *rejected_out);
/** Puts a record into the deferred list, and asks. `*taken_out` 0: there is no room, and it comes again later. */
peer_status peer__graph_defer(struct link *from, struct record *record, int32_t change, int *taken_out);
/** 1: our synchronization waits for judgements of what it brought; peer__sync_on_end is called again then. */
int peer__link_awaits_judgement(struct link *link);
/** The link ends; what it has brought waits on. */
void peer__link_leaves_deferred(struct link *link);
void peer__graph_deferred_fire(struct timer *timer);
/** Drops what has expired while it waited, and gives the moment when the next one does, or UINT64_MAX. */
uint64_t peer__graph_expire_deferred(struct graph *graph, uint64_t now);
int peer__graph_is_judged_by_application(const struct graph *graph);
void peer__graph_let_application_judge(struct graph *graph);

/* graph_info.c */
peer_status peer__graph_publish_info(struct graph *graph, const peer_graph_properties_view *properties);
/** A GRAPH_INFO record was stored: take it over. */
void peer__graph_take_info(struct graph *graph, struct record *record, int tell);

/* expiry.c */
void peer__graph_expiry_schedule(struct graph *graph, uint64_t expires);
void peer__graph_expiry_fire(struct timer *timer);
void peer__graph_expiry_now(struct graph *graph);

/* events.c */
void peer__graph_tell(struct graph *graph, const peer_event_view *event);
void peer__graph_tell_record(struct graph *graph, const struct record *record, int32_t change);
void peer__graph_tell_connection(struct link *link, int32_t change, peer_status reason, const char *message);
/** A dial that the application asked for did not become a connection; `next` is what follows in its place, or 0. */
void peer__graph_tell_failure(struct link *link, peer_status reason, const char *message, uint64_t next);
void peer__graph_tell_status(struct graph *graph);
void peer__graph_tell_progress(struct graph *graph, struct progress *progress);

/* export.c */
/** Records that open does not load: presence, signature, contacts. */
int peer__type_is_of_the_moment(const peer_guid *type);

/* limits.c */
/** PEER_E_DATABASE_FULL if the record, in the place of `held` (or NULL), would be beyond a limit. */
peer_status peer__graph_check_limits(struct graph *graph, const struct record *record, const struct record *held);
/** A neighbour's record was refused for that reason. */
void peer__graph_note_shortage(struct graph *graph, const struct record *record);
/** 1: it would fit now. */
int peer__graph_shortage_is_over(struct graph *graph);

/* storage.c */
enum storage_reason {
    STORAGE_DISK = 1, /* the file system is full */
    STORAGE_LIMIT = 2 /* the database has reached its limit (decisions.md 6) */
};
/** Whether a record may be stored: 0 while there is no room, or while what room there is serves deletions. */
int peer__graph_has_room(struct graph *graph);
/** The same for a call: tries to make sure, and fails with PEER_E_DISK_FULL. */
peer_status peer__graph_require_room(struct graph *graph);
/** After PEER_E_DISK_FULL: gives up the reserve. 1: the write that may not fail for want of room can be tried again. */
int peer__engine_make_room(struct engine *engine);
/** There is no room for one reason, or there is again. Tells the status; the last reason that goes synchronizes anew. */
void peer__graph_set_storage_full(struct graph *graph, enum storage_reason reason, int full);
/** A record from this neighbour was neither stored nor acknowledged: SYNCHRONIZED is withdrawn until it has come. */
void peer__link_note_refused(struct link *link);
/** The same of a record whose neighbour has gone. */
void peer__graph_note_missing(struct graph *graph);
void peer__graph_room_fire(struct timer *timer);
/** Of every synchronization that ends: whether nothing is missing any more. */
void peer__link_note_synchronized(struct link *link, uint64_t refused_before);

/* listen.c */
/** Whether the address leads to where this graph listens; other graphs may listen there, too. */
int peer__graph_listens_at(const struct graph *graph, const struct address *address);
void peer__graph_unlisten(struct graph *graph);

/* settings.c */
peer_status peer__setting_put_u64(struct store *store, const char *name, uint64_t value);
peer_status peer__setting_get_u64(struct store *store, const char *name, uint64_t *value_out); /* 0 if absent */
/** Notes in the store that we are connected and synchronized now; `force` 0: not more often than every 5 s. */
peer_status peer__graph_note_presence(struct graph *graph, int force);

#endif
