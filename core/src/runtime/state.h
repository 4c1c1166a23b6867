/**
 * What the files of the runtime share. One rule keeps it simple: a descriptor may be read, written and shut down by
 * whoever holds the lock, but only the loop's thread waits for descriptors, closes them, and tells the engine what
 * happened. What another thread leaves to be done stands in a list, and the loop is woken.
 */
#ifndef PEER_RUNTIME_STATE_H
#define PEER_RUNTIME_STATE_H

#include <stdatomic.h>
#include <uv.h>

#include "base/driver.h"
#include "base/list.h"
#include "graph/engine.h"
#include "runtime/exit.h"
#include "runtime/lock.h"
#include "runtime/workers.h"

/** Input of one turn, and how long a turn should be at most (decisions.md 2). */
#define TURN_SIZE_MIN (4u * 1024)
#define TURN_SIZE_MAX (64u * 1024)
#define TURN_TIME_MAX_US 2000

struct runtime {
    struct driver driver; /* first: a driver of ours is a runtime */
    struct live live;
    struct lock lock;
    struct engine_config config;
    struct workers workers;

    /* The loop's thread only. */
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t timer;
    struct watch *address_news; /* NULL: not watched, as long as nobody listens or where it cannot be */
    int spare_fd;               /* given up for a moment to refuse a connection when descriptors are out; -1: none */
    int ending;                 /* the lock is held for good */
    uint8_t input[TURN_SIZE_MAX];
    size_t turn_size; /* of the next turn */

    /* Under the lock. */
    struct timers timers;    /* the transport's; the engine has its own */
    int64_t armed_us;        /* what `timer` is set to */
    struct list connections; /* all of them */
    struct list work;        /* connections with something to do at the end of the turn */
    struct list listeners;
    struct list lookups;
    int listeners_changed;
    int had_input; /* since the last look at the commit group */

    pthread_mutex_t stop_mutex; /* held from the request to stop until the loop has been woken for it */
    atomic_int stopping;
    atomic_uint linger_ms; /* of stop */
    atomic_ullong iterations;
};

/** A descriptor that the loop watches. Closed with it. */
struct watch {
    uv_poll_t poll; /* first */
    int fd;
    int events; /* what it waits for now */
    void (*ready)(void *owner, int events);
    void *owner;
};

/* ---- runtime.c: the loop's thread takes and gives back the lock with these; the second sends what the turn left */
void peer__turn_begin(struct runtime *runtime);
void peer__turn_end(struct runtime *runtime);
/** In a turn: 1 if the commit group is full or old. */
int peer__commit_is_overdue(struct runtime *runtime);
/** Between two turns: commits, in a section of its own, so that whoever waited during the turn comes first. */
void peer__commit_turn(struct runtime *runtime);

/* ---- watch.c: the loop's thread only */
/** NULL when memory is out; the descriptor is the caller's then. */
struct watch *peer__watch_open(struct runtime *runtime, int fd, void (*ready)(void *owner, int events), void *owner);
void peer__watch_events(struct watch *watch, int events);
void peer__watch_close(struct watch *watch);

/* ---- transport.c */
void peer__transport_init(struct runtime *runtime, struct transport *transport_out);
/** Under the lock, any thread: sends what can be sent. Connections that need the loop stay in `work`. */
void peer__transport_flush(struct runtime *runtime);
/** The loop's thread, under the lock: one connection of the work list. */
void peer__transport_attend(struct transport_connection *connection);
/** The engine is gone: connections end when their output is sent, listeners and look-ups at once. */
void peer__transport_end(struct runtime *runtime, uint32_t linger_ms);

/* ---- listener.c */
peer_status peer__listener_open(void *self, uint32_t scope, uint32_t scope_id, uint16_t port, void *tag,
                                struct transport_listener **listener_out, struct address addresses[LISTEN_ADDRESS_MAX],
                                size_t *address_count_out);
void peer__listener_close(void *self, struct transport_listener *listener);
/** The loop's thread, under the lock: starts to watch new listeners and frees closed ones. */
void peer__listeners_attend(struct runtime *runtime);
void peer__listeners_close_all(struct runtime *runtime);
/** The loop's thread: nothing more is asked of the system. */
void peer__listeners_end(struct runtime *runtime);

#endif
