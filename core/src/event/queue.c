#include "event/queue.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/eventfd.h>
#endif

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "event/backlog.h"
#include "event/object.h"
#include "event/view.h"

/* Locking: `mutex` guards everything but what is said to be fixed. It is held for copying and linking only. */
struct event_queue_state {
    atomic_uint references;
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct backlog backlog;
    int closed; /* CLOSED was queued: nothing follows */
    int ended;
    int crowded;             /* with direct data */
    atomic_int cleared;      /* it was, and nobody has told the graph yet */
    struct ready_set *ready; /* NULL: nobody asks for it */
    struct ready_entry entry;

    int read_end; /* -1: nobody has asked for the descriptor */
    int write_end;
    int raised;    /* the descriptor is readable */
    pid_t process; /* fixed: in a forked child the descriptors are the parent's */

    uint32_t types; /* fixed: bits by peer__event_type_place of what is wanted whole */
    size_t filter_count;
    struct filter { /* fixed: wanted for one record type only */
        unsigned place;
        peer_guid record_type;
    } filters[];
};

/* --- the descriptor --------------------------------------------------------------------------------------------------- */

static peer_status open_descriptor(struct event_queue_state *state)
{
#ifdef __linux__
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return peer__fail(E_OUTOFMEMORY, "the process has no descriptor left for an event queue");
    state->read_end = state->write_end = fd;
#else
    int ends[2];
    if (pipe(ends) != 0)
        return peer__fail(E_OUTOFMEMORY, "the process has no descriptor left for an event queue");
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    state->read_end = ends[0];
    state->write_end = ends[1];
#endif
    return PEER_OK;
}

static int descriptor_is_ours(const struct event_queue_state *state)
{
    return state->read_end >= 0 && state->process == getpid();
}

/* Restores the invariant: readable if and only if the queue holds something. One token is in flight at most. */
static void update_descriptor(struct event_queue_state *state)
{
    int wanted = state->backlog.count > 0;
    if (state->raised == wanted || !descriptor_is_ours(state))
        return;
    uint64_t token = 1;
    size_t size = state->read_end == state->write_end ? sizeof(token) : 1;
    ssize_t moved = wanted ? write(state->write_end, &token, size) : read(state->read_end, &token, size);
    assert(moved == (ssize_t)size);
    (void)moved;
    state->raised = wanted;
}

static void close_descriptor(struct event_queue_state *state)
{
    if (!descriptor_is_ours(state))
        return;
    close(state->read_end);
    if (state->write_end != state->read_end)
        close(state->write_end);
    state->read_end = state->write_end = -1;
}

peer_status peer__event_queue_descriptor(struct event_queue *queue, int64_t *descriptor_out)
{
    struct event_queue_state *state = queue->state;
    peer_status status = PEER_OK;
    pthread_mutex_lock(&state->mutex);
    if (state->ended)
        status = peer__fail(E_INVALIDARG, "the event queue was unregistered");
    else if (state->read_end < 0)
        status = open_descriptor(state);
    if (status >= 0) {
        update_descriptor(state);
        *descriptor_out = state->read_end;
    }
    pthread_mutex_unlock(&state->mutex);
    return status;
}

static void tell_ready(struct event_queue_state *state, int has_news)
{
    if (state->ready == NULL)
        return;
    if (has_news)
        peer__ready_set_add(state->ready, &state->entry);
    else
        peer__ready_set_remove(state->ready, &state->entry);
}

/* --- beginning and end ------------------------------------------------------------------------------------------------ */

static int takes_record_type(int32_t type)
{
    return type == PEER_GRAPH_EVENT_RECORD_CHANGED || type == PEER_GRAPH_EVENT_SYNCHRONIZED;
}

static void set_wanted(struct event_queue_state *state, uint32_t count, const peer_event_registration *registrations)
{
    state->types = count == 0 ? UINT32_MAX : 1u << peer__event_type_place(PEER_EVENT_WRITABLE);
    for (uint32_t i = 0; i < count; i++) {
        const peer_event_registration *registration = &registrations[i];
        unsigned place = peer__event_type_place(registration->type);
        if (registration->record_type != NULL && takes_record_type(registration->type))
            state->filters[state->filter_count++] = (struct filter){place, *registration->record_type};
        else
            state->types |= 1u << place;
    }
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* a step of the clock neither ends nor prolongs a wait */
#endif
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

peer_status peer__event_queue_create(uint32_t count, const peer_event_registration *registrations, size_t bytes_max,
                                     struct event_queue **queue_out)
{
    size_t filters_size = (size_t)count * sizeof(struct filter);
    struct event_queue *queue = peer__calloc(1, sizeof(*queue));
    struct event_queue_state *state = peer__calloc(1, sizeof(*state) + filters_size);
    if (queue == NULL || state == NULL || peer__backlog_init(&state->backlog, bytes_max) < 0) {
        peer__free(state);
        peer__free(queue);
        return peer__out_of_memory();
    }
    list_init(&queue->subscription);
    queue->state = state;
    atomic_init(&state->references, 1);
    pthread_mutex_init(&state->mutex, NULL);
    init_condition(&state->filled);
    peer__ready_entry_init(&state->entry);
    state->read_end = state->write_end = -1;
    state->process = getpid();
    set_wanted(state, count, registrations);
    *queue_out = queue;
    return PEER_OK;
}

struct event_queue *peer__event_queue_retain(struct event_queue *queue)
{
    atomic_fetch_add_explicit(&queue->state->references, 1, memory_order_relaxed);
    return queue;
}

void peer__event_queue_release(struct event_queue *queue)
{
    struct event_queue_state *state = queue->state;
    if (atomic_fetch_sub_explicit(&state->references, 1, memory_order_acq_rel) != 1)
        return;
    peer__backlog_clear(&state->backlog);
    close_descriptor(state);
    tell_ready(state, 0);
    if (state->ready != NULL)
        peer__ready_set_release(state->ready);
    pthread_cond_destroy(&state->filled);
    pthread_mutex_destroy(&state->mutex);
    peer__free(state);
    peer__free(queue);
}

void peer__event_queue_end(struct event_queue *queue)
{
    struct event_queue_state *state = queue->state;
    pthread_mutex_lock(&state->mutex);
    state->ended = 1;
    peer__backlog_clear(&state->backlog);
    close_descriptor(state);
    tell_ready(state, 0);
    pthread_cond_broadcast(&state->filled);
    pthread_mutex_unlock(&state->mutex);
}

void peer__event_queue_announce(struct event_queue *queue, struct ready_set *set, uintptr_t mark)
{
    struct event_queue_state *state = queue->state;
    pthread_mutex_lock(&state->mutex);
    state->ready = peer__ready_set_retain(set);
    state->entry.mark = mark;
    if (state->backlog.count > 0)
        tell_ready(state, 1);
    pthread_mutex_unlock(&state->mutex);
}

size_t peer__event_queue_bytes(const struct event_queue *queue)
{
    struct event_queue_state *state = queue->state;
    pthread_mutex_lock(&state->mutex);
    size_t bytes = state->backlog.bytes;
    pthread_mutex_unlock(&state->mutex);
    return bytes;
}

/* --- posting ---------------------------------------------------------------------------------------------------------- */

int peer__event_queue_wants(const struct event_queue *queue, int32_t type, const peer_guid *record_type)
{
    const struct event_queue_state *state = queue->state;
    unsigned place = peer__event_type_place(type);
    if ((state->types >> place & 1u) != 0)
        return 1;
    for (size_t i = 0; i < state->filter_count; i++) {
        if (state->filters[i].place == place && record_type != NULL &&
            peer__guid_equal(&state->filters[i].record_type, record_type))
            return 1;
    }
    return 0;
}

static void tell_change(struct event_queue_state *state)
{
    update_descriptor(state);
    if (state->backlog.count == 0)
        return;
    tell_ready(state, 1);
    pthread_cond_broadcast(&state->filled);
}

void peer__event_queue_post(struct event_queue *queue, const peer_event_view *event)
{
    struct event_queue_state *state = queue->state;
    if (!peer__event_queue_wants(queue, event->type, &event->record_type))
        return;
    pthread_mutex_lock(&state->mutex);
    if (!state->closed && !state->ended) {
        peer__backlog_add(&state->backlog, event);
        tell_change(state);
    }
    pthread_mutex_unlock(&state->mutex);
}

peer_status peer__event_queue_post_direct(struct event_queue *queue, const peer_event_view *event)
{
    struct event_queue_state *state = queue->state;
    peer_status status = PEER_OK;
    if (!peer__event_queue_wants(queue, event->type, NULL))
        return PEER_OK;
    pthread_mutex_lock(&state->mutex);
    if (!state->closed && !state->ended) {
        status = peer__backlog_add_direct(&state->backlog, event);
        if (state->backlog.direct_bytes >= DIRECT_HIGH_WATER)
            state->crowded = 1;
        tell_change(state);
    }
    pthread_mutex_unlock(&state->mutex);
    return status;
}

int peer__event_queue_is_crowded(const struct event_queue *queue)
{
    struct event_queue_state *state = queue->state;
    pthread_mutex_lock(&state->mutex);
    int crowded = state->crowded && !state->ended;
    pthread_mutex_unlock(&state->mutex);
    return crowded;
}

int peer__event_queue_was_cleared(struct event_queue *queue)
{
    atomic_int *cleared = &queue->state->cleared;
    return atomic_load_explicit(cleared, memory_order_relaxed) != 0 && atomic_exchange(cleared, 0) != 0;
}

void peer__event_queue_close(struct event_queue *queue, peer_status reason, const char *message)
{
    struct event_queue_state *state = queue->state;
    pthread_mutex_lock(&state->mutex);
    if (!state->closed && !state->ended) {
        state->closed = 1;
        peer__backlog_add_closed(&state->backlog, reason, message);
        tell_change(state);
    }
    pthread_mutex_unlock(&state->mutex);
}

/* --- taking ----------------------------------------------------------------------------------------------------------- */

static void tell_taken(struct event_queue_state *state)
{
    update_descriptor(state);
    if (state->backlog.count == 0)
        tell_ready(state, 0);
    if (state->crowded && state->backlog.direct_bytes <= DIRECT_LOW_WATER) {
        state->crowded = 0;
        atomic_store(&state->cleared, 1);
    }
}

peer_status peer__event_queue_take(struct event_queue *queue, struct peer_event **event_out)
{
    struct event_queue_state *state = queue->state;
    peer_status status = PEER_OK;
    struct peer_event *event = NULL;
    pthread_mutex_lock(&state->mutex);
    if (state->backlog.count == 0)
        status = PEER_S_NO_EVENT_DATA;
    else if ((event = peer__backlog_take(&state->backlog)) == NULL)
        status = peer__out_of_memory();
    tell_taken(state);
    pthread_mutex_unlock(&state->mutex);
    if (status >= 0)
        *event_out = event;
    return status;
}

static void take_into(struct event_queue_state *state, char *views, size_t view_size, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        peer_event_view view;
        struct peer_event *event = peer__backlog_take_view(&state->backlog, &view);
        if (event != NULL)
            peer__object_array_own(views, event);
        peer__view_copy(views + i * view_size, view_size, &view, sizeof(view));
    }
}

peer_status peer__event_queue_take_batch(struct event_queue *queue, uint32_t count_max, size_t view_size,
                                         uint32_t *count_out, const peer_event_view **views_out)
{
    struct event_queue_state *state = queue->state;
    peer_status status = PEER_OK;
    char *views = NULL;
    pthread_mutex_lock(&state->mutex);
    uint32_t count = count_max < state->backlog.count ? count_max : (uint32_t)state->backlog.count;
    if (count == 0)
        status = PEER_S_NO_EVENT_DATA;
    else if ((views = peer__object_create_array(count * view_size, count)) == NULL)
        status = peer__out_of_memory();
    else
        take_into(state, views, view_size, count);
    tell_taken(state);
    pthread_mutex_unlock(&state->mutex);
    if (status >= 0) {
        *count_out = count;
        *views_out = (const peer_event_view *)(void *)views;
    }
    return status;
}

peer_status peer__event_get_view(const struct peer_event *event, size_t view_size, peer_event_view *view_out)
{
    PEER_TRY(peer__object_check(event, OBJECT_EVENT));
    PEER_TRY(peer__view_check_size(view_size, sizeof(peer_event_view)));
    peer__view_copy(view_out, view_size, &event->view, sizeof(event->view));
    return PEER_OK;
}

/* --- waiting ---------------------------------------------------------------------------------------------------------- */

static struct timespec moment_after(int32_t timeout_ms)
{
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += timeout_ms / 1000;
    moment.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (moment.tv_nsec >= 1000000000L) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000L;
    }
    return moment;
}

/* 0 when the time is over. */
static int wait_until(struct event_queue_state *state, const struct timespec *moment)
{
#ifdef __APPLE__
    struct timespec now = moment_after(0);
    struct timespec left = {moment->tv_sec - now.tv_sec, moment->tv_nsec - now.tv_nsec};
    if (left.tv_nsec < 0) {
        left.tv_sec--;
        left.tv_nsec += 1000000000L;
    }
    return left.tv_sec >= 0 && pthread_cond_timedwait_relative_np(&state->filled, &state->mutex, &left) == 0;
#else
    return pthread_cond_timedwait(&state->filled, &state->mutex, moment) == 0;
#endif
}

int peer__event_queue_is_settled(const struct event_queue *queue)
{
    struct event_queue_state *state = queue->state;
    pthread_mutex_lock(&state->mutex);
    int is_settled = state->backlog.count > 0 || state->ended || state->closed;
    pthread_mutex_unlock(&state->mutex);
    return is_settled;
}

peer_status peer__event_queue_wait(struct event_queue *queue, int32_t timeout_ms)
{
    struct event_queue_state *state = queue->state;
    struct timespec moment = moment_after(timeout_ms > 0 ? timeout_ms : 0);
    int goes_on = timeout_ms != 0;
    pthread_mutex_lock(&state->mutex);
    /* Nothing comes after CLOSED: who has taken it and waits would wait for ever. */
    while (goes_on && state->backlog.count == 0 && !state->ended && !state->closed) {
        if (timeout_ms > 0)
            goes_on = wait_until(state, &moment);
        else
            pthread_cond_wait(&state->filled, &state->mutex);
    }
    peer_status status = state->backlog.count > 0 ? PEER_OK : PEER_S_NO_EVENT_DATA;
    pthread_mutex_unlock(&state->mutex);
    return status;
}
