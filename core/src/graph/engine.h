/**
 * The engine of a runtime: all its graphs and links. Sans-IO: bytes, time and commands go in; bytes, deadlines, store
 * operations, jobs and events come out through the interfaces in base/. One thread at a time: the driver's lock.
 *
 * What a driver does:
 *  - calls the inputs below as things happen, and peer__engine_tick when peer__engine_deadline has come;
 *  - calls peer__engine_commit when input pauses, and earlier when the group of uncommitted records has reached
 *    COMMIT_RECORDS_MAX or COMMIT_DELAY_MAX_US: nothing that depends on a record leaves the engine before;
 *  - after any call from above (graph/graph.h), wakes itself if the deadline has moved.
 */
#ifndef PEER_GRAPH_ENGINE_H
#define PEER_GRAPH_ENGINE_H

#include "base/clock.h"
#include "base/crypto.h"
#include "base/jobs.h"
#include "base/random.h"
#include "base/schema.h"
#include "base/store.h"
#include "base/timers.h"
#include "base/transport.h"

#define COMMIT_RECORDS_MAX 1000u
#define COMMIT_DELAY_MAX_US 50000

/** How long a closed connection may take to send what is queued, a DISCONNECT as a rule. */
#define GOODBYE_LINGER_MS 1000u

struct engine;

struct engine_config {
    struct clock clock;
    struct random random;
    struct crypto crypto;
    struct transport transport;
    struct jobs jobs;
    struct schema schema;
    struct store_factory stores;
    int is_plain; /* announces no reconciliation: for tests of plain synchronization */
};

peer_status peer__engine_create(const struct engine_config *config, struct engine **engine_out);
/** Closes every graph (reason for their queues: PEER_E_GRAPH_SHUTTING_DOWN), lets every connection go. NULL is accepted. */
void peer__engine_free(struct engine *engine);

/* ---- input from the transport; `tag` is what the engine gave to listen or dial, or got from peer__engine_accepted */

/** A listener accepted a connection. On failure the transport closes it. */
peer_status peer__engine_accepted(struct engine *engine, void *listener_tag, struct transport_connection *connection,
                                  const struct address *remote, void **tag_out);
/** A dialled connection is up. */
void peer__engine_connected(struct engine *engine, void *tag, const struct address *remote);
void peer__engine_received(struct engine *engine, void *tag, const void *data, size_t size);
void peer__engine_writable(struct engine *engine, void *tag);
/** The connection ended or was never made: `message` says why in one line. The transport forgets it after this call. */
void peer__engine_closed(struct engine *engine, void *tag, peer_status reason, const char *message);

/** The addresses of a listener are others now, best first, at least one; the port is what it was. */
void peer__engine_addresses_changed(struct engine *engine, void *listener_tag, const struct address *addresses,
                                    size_t address_count);

/** 1 if the connection joins its graph to a neighbour. */
int peer__engine_is_neighbour(const void *tag);

/* ---- time */

int64_t peer__engine_deadline(const struct engine *engine); /* monotonic; NO_DEADLINE */
void peer__engine_tick(struct engine *engine);

/* ---- the commit group */

size_t peer__engine_uncommitted(const struct engine *engine);
/** Monotonic moment of the first uncommitted change; NO_DEADLINE if there is none. */
int64_t peer__engine_uncommitted_since_us(const struct engine *engine);
/** Commits every graph's changes and then lets their effects out: acknowledgements, forwards, events. */
void peer__engine_commit(struct engine *engine);

#endif
