/**
 * What stands behind the handles of the API, and how a call gets at it safely. A handle's value holds kind, slot and
 * generation, never an address, so that a stale or invented one is told from a live one without touching memory.
 *
 * Rules of life and death. One table with one mutex, held for moments, guards all handles, the fields below and the
 * references. Whoever uses a thing holds a reference (its memory stays) and a pin of its runtime (the driver stays):
 * peer_shutdown takes the handles away, waits for the pins and only then stops the driver. What belongs to the engine
 * (`graph`) is used under the driver's lock and is NULL once the graph is closed. Locks are taken in the order driver,
 * table, or queue; the table's mutex is never held while another one is waited for.
 */
#ifndef PEER_API_HANDLE_H
#define PEER_API_HANDLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/driver.h"
#include "base/list.h"
#include "event/queue.h"
#include "peergraph/peergraph.h"

struct graph;
struct graph_change;

enum handle_kind { HANDLE_RUNTIME = 1, HANDLE_GRAPH, HANDLE_QUEUE, HANDLE_ENUM, HANDLE_BATCH, HANDLE_SIM };

/** What every thing behind a handle begins with. */
struct thing {
    enum handle_kind kind;
    uintptr_t handle; /* 0: it has none any more */
    unsigned references;
    struct thing *parent; /* referenced; a runtime of its simulated network if it has one, a graph of its runtime, all
                             others of their graph */
    struct list children; /* those that have a handle */
    struct list sibling;
};

/** Also a simulated network, whose driver is that of all its hosts together. */
struct api_runtime {
    struct thing thing;
    struct driver *driver;
    unsigned pins; /* calls under way, those for the runtimes of a network included */
    int stopping;
};

struct sim;
struct ready_set;
struct search_result;

struct api_sim {
    struct api_runtime base;
    struct sim *sim; /* under the driver's lock */
    struct ready_set *ready;
};

struct api_graph {
    struct thing thing;
    struct graph *graph; /* under the driver's lock; NULL: closed */
};

struct api_queue {
    struct thing thing;
    struct event_queue *queue;
};

enum item_of { ITEM_RECORDS, ITEM_NODES, ITEM_CONNECTIONS };

struct api_enum {
    struct thing thing;
    enum item_of item_of;
    void *ids; /* peer_guid of records, or of nodes' presence records; uint64_t of connections */
    uint32_t count;
    uint32_t next;                /* under the driver's lock, as the two above where there is a search */
    struct search_result *search; /* whose records are still being found; or NULL */
};

struct api_batch {
    struct thing thing; /* the rest under the driver's lock */
    struct graph_change *changes;
    void **blocks; /* what the pointers of each change lead to */
    size_t count;
    size_t capacity;
};

/** Memory for a thing with one reference and no handle yet; NULL when memory is out. */
void *peer__thing_create(enum handle_kind kind, size_t size);
void peer__thing_release(void *thing);

/**
 * Gives a thing its handle and its parent (NULL for a runtime). The caller keeps its reference, the handle has another.
 * PEER_E_NOT_INITIALIZED if the runtime is being shut down, the parent's error if it has ended; E_OUTOFMEMORY. The value
 * comes out here because `thing->handle` is 0 again as soon as another thread shuts the runtime down.
 */
peer_status peer__handle_create(void *thing, void *parent, uintptr_t *handle_out);
/** Takes the handle away, and those of all children but queues. 0, or -1 if it had none any more: somebody was faster. */
int peer__handle_retire(void *thing);

/* ---- entering and leaving: the frame of every function */

/** PEER_E_FORKED, or PEER_E_NOT_INITIALIZED if no runtime is alive or the process is exiting. First in every function. */
peer_status peer__check_process(void);
/** PEER_E_FORKED only. */
peer_status peer__check_not_forked(void);

/** One call under way. */
struct call {
    struct api_runtime *runtime;
    struct api_graph *graph; /* NULL for the own functions of a runtime or network */
    void *thing;             /* what the handle named */
    int imports;             /* the graph's database: what others may not do meanwhile */
    int locked;
};

/** The error of a call that another one was faster than. */
peer_status peer__has_ended(enum handle_kind kind);

/** Looks up and pins, without the driver's lock. The error of the kind if there is no such handle. */
peer_status peer__enter(struct call *call, enum handle_kind kind, const void *handle);
/** The same, takes the driver's lock and makes sure that the graph is still open: else PEER_E_GRAPH_SHUTTING_DOWN. While
 *  its database is imported: PEER_E_GRAPH_IN_USE. */
peer_status peer__enter_locked(struct call *call, enum handle_kind kind, const void *handle);
/** Locks and unlocks again within a call. PEER_E_GRAPH_SHUTTING_DOWN, or the error of the kind if the thing ended meanwhile. */
peer_status peer__call_lock(struct call *call);
/** Locks whatever has ended: for a call that took the handle away itself. */
void peer__call_lock_for_end(struct call *call);
void peer__call_unlock(struct call *call);
/** Unlocks if locked, unpins, gives `status` back. */
peer_status peer__leave(struct call *call, peer_status status);

/** The queue of a handle, retained: queues outlive their runtime and need no pin. */
peer_status peer__enter_queue(const peer_event_queue *handle, struct event_queue **queue_out);
/** Takes a queue's handle away and pins its runtime if that is alive; `call->runtime` is NULL if not, or at exit. */
peer_status peer__enter_unregister(struct call *call, const peer_event_queue *handle);

/** Ends a runtime or a network: handles gone, calls under way waited for, driver stopped. */
peer_status peer__runtime_end(enum handle_kind kind, const void *handle);

/* ---- simulated networks */

/** The network of a runtime; NULL: it is a real one. */
struct api_sim *peer__network_of(struct api_runtime *runtime);
/** 1 if a handle of that kind and value is alive. */
int peer__handle_is_alive(enum handle_kind kind, uintptr_t handle);
/** Takes a runtime's handles away and waits for its calls, without the driver's lock. 0, or -1: somebody was faster. */
int peer__runtime_retire(uintptr_t handle);
/** The queue of a handle, retained, as peer__enter_queue; and if its time is virtual, a call that pins its runtime. */
peer_status peer__enter_wait(struct call *call, const peer_event_queue *handle, struct event_queue **queue_out);
/** For what follows taking from a queue: 1 and the lock, to be left by peer__leave; or 0 if the runtime has ended or the
 * queue was unregistered, which is no error. The graph may be closed. */
int peer__enter_queue_locked(struct call *call, const peer_event_queue *handle);
/** 1 if the runtime of a call is about to end. */
int peer__call_is_unwanted(const struct call *call);

#endif
