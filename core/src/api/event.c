/* Event queues. They outlive their graph and runtime, so all but register work on the queue alone. */
#include <inttypes.h>

#include "api/handle.h"
#include "api/input.h"
#include "api/library.h"
#include "base/error.h"
#include "event/backlog.h"
#include "event/view.h"
#include "graph/graph.h"

#define REGISTRATIONS_MAX 65536u

static peer_status check_registrations(uint32_t count, const peer_event_registration *registrations)
{
    if ((count == 0) != (registrations == NULL))
        return peer__fail(E_INVALIDARG, "registrations is %s and count %" PRIu32,
                          registrations == NULL ? "NULL" : "not NULL", count);
    if (count > REGISTRATIONS_MAX)
        return peer__fail(E_INVALIDARG, "count is %" PRIu32 ", more than %u", count, REGISTRATIONS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (peer__event_type_place(registrations[i].type) == 0)
            return peer__fail(E_INVALIDARG, "registrations[%" PRIu32 "].type is %" PRId32 ", which is no event", i,
                              registrations[i].type);
        if (registrations[i].reserved != 0)
            return peer__fail(E_INVALIDARG, "registrations[%" PRIu32 "].reserved is not 0", i);
    }
    return PEER_OK;
}

peer_status peer_graph_register_event(peer_graph *graph, uint32_t count, const peer_event_registration *registrations,
                                      peer_event_queue **queue_out)
{
    struct call call;
    uintptr_t handle;
    PEER_TRY(peer__check_process());
    PEER_TRY(check_registrations(count, registrations));
    PEER_TRY(peer__input_not_null("queue_out", queue_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    struct api_queue *queue = peer__thing_create(HANDLE_QUEUE, sizeof(*queue));
    if (queue == NULL)
        return peer__leave(&call, peer__out_of_memory());
    peer_status status = peer__event_queue_create(count, registrations, EVENT_QUEUE_SIZE_MAX, &queue->queue);
    if (status >= 0)
        status = peer__handle_create(queue, call.graph, &handle);
    if (status >= 0) {
        struct api_sim *network = peer__network_of(call.runtime);
        if (network != NULL)
            peer__event_queue_announce(queue->queue, network->ready, handle);
        peer__graph_subscribe(call.graph->graph, queue->queue);
        *queue_out = (peer_event_queue *)handle;
    }
    peer__thing_release(queue);
    return peer__leave(&call, status);
}

peer_status peer_event_queue_get_descriptor(peer_event_queue *handle, int64_t *descriptor_out)
{
    struct event_queue *queue;
    PEER_TRY(peer__enter_queue(handle, &queue));
    peer_status status = peer__input_not_null("descriptor_out", descriptor_out);
    if (status >= 0)
        status = peer__event_queue_descriptor(queue, descriptor_out);
    peer__event_queue_release(queue);
    return status;
}

struct virtual_wait {
    struct call *call;
    struct event_queue *queue;
};

static int is_over(void *context)
{
    const struct virtual_wait *wait = context;
    return peer__event_queue_is_settled(wait->queue) || peer__call_is_unwanted(wait->call);
}

/* A simulated network runs until there is an event; who waits then finds it. */
static peer_status wait_for(struct call *call, struct event_queue *queue, int32_t timeout_ms)
{
    if (timeout_ms < -1)
        return peer__fail(E_INVALIDARG, "timeout_ms is %" PRId32 ", less than -1", timeout_ms);
    if (call->runtime == NULL)
        return peer__event_queue_wait(queue, timeout_ms);
    struct virtual_wait wait = {call, queue};
    if (timeout_ms != 0)
        PEER_TRY(call->runtime->driver->pass_time(call->runtime->driver, is_over, &wait, timeout_ms));
    return peer__event_queue_wait(queue, 0);
}

peer_status peer_event_queue_wait(peer_event_queue *handle, int32_t timeout_ms)
{
    struct call call;
    struct event_queue *queue;
    PEER_TRY(peer__enter_wait(&call, handle, &queue));
    peer_status status = wait_for(&call, queue, timeout_ms);
    peer__event_queue_release(queue);
    return call.runtime != NULL ? peer__leave(&call, status) : status;
}

/* Connections that were read no more because nobody took their data are read again. */
static void tell_if_cleared(const peer_event_queue *handle, struct event_queue *queue)
{
    struct call call;
    if (!peer__event_queue_was_cleared(queue))
        return;
    if (!peer__enter_queue_locked(&call, handle))
        return;
    if (call.graph->graph != NULL)
        peer__graph_data_was_taken(call.graph->graph);
    (void)peer__leave(&call, PEER_OK);
}

peer_status peer_get_event_data(peer_event_queue *handle, peer_event **event_out)
{
    struct event_queue *queue;
    PEER_TRY(peer__enter_queue(handle, &queue));
    peer_status status = peer__input_not_null("event_out", event_out);
    if (status >= 0)
        status = peer__event_queue_take(queue, event_out);
    tell_if_cleared(handle, queue);
    peer__event_queue_release(queue);
    return status;
}

static peer_status take_batch(struct event_queue *queue, uint32_t count_max, size_t view_size, uint32_t *count_out,
                              const peer_event_view **views_out)
{
    if (count_max == 0)
        return peer__fail(E_INVALIDARG, "count_max is 0");
    PEER_TRY(peer__view_check_size(view_size, sizeof(peer_event_view)));
    PEER_TRY(peer__input_not_null("count_out", count_out));
    PEER_TRY(peer__input_not_null("views_out", views_out));
    return peer__event_queue_take_batch(queue, count_max, view_size, count_out, views_out);
}

peer_status peer_get_event_batch(peer_event_queue *handle, uint32_t count_max, size_t view_size, uint32_t *count_out,
                                 const peer_event_view **views_out)
{
    struct event_queue *queue;
    PEER_TRY(peer__enter_queue(handle, &queue));
    peer_status status = take_batch(queue, count_max, view_size, count_out, views_out);
    tell_if_cleared(handle, queue);
    peer__event_queue_release(queue);
    return status;
}

peer_status peer_event_get_view(const peer_event *event, size_t view_size, peer_event_view *view_out)
{
    PEER_TRY(peer__check_not_forked());
    PEER_TRY(peer__input_not_null("view_out", view_out));
    return peer__event_get_view(event, view_size, view_out);
}

static peer_status unregister(peer_event_queue *handle)
{
    struct call call;
    PEER_TRY(peer__enter_unregister(&call, handle));
    struct event_queue *queue = ((struct api_queue *)call.thing)->queue;
    peer__event_queue_end(queue); /* first, so that who waits need not wait for the lock */
    if (call.runtime == NULL) {   /* shut down: the engine lets go of the queue by itself */
        peer__thing_release(call.thing);
        return PEER_OK;
    }
    peer__call_lock_for_end(&call);
    if (call.graph->graph != NULL)
        peer__graph_unsubscribe(call.graph->graph, queue);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_unregister_event(peer_event_queue *queue)
{
    struct kept_error kept = peer__error_keep();
    return peer__error_restore(&kept, unregister(queue));
}
