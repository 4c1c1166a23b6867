/*
 * Interception: messages that match a filter leave the stream when they arrive, and wait until somebody has decided on
 * them. From then on the connection passes on whole messages only, so that one which was held back can come at any time.
 */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/pipe.h"
#include "wire/limits.h"
#include "wire/message.h"

struct held {
    struct list in_sim;
    struct way *way;
    uint64_t id;
    int64_t since_us;
    struct buffer bytes;
};

static struct sim_message message_of(const struct held *held)
{
    return (struct sim_message){.state = SIM_MESSAGE_HELD,
                                .held_id = held->id,
                                .connection_id = held->way->pipe->id,
                                .from = held->way->from->host,
                                .to = held->way->to->host,
                                .moment_us = held->since_us,
                                .bytes = {held->bytes.data, held->bytes.size}};
}

static void note(const struct held *held, const char *state)
{
    struct sim_message message = message_of(held);
    peer__sim_trace_held(held->way->pipe->sim, &message, state);
}

/* ---------------------------------------------------------------------------------------------------- holding back */

static int matches(const struct sim_filter *filter, const struct way *way, uint8_t type)
{
    return (filter->type == 0 || filter->type == type) && (filter->from == NULL || filter->from == way->from->host) &&
           (filter->to == NULL || filter->to == way->to->host) &&
           (filter->connection_id == 0 || filter->connection_id == way->pipe->id);
}

static int is_wanted(const struct way *way, struct span message)
{
    const struct sim *sim = way->pipe->sim;
    for (size_t i = 0; i < sim->filter_count; i++) {
        if (matches(&sim->filters[i], way, message.data[5]))
            return 1;
    }
    return 0;
}

static void hold(struct way *way, struct span message)
{
    struct sim *sim = way->pipe->sim;
    struct held *held = peer__calloc(1, sizeof(*held));
    if (held != NULL)
        peer__buffer_append(&held->bytes, message.data, message.size);
    if (held == NULL || held->bytes.failed) {
        peer__free(held);
        peer__sim_fail(sim, E_OUTOFMEMORY);
        return;
    }
    held->way = way;
    held->id = ++sim->held_count;
    held->since_us = sim->now_us;
    list_append(&sim->held, &held->in_sim);
    note(held, "held");
}

static void free_held(struct held *held)
{
    list_remove(&held->in_sim);
    peer__buffer_free(&held->bytes);
    peer__free(held);
}

void peer__sim_forget_held(struct pipe *pipe)
{
    LIST_FOR (node, following, &pipe->sim->held) {
        struct held *held = CONTAINER_OF(node, struct held, in_sim);
        if (held->way->pipe == pipe)
            free_held(held);
    }
}

/* ---------------------------------------------------------------------------------------------------------- sifting */

static void pass_withheld(struct way *way)
{
    struct buffer bytes = way->withheld;
    way->withheld = (struct buffer){0}; /* the other side may close the connection meanwhile */
    peer__sim_way_pass(way, bytes.data, bytes.size);
    peer__buffer_free(&bytes);
}

static void withhold(struct way *way, const uint8_t *data, size_t size)
{
    peer__buffer_append(&way->withheld, data, size);
    if (way->withheld.failed)
        peer__sim_fail(way->pipe->sim, E_OUTOFMEMORY);
}

/* Bytes up to the end of a message or of the input, of which the receiver has none yet if the way is whole. */
static void sift_message(struct way *way, struct span taken, struct span message)
{
    struct sim *sim = way->pipe->sim;

    if (way->whole) {
        withhold(way, taken.data, taken.size);
        if (message.size == 0)
            return;
        if (is_wanted(way, message)) {
            hold(way, message);
            peer__buffer_clear(&way->withheld);
            return;
        }
    }
    if (message.size > 0)
        peer__sim_trace_message(sim, way->pipe->id, way->from->host, way->to->host, message);
    if (way->whole)
        pass_withheld(way);
    else
        peer__sim_way_pass(way, taken.data, taken.size);
}

static void sift_unreadable(struct way *way, struct span taken)
{
    if (!way->unreadable)
        peer__sim_pipe_note(way->pipe, "unreadable");
    way->unreadable = 1;
    if (way->withheld.size > 0)
        pass_withheld(way);
    peer__sim_way_pass(way, taken.data, taken.size);
}

void peer__sim_sift(struct way *way, struct span input)
{
    while (input.size > 0 && end_is_open(way->to) && way->pipe->sim->status == PEER_OK) {
        struct span taken = input;
        struct span message;
        if (!way->whole && !way->unreadable && !peer__frame_is_under_way(&way->messages))
            way->whole = 1; /* the receiver has nothing of what comes now */
        if (way->unreadable || peer__frame_assemble(&way->messages, &input, &message) < 0) {
            sift_unreadable(way, taken);
            return;
        }
        taken.size -= input.size;
        sift_message(way, taken, message);
    }
}

/* -------------------------------------------------------------------------------------------------------- deciding */

peer_status peer__sim_intercept(struct sim *sim, const struct sim_filter *filters, size_t count)
{
    struct sim_filter *copy = NULL;
    if (count > 0) {
        copy = peer__calloc(count, sizeof(*copy));
        if (copy == NULL)
            return peer__out_of_memory();
        memcpy(copy, filters, count * sizeof(*copy));
    }
    peer__free(sim->filters);
    sim->filters = copy;
    sim->filter_count = count;
    return PEER_OK;
}

static peer_status find(struct sim *sim, uint64_t id, struct held **held_out)
{
    LIST_FOR (node, following, &sim->held) {
        struct held *held = CONTAINER_OF(node, struct held, in_sim);
        if (held->id == id && end_is_open(held->way->to)) {
            *held_out = held;
            return PEER_OK;
        }
    }
    return peer__fail(PEER_E_NOT_FOUND, "no message is held under the number %llu", (unsigned long long)id);
}

static peer_status send_on(const struct held *held, int64_t delay_us)
{
    struct way *way = held->way;
    struct buffer frames = {0};
    peer__frame_message(&frames, (struct span){held->bytes.data, held->bytes.size}, FRAME_SIZE_DEFAULT);
    struct chunk *chunk = frames.failed ? NULL : peer__malloc(sizeof(*chunk) + frames.size);
    if (chunk == NULL) {
        peer__buffer_free(&frames);
        return peer__out_of_memory();
    }
    chunk->arrives_us = way->pipe->sim->now_us + delay_us;
    chunk->released = held->id;
    chunk->size = frames.size;
    memcpy(chunk->data, frames.data, frames.size);
    peer__buffer_free(&frames);
    peer__sim_way_insert(way, chunk);
    return PEER_OK;
}

peer_status peer__sim_release(struct sim *sim, uint64_t held_id, int64_t delay_us, int keep)
{
    struct held *held = NULL;
    PEER_TRY(find(sim, held_id, &held));
    PEER_TRY(send_on(held, delay_us));
    note(held, keep ? "duplicated" : "released");
    if (!keep)
        free_held(held);
    return PEER_OK;
}

peer_status peer__sim_drop(struct sim *sim, uint64_t held_id)
{
    struct held *held = NULL;
    PEER_TRY(find(sim, held_id, &held));
    note(held, "dropped");
    free_held(held);
    return PEER_OK;
}

peer_status peer__sim_edit(struct sim *sim, uint64_t held_id, struct span bytes)
{
    struct held *held = NULL;
    struct buffer copy = {0};
    PEER_TRY(find(sim, held_id, &held));
    peer__buffer_append(&copy, bytes.data, bytes.size);
    if (copy.failed)
        return peer__out_of_memory();
    peer__buffer_free(&held->bytes);
    held->bytes = copy;
    note(held, "edited");
    return PEER_OK;
}

/* What was edited need not be a message any more. */
void peer__sim_arrive_released(struct way *way, const struct chunk *chunk)
{
    struct frame_assembler messages = {.frame_size_max = FRAME_SIZE_MAX, .message_size_max = MESSAGE_SIZE_MAX};
    struct span input = {chunk->data, chunk->size};
    struct span message;
    if (peer__frame_assemble(&messages, &input, &message) >= 0 && message.size > 0)
        peer__sim_trace_message(way->pipe->sim, way->pipe->id, way->from->host, way->to->host, message);
    peer__frame_assembler_free(&messages);
    peer__sim_way_pass(way, chunk->data, chunk->size);
}

/* --------------------------------------------------------------------------------------------------------- looking */

struct look {
    const struct sim_filter *filter;
    void (*visit)(void *context, const struct sim_message *message);
    void *context;
};

static void show(const struct look *look, const struct way *way, const struct sim_message *message)
{
    if (look->filter == NULL || matches(look->filter, way, message->bytes.data[5]))
        look->visit(look->context, message);
}

/* The messages that end in these bytes. 0, or -1: it is no stream of frames. */
static peer_status look_at_bytes(const struct look *look, const struct way *way, struct frame_assembler *messages,
                                 struct span input, int64_t arrives_us, uint64_t released)
{
    struct sim_message shown = {.state = released != 0 ? SIM_MESSAGE_RELEASED : SIM_MESSAGE_TRAVELLING,
                                .connection_id = way->pipe->id,
                                .from = way->from->host,
                                .to = way->to->host,
                                .moment_us = arrives_us};
    while (input.size > 0) {
        PEER_TRY(peer__frame_assemble(messages, &input, &shown.bytes));
        if (shown.bytes.size > 0)
            show(look, way, &shown);
    }
    return PEER_OK;
}

static peer_status look_at_released(const struct look *look, const struct way *way, const struct chunk *chunk)
{
    struct frame_assembler messages = {.frame_size_max = FRAME_SIZE_MAX, .message_size_max = MESSAGE_SIZE_MAX};
    peer_status status = look_at_bytes(look, way, &messages, (struct span){chunk->data, chunk->size}, chunk->arrives_us,
                                       chunk->released);
    peer__frame_assembler_free(&messages);
    return status;
}

static peer_status look_at_way(const struct look *look, const struct way *way)
{
    struct frame_assembler messages = way->messages;
    peer_status status = PEER_OK;
    messages.message = (struct buffer){0};
    if (peer__frame_is_under_way(&way->messages))
        peer__buffer_append(&messages.message, way->messages.message.data, way->messages.message.size);
    if (messages.message.failed)
        return peer__out_of_memory();
    for (const struct chunk *chunk = way->first; chunk != NULL && status >= 0; chunk = chunk->next) {
        if (chunk->released != 0)
            status = look_at_released(look, way, chunk);
        else
            status = look_at_bytes(look, way, &messages, (struct span){chunk->data, chunk->size}, chunk->arrives_us, 0);
    }
    if (status >= 0 && peer__sim_way_queued(way) > 0)
        status = look_at_bytes(look, way, &messages,
                               (struct span){way->outbox.data + way->outbox_at, peer__sim_way_queued(way)}, -1, 0);
    peer__frame_assembler_free(&messages);
    return status;
}

static void look_at_held(const struct look *look, const struct sim *sim, const struct pipe *pipe)
{
    for (const struct list *node = sim->held.next; node != &sim->held; node = node->next) {
        const struct held *held = CONTAINER_OF(node, struct held, in_sim);
        struct sim_message message = message_of(held);
        if (held->way->pipe == pipe && end_is_open(held->way->to))
            show(look, held->way, &message);
    }
}

peer_status peer__sim_each_message(struct sim *sim, const struct sim_filter *filter,
                                   void (*visit)(void *context, const struct sim_message *message), void *context)
{
    struct look look = {filter, visit, context};
    LIST_FOR (node, following, &sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        if (pipe->ends[1].host == NULL)
            continue;
        for (int i = 0; i < 2; i++) {
            const struct way *way = &pipe->ways[i];
            if (way->unreadable || way->to->state == END_GONE)
                continue;
            if (look_at_way(&look, way) == E_OUTOFMEMORY)
                return peer__out_of_memory();
        }
        look_at_held(&look, sim, pipe);
    }
    return PEER_OK;
}
