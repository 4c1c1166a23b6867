/** What a graph holds: its records, and whatever happens to them on this node alone. For the rest of the engine, file by file. */
#ifndef PEER_GRAPH_RECORDS_PARTS_H
#define PEER_GRAPH_RECORDS_PARTS_H

#include "graph/state.h"

/* autorefresh.c */
/** The application has set the flag on a record: in the transaction under way, the graph remembers that there are such. */
peer_status peer__graph_expect_autorefresh(struct graph *graph);
peer_status peer__graph_load_autorefresh(struct graph *graph);
void peer__graph_autorefresh_fire(struct timer *timer);

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

#endif
