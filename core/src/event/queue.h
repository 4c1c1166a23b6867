/**
 * A bounded queue of events and the descriptor that announces it. Its own mutex guards it: posting happens under a
 * runtime's lock, taking under none. Invariant, under the mutex: the descriptor is readable if and only if the queue
 * holds something.
 */
#ifndef PEER_EVENT_QUEUE_H
#define PEER_EVENT_QUEUE_H

#include "base/list.h"
#include "event/object.h"
#include "event/ready.h"
#include "peergraph/peergraph.h"

/** Bytes that a queue of the API holds at most, before it overflows. */
#define EVENT_QUEUE_SIZE_MAX (32u * 1024 * 1024)

/** An event as it waits: a record change is small, everything else carries a whole view. Defined in queue.c. */
struct peer_event;

struct event_queue {
    struct list subscription; /* in the graph's list, guarded by the runtime's lock, not by ours */
    struct event_queue_state *state;
};

/** `count` 0: every event. Holds about `bytes_max` at most. Counted; starts with one reference. */
peer_status peer__event_queue_create(uint32_t count, const peer_event_registration *registrations, size_t bytes_max,
                                     struct event_queue **queue_out);
struct event_queue *peer__event_queue_retain(struct event_queue *queue);
void peer__event_queue_release(struct event_queue *queue);

/** Bytes that the queue holds, with what the allocator adds to each block; not the index by which changes are merged. */
size_t peer__event_queue_bytes(const struct event_queue *queue);

/** 1 if an event of that type (and record type) would be queued. */
int peer__event_queue_wants(const struct event_queue *queue, int32_t type, const peer_guid *record_type);

/**
 * Queues a copy of `event` if the queue wants it. Cannot fail: what does not fit, also for want of memory, is counted and
 * told by one PEER_EVENT_OVERFLOW per type. STATUS_CHANGED and CLOSED always fit (their room is reserved). Nothing is
 * queued after CLOSED.
 */
void peer__event_queue_post(struct event_queue *queue, const peer_event_view *event);

/** Direct data that a queue holds before the connections that bring it are read no more, and on which it is read again. */
#define DIRECT_HIGH_WATER (1024u * 1024)
#define DIRECT_LOW_WATER (512u * 1024)
/** The same for data of a direct connection, which is never dropped. E_OUTOFMEMORY: it is not queued. */
peer_status peer__event_queue_post_direct(struct event_queue *queue, const peer_event_view *event);
/** 1 while it holds more direct data than it should: from DIRECT_HIGH_WATER down to DIRECT_LOW_WATER. */
int peer__event_queue_is_crowded(const struct event_queue *queue);
/** 1, once, after it was crowded and is no more: whoever has taken from it tells the graph. */
int peer__event_queue_was_cleared(struct event_queue *queue);

/** Queues PEER_EVENT_CLOSED, the last event. The second close does nothing. */
void peer__event_queue_close(struct event_queue *queue, peer_status reason, const char *message);

/** From now on news of the queue are told to `set`, which then gives `mark`. At most once. */
void peer__event_queue_announce(struct event_queue *queue, struct ready_set *set, uintptr_t mark);
/** 1 if a wait would end at once: there is an event, or none will come. */
int peer__event_queue_is_settled(const struct event_queue *queue);

/** Takes the first event, or PEER_S_NO_EVENT_DATA. */
peer_status peer__event_queue_take(struct event_queue *queue, struct peer_event **event_out);
/** Takes up to `count_max` events as an array object of views (freed with peer_free_data). */
peer_status peer__event_queue_take_batch(struct event_queue *queue, uint32_t count_max, size_t view_size,
                                         uint32_t *count_out, const peer_event_view **views_out);
/** The descriptor, made at the first call. */
peer_status peer__event_queue_descriptor(struct event_queue *queue, int64_t *descriptor_out);
/** Waits without any lock but the queue's. Ends early, with PEER_S_NO_EVENT_DATA, when the queue is unregistered. */
peer_status peer__event_queue_wait(struct event_queue *queue, int32_t timeout_ms);
/** Unregistered: drops what it holds, closes the descriptor, wakes who waits. The memory goes with the last reference. */
void peer__event_queue_end(struct event_queue *queue);

peer_status peer__event_get_view(const struct peer_event *event, size_t view_size, peer_event_view *view_out);

#endif
