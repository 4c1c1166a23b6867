#include "base/timers.h"

#include <assert.h>

#include "base/error.h"
#include "base/memory.h"

void peer__timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
    *timer = (struct timer){.deadline_us = NO_DEADLINE, .fire = fire};
}

peer_status peer__timers_reserve(struct timers *timers, size_t timer_count)
{
    if (timer_count > SIZE_MAX - timers->reserved)
        return peer__out_of_memory();
    size_t needed = timers->reserved + timer_count;
    if (needed > timers->capacity) {
        size_t capacity = needed + needed / 2;
        struct timer_slot *heap = peer__realloc_array(timers->heap, capacity, sizeof(*heap));
        if (heap == NULL)
            return peer__out_of_memory();
        timers->heap = heap;
        timers->capacity = capacity;
    }
    timers->reserved = needed;
    return PEER_OK;
}

void peer__timers_release(struct timers *timers, size_t timer_count)
{
    assert(timer_count <= timers->reserved - timers->count);
    timers->reserved -= timer_count;
}

static int before(const struct timer_slot *a, const struct timer_slot *b)
{
    return a->deadline_us != b->deadline_us ? a->deadline_us < b->deadline_us : a->order < b->order;
}

#define CHILDREN 4u /* a way of half as many steps as with two, each of which writes into a timer that is in no cache */

/* Places count from 1. */
static size_t parent_of(size_t place)
{
    return (place - 2) / CHILDREN + 1;
}

static struct timer_slot *at(const struct timers *timers, size_t place)
{
    return &timers->heap[place - 1];
}

static void put(struct timers *timers, const struct timer_slot *slot, size_t place)
{
    *at(timers, place) = *slot;
    slot->timer->place = place;
}

/* The earliest child of a place; 0: it has none. */
static size_t first_child_of(const struct timers *timers, size_t place)
{
    size_t child = (place - 1) * CHILDREN + 2;
    size_t first = child <= timers->count ? child : 0;
    for (size_t i = 1; i < CHILDREN && child + i <= timers->count; i++) {
        if (before(at(timers, child + i), at(timers, first)))
            first = child + i;
    }
    return first;
}

/* Finds the place of what stood in `slot`, for which `place` is free, upwards and then downwards. */
static void settle(struct timers *timers, struct timer_slot slot, size_t place)
{
    for (; place > 1 && before(&slot, at(timers, parent_of(place))); place = parent_of(place))
        put(timers, at(timers, parent_of(place)), place);
    for (;;) {
        size_t child = first_child_of(timers, place);
        if (child == 0 || before(&slot, at(timers, child)))
            break;
        put(timers, at(timers, child), place);
        place = child;
    }
    put(timers, &slot, place);
}

void peer__timer_set(struct timers *timers, struct timer *timer, int64_t deadline_us)
{
    assert(timer->fire != NULL);
    size_t place = timer->place;
    if (place == 0) {
        assert(timers->count < timers->reserved);
        place = ++timers->count;
    }
    assert(place == timers->count || at(timers, place)->timer == timer);
    timer->deadline_us = deadline_us < timers->fired_us ? timers->fired_us : deadline_us;
    settle(timers, (struct timer_slot){timer->deadline_us, timers->order++, timer}, place);
}

void peer__timer_cancel(struct timers *timers, struct timer *timer)
{
    size_t place = timer->place;
    if (place == 0)
        return;
    assert(place <= timers->count && at(timers, place)->timer == timer);
    struct timer_slot last = *at(timers, timers->count);
    timers->count--;
    timer->place = 0;
    timer->deadline_us = NO_DEADLINE;
    if (last.timer != timer)
        settle(timers, last, place);
}

int64_t peer__timers_deadline(const struct timers *timers)
{
    return timers->count != 0 ? at(timers, 1)->deadline_us : NO_DEADLINE;
}

/* No deadline that is set from here on is before `now_us`, so what was set before comes first in the heap, and the first
 * timer that was set during this call ends it. A timer that sets itself for now does not keep the caller here. */
void peer__timers_fire(struct timers *timers, int64_t now_us)
{
    uint64_t first_new = timers->order;
    if (now_us > timers->fired_us)
        timers->fired_us = now_us;
    while (timers->count != 0) {
        const struct timer_slot *first = at(timers, 1);
        struct timer *timer = first->timer;
        if (first->deadline_us > now_us || first->order >= first_new)
            break;
        peer__timer_cancel(timers, timer);
        timer->fire(timer);
    }
}

void peer__timers_free(struct timers *timers)
{
    for (size_t place = 1; place <= timers->count; place++)
        at(timers, place)->timer->place = 0;
    peer__free(timers->heap);
    *timers = (struct timers){0};
}
