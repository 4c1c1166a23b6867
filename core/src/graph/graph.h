/**
 * One graph, as the functions of the API use it. All under the driver's lock. Arguments were checked for form by the
 * caller (NULL, struct sizes, UTF-8, lengths of ids); rules of content are checked here. A function that changes records
 * commits before it returns, and what was uncommitted from the network with it.
 */
#ifndef PEER_GRAPH_GRAPH_H
#define PEER_GRAPH_GRAPH_H

#include "event/queue.h"
#include "graph/engine.h"
#include "wire/archive.h"
#include "wire/payload.h"
#include "wire/record.h"

struct graph;

peer_status peer__graph_create(struct engine *engine, const peer_graph_properties_view *properties,
                               const char *database_name, uint32_t options, struct graph **graph_out);
/** PEER_OK or PEER_S_GRAPH_DATA_CREATED. */
peer_status peer__graph_open(struct engine *engine, const char *graph_id, const char *peer_id,
                             const char *database_name, uint32_t options, uint32_t precedence_count,
                             const peer_guid *precedence, struct graph **graph_out);
/**
 * Says goodbye, gives every queue CLOSED with that reason, frees the graph. The caller closes the store, better without a
 * lock: its journal moves into the database then, which takes as long as it is.
 */
struct store *peer__graph_end(struct graph *graph, peer_status reason, const char *message);
/** What its records may hold; 0: the defaults, 1 GiB and no limit. */
struct graph_limits {
    uint64_t database_bytes;
    uint64_t bytes_per_creator;
};
/** Of a graph that was just created or opened; those of before are the defaults. */
void peer__graph_set_limits(struct graph *graph, const struct graph_limits *limits);
/** Says goodbye, closes the store, gives every queue CLOSED with that reason, frees the graph. */
void peer__graph_close(struct graph *graph, peer_status reason, const char *message);
/** Of a graph that is closed. */
peer_status peer__graph_delete_data(struct engine *engine, const char *graph_id, const char *peer_id,
                                    const char *database_name);

peer_status peer__graph_listen(struct graph *graph, uint32_t scope, uint32_t scope_id, uint16_t port);
/** `peer_id` and `connection_id_out` may be NULL. */
peer_status peer__graph_connect(struct graph *graph, const char *peer_id, const char *address,
                                uint64_t *connection_id_out);

uint32_t peer__graph_status(const struct graph *graph);
/** Spans are valid until the lock is released. PEER_E_GRAPH_NOT_READY. */
peer_status peer__graph_properties(const struct graph *graph, struct graph_info *info_out);

struct graph_node_info {
    uint64_t node_id;
    const char *peer_id;    /* valid until the lock is released */
    const char *attributes; /* the same; or NULL */
    size_t address_count;
    struct address addresses[LISTEN_ADDRESS_MAX];
};
/** `node_id` 0: this node; others if they are present or neighbours. PEER_E_NODE_NOT_FOUND. */
peer_status peer__graph_node_info(const struct graph *graph, uint64_t node_id, struct graph_node_info *info_out);

/** Presence records of the present nodes, all or those of a peer. PEER_E_GRAPH_NOT_READY. Free the ids with peer__free. */
peer_status peer__graph_list_nodes(const struct graph *graph, const char *peer_id, peer_guid **ids_out,
                                   size_t *count_out);
/** One of them. PEER_E_NODE_NOT_FOUND, without an error line: it has left. */
peer_status peer__graph_present_node(const struct graph *graph, const peer_guid *record_id,
                                     struct graph_node_info *info_out);

struct graph_connection_info {
    uint32_t flags; /* PEER_CONNECTION_* */
    uint64_t connection_id;
    uint64_t node_id;
    uint64_t lost_count; /* messages of data for which nobody was registered */
    const char *peer_id; /* valid until the lock is released; or NULL */
    struct address address;
};
/** The connections that are up, of the kinds in `flags`. Free the ids with peer__free. */
peer_status peer__graph_list_connections(const struct graph *graph, uint32_t flags, uint64_t **ids_out,
                                         size_t *count_out);
/** One of them. PEER_E_CONNECTION_NOT_FOUND, without an error line: it has ended. */
peer_status peer__graph_connection_info(struct graph *graph, uint64_t connection_id,
                                        struct graph_connection_info *info_out);

/** Bytes of one message of the application (ours; decisions.md 16 for neighbours). */
#define DIRECT_DATA_MAX (4u * 1024 * 1024)
#define NEIGHBOUR_DATA_MAX (1024u * 1024)
/** What a message has besides its data, and some to spare. A larger one ends the connection. */
#define DIRECT_MESSAGE_OVERHEAD_MAX 1024u
/** PEER_E_CONNECT_SELF, PEER_E_CONNECTION_FAILED. */
peer_status peer__graph_open_direct(struct graph *graph, const char *peer_id, const char *address,
                                    uint64_t *connection_id_out);
/** PEER_E_CONNECTION_NOT_FOUND. */
peer_status peer__graph_close_direct(struct graph *graph, uint64_t connection_id);
/** Reads the connection no more (1), or again (0). PEER_E_CONNECTION_NOT_FOUND. */
peer_status peer__graph_pause_direct(struct graph *graph, uint64_t connection_id, int paused);
/** PEER_E_CONNECTION_NOT_FOUND, PEER_E_OUTBOX_FULL, E_INVALIDARG. */
peer_status peer__graph_send(struct graph *graph, uint64_t connection_id, const peer_guid *data_type, const void *data,
                             size_t size);
/** A queue that was full of direct data has been read, or is gone: reading goes on. */
void peer__graph_data_was_taken(struct graph *graph);

/** Friendly name, comment, presence lifetime and maximum, published to everyone; the rest is ignored. */
peer_status peer__graph_set_properties(struct graph *graph, const peer_graph_properties_view *properties);

/** Presence even where the graph's maximum speaks against it (1), or as the graph wants it (0). */
void peer__graph_set_presence(struct graph *graph, int forced);
/** Text that travels with this node's presence, well-formed UTF-8; NULL: none. */
peer_status peer__graph_set_attributes(struct graph *graph, const char *attributes);

int64_t peer__graph_peer_time_us(struct graph *graph, int64_t time_utc_us);
int64_t peer__graph_universal_time_us(struct graph *graph, int64_t time_us);

enum change_kind { CHANGE_ADD, CHANGE_UPDATE, CHANGE_DELETE };
/** One change of a batch. `input.id` is the record's id for all three kinds. Spans and texts belong to the caller. */
struct graph_change {
    enum change_kind kind;
    peer_record_view input;
};

/** Checks what add would refuse and draws the id, storing nothing. */
peer_status peer__graph_prepare_add(struct graph *graph, const peer_record_view *input, peer_guid *id_out);
/** Checks what update (of a record that may still have to be added) would refuse by its content alone. */
peer_status peer__graph_prepare_update(struct graph *graph, const peer_record_view *input);
/** Carries changes out in one transaction, all or nothing. An add's id was given by peer__graph_prepare_add. */
peer_status peer__graph_apply(struct graph *graph, const struct graph_change *changes, size_t change_count);

peer_status peer__graph_add(struct graph *graph, const peer_record_view *input, peer_guid *id_out);
peer_status peer__graph_update(struct graph *graph, const peer_record_view *input);
peer_status peer__graph_delete(struct graph *graph, const peer_record_view *input);
/** On this node alone, where the application judges records, else E_INVALIDARG. */
peer_status peer__graph_delete_here(struct graph *graph, const peer_guid *id);

/** A record that waits for the application's judgement. PEER_E_RECORD_NOT_FOUND. `*record_out` is retained. */
peer_status peer__graph_get_deferred(struct graph *graph, uint64_t id, struct record **record_out);
/** PEER_OK: it is taken; PEER_E_INVALID_RECORD: dropped; PEER_E_DEFERRED_VALIDATION: it waits on. */
peer_status peer__graph_judge(struct graph *graph, uint64_t id, peer_status verdict);
/** Asks once more about the records with these ids, or about all (0). */
void peer__graph_ask_again(struct graph *graph, size_t count, const peer_guid *ids);
/** A record that is neither deleted nor expired. `*record_out` is retained. */
peer_status peer__graph_get(struct graph *graph, const peer_guid *id, struct record **record_out,
                            uint32_t *local_flags_out);
/**
 * A search of the application's records. It begins under the lock; after that it needs none, and sees the records as they
 * were then. After begin, whatever its result, it has to be ended.
 */
struct graph_search {
    struct store_search *store;
    uint64_t expired_until;
    struct buffer ids; /* peer_guid: what was found so far */
};
/** `tree` has to live as long as the search. PEER_E_GRAPH_NOT_READY. */
peer_status peer__graph_search_begin(struct graph *graph, const struct search *tree, struct graph_search *search);
/** Finds some more, about a millisecond long. PEER_E_GRAPH_SHUTTING_DOWN if the graph was closed meanwhile. */
peer_status peer__graph_search_step(struct graph_search *search, int *end_out);
void peer__graph_search_end(struct graph_search *search);
/** Hands a job to the workers. Under the lock. */
void peer__graph_submit(struct graph *graph, struct job *job);
/**
 * What an enumeration shows, listed in pieces: between two steps the lock may be let go. The result is what was there at
 * the last step, in order of arrival. After begin, whatever its result, the listing has to be freed.
 */
struct graph_listing {
    int has_type;
    peer_guid type;
    struct buffer creator_id; /* UTF-16BE */
    struct store_position position;
    uint64_t began_seq;
    struct buffer ids;  /* stored up to `began_seq`: peer_guid */
    struct buffer late; /* stored since */
};
peer_status peer__graph_listing_begin(struct graph *graph, const peer_guid *type, const char *creator_id,
                                      struct graph_listing *listing);
/** Looks at `row_max` records at most. */
peer_status peer__graph_listing_step(struct graph *graph, struct graph_listing *listing, size_t row_max, int *end_out);
/** Needs no lock. Free the ids with peer__free. */
peer_status peer__graph_listing_finish(struct graph_listing *listing, peer_guid **ids_out, size_t *count_out);
void peer__graph_listing_free(struct graph_listing *listing);
/** All of it at once. */
peer_status peer__graph_list(struct graph *graph, const peer_guid *type, const char *creator_id, peer_guid **ids_out,
                             size_t *count_out);
/* ---- export and import: between two steps the lock may be let go */

/** Of something large that is under way. */
struct progress {
    int32_t action; /* PEER_PROGRESS_* */
    unsigned told_percent;
    uint64_t done; /* bytes */
    uint64_t total;
};

struct graph_export {
    struct crypto crypto;
    struct archive_writer writer;
    struct store_position position;
    struct progress progress;
    int all_written;
    int ended;
};
/** Appends the beginning of the file to `out`. After this and after each step comes a seal. */
peer_status peer__graph_export_begin(struct graph *graph, struct graph_export *export, struct buffer *out);
/** Appends another piece; `export->ended`: it was the last. */
peer_status peer__graph_export_step(struct graph *graph, struct graph_export *export, struct buffer *out);
/** Completes a piece. Needs no lock. */
peer_status peer__graph_export_seal(struct graph_export *export, struct buffer *out);

/** Belongs to the graph from begin to end or drop. */
struct graph_import {
    struct crypto crypto;
    struct progress progress;
    uint64_t began_seq;
    uint64_t ended_seq;
    uint64_t record_count;
    int makes_ready;
    uint64_t left;
    int time_taken;
    int64_t delta_before; /* less what was taken; the same for the next */
    int64_t step_before;
    int has_autorefresh;
    struct record *info_record; /* that was imported; or NULL */
    int is_told;                /* somebody listens to the changes */
    struct buffer changes;      /* of each row that was put, one byte: PEER_RECORD_*, 0: none */
    struct store_position position;
};
/** Other calls for the graph have to be turned away. */
int peer__graph_is_importing(const struct graph *graph);
/** PEER_E_GRAPH_IN_USE, E_INVALIDARG if it was created, PEER_E_DISK_FULL. */
peer_status peer__graph_import_begin(struct graph *graph, struct graph_import *import);
/** PEER_E_INVALID_DATABASE: of another graph or peer. */
peer_status peer__graph_import_head(struct graph *graph, const struct archive_head *head);
/** Takes so many records of a piece of RECORDS; `body` moves along. PEER_E_INVALID_DATABASE, PEER_E_DATABASE_FULL. */
peer_status peer__graph_import_records(struct graph *graph, struct reader *body, size_t record_max);
/** That was all. After a failure the import has to be dropped. `*store_out` NULL: it is committed; else peer__graph_import_commit
 *  is to follow, without the lock and in the same thread. */
peer_status peer__graph_import_end(struct graph *graph, uint64_t record_count, struct store **store_out);
/** The graph may be closed meanwhile, which waits for it. */
peer_status peer__graph_import_commit(struct store *store);
/** It is committed, and the graph is still open: from here on it is used. */
void peer__graph_import_apply(struct graph *graph);
/** Takes everything back, because of `status`. Nothing if there is no import under way. */
void peer__graph_import_drop(struct graph *graph, peer_status status);
/** After the end: tells subscribers what has changed, some at a time. */
peer_status peer__graph_import_tell(struct graph *graph, struct graph_import *import, int *more_out);
void peer__graph_import_progress(struct graph *graph, struct graph_import *import, uint64_t done, uint64_t total);
/** Needs no lock. */
void peer__graph_import_free(struct graph_import *import);

/** PEER_E_GRAPH_NOT_READY if the graph was never synchronized. */
peer_status peer__graph_require_ready(const struct graph *graph);

/** From now on the queue gets the graph's events; the graph holds a reference. */
void peer__graph_subscribe(struct graph *graph, struct event_queue *queue);
void peer__graph_unsubscribe(struct graph *graph, struct event_queue *queue);

#endif
