/** Deadlines in monotonic microseconds, earliest first: a heap of intrusive timers. */
#ifndef PEER_BASE_TIMERS_H
#define PEER_BASE_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include "peergraph/peergraph.h"

#define NO_DEADLINE INT64_MAX

struct timer {
    int64_t deadline_us;
    size_t place; /* in the heap, counted from 1; 0: not set */
    void (*fire)(struct timer *timer);
};

/** What is compared stands in the heap itself: with thousands of timers each look at one would miss the cache. */
struct timer_slot {
    int64_t deadline_us;
    uint64_t order; /* timers of one moment fire in the order in which they were set */
    struct timer *timer;
};

struct timers {
    struct timer_slot *heap;
    size_t count;
    size_t capacity;
    size_t reserved; /* timers that exist, set or not; never above capacity */
    uint64_t order;
    int64_t fired_us; /* moment of the latest call of fire */
};

void peer__timer_init(struct timer *timer, void (*fire)(struct timer *timer));
/** Room for `timer_count` more timers; call when their owner is made, so that setting them cannot fail. */
peer_status peer__timers_reserve(struct timers *timers, size_t timer_count);
/** Gives that room back; call when the owner is freed, its timers cancelled. */
void peer__timers_release(struct timers *timers, size_t timer_count);
/** Sets or moves. A deadline before the latest firing counts as that moment. */
void peer__timer_set(struct timers *timers, struct timer *timer, int64_t deadline_us);
void peer__timer_cancel(struct timers *timers, struct timer *timer);
int64_t peer__timers_deadline(const struct timers *timers);
/** Fires what is due at `now_us`; a timer set again for a moment already past fires at the next call. */
void peer__timers_fire(struct timers *timers, int64_t now_us);
void peer__timers_free(struct timers *timers);

#endif
