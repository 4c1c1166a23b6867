/*
 * Connections: two ways of bytes between two ends. A way takes bytes from its sender's outbox as fast as the bandwidth
 * and the receiver's window allow, cuts them into chunks, and delivers them in order. Nothing here calls an endpoint
 * from within one of the endpoint's own calls: what follows from a call happens in a timer, at the same moment or later.
 */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/engine.h"
#include "sim/pipe.h"
#include "wire/limits.h"

/* Bytes that left the outbox and were not read by the other side yet, like two socket buffers. */
#define WINDOW_SIZE (128u * 1024)
#define CHUNK_SIZE_MAX (32u * 1024)
#define PACKET_SIZE 1440u
#define DEATH_NOTICED_US INT64_C(100000000) /* TCP_USER_TIMEOUT of decisions.md 11 */
#define SYN_RETRY_US 1000000
#define FIRST_EPHEMERAL_PORT 49152u
#define PIPE_TIMERS 8u
/* As with sockets: half an hour, if the other side lives and reads nothing. */
#define PATIENCE_MAX_US INT64_C(1800000000)

void peer__sim_pipe_note(struct pipe *pipe, const char *state)
{
    peer__sim_trace_connection(pipe->sim, pipe->id, pipe->ends[0].host, pipe->ends[1].host, state);
}

/* Nobody holds the end any more. A pipe whose ends are both gone is freed before the next moment. */
static void let_go(struct transport_connection *end)
{
    end->state = END_GONE;
    list_remove(&end->pipe->in_let_go);
    list_append(&end->pipe->sim->let_go, &end->pipe->in_let_go);
}

/* The end is over for its host: the endpoint is told and never hears of it again. */
static void tell_closed(struct transport_connection *end, peer_status reason, const char *message)
{
    if (end->state != END_OPEN && end->state != END_DIALLING)
        return;
    let_go(end);
    end->host->endpoint.closed(end->host->endpoint.self, end->tag, reason, message);
}

static void reset(struct pipe *pipe, const char *state, const char *message)
{
    peer__sim_pipe_note(pipe, state);
    tell_closed(&pipe->ends[0], PEER_E_CONNECTION_FAILED, message);
    tell_closed(&pipe->ends[1], PEER_E_CONNECTION_FAILED, message);
}

static int is_over(const struct pipe *pipe)
{
    for (int i = 0; i < 2; i++) {
        if (pipe->ends[i].state == END_OPEN || pipe->ends[i].state == END_DIALLING)
            return 0;
    }
    return 1;
}

int peer__sim_way_is_cut(const struct way *way)
{
    return way->pipe->stranded || peer__sim_is_cut(way->from->host, way->to->host);
}

/* ------------------------------------------------------------------------------------------------ taking bytes */

/* Mostly as packets and reads would cut a stream, sometimes at any byte, so that frames and messages come in pieces. */
static size_t chunk_size(struct sim *sim, size_t available)
{
    size_t size = available < CHUNK_SIZE_MAX ? available : CHUNK_SIZE_MAX;
    if (size < 2 || !peer__sim_random_chance(&sim->random, sim->options.cut_chance))
        return size;
    static const size_t kinds[] = {3, 40, PACKET_SIZE, CHUNK_SIZE_MAX};
    size_t most = kinds[peer__sim_random_below(&sim->random, 4)];
    return 1 + (size_t)peer__sim_random_below(&sim->random, most < size ? most : size);
}

/* Mostly at the end; a message that was held back and released may be before or behind others. */
void peer__sim_way_insert(struct way *way, struct chunk *chunk)
{
    struct chunk **place = way->last;
    if (way->first != NULL && CONTAINER_OF(way->last, struct chunk, next)->arrives_us > chunk->arrives_us) {
        place = &way->first;
        while ((*place)->arrives_us <= chunk->arrives_us)
            place = &(*place)->next;
    }
    chunk->next = *place;
    *place = chunk;
    if (chunk->next == NULL)
        way->last = &chunk->next;
    way->in_flight += chunk->size;
    if (way->first == chunk)
        peer__sim_at(way->pipe->sim, &way->arrive, chunk->arrives_us);
}

static void append_chunk(struct way *way, struct chunk *chunk, int64_t departs_us)
{
    chunk->arrives_us = departs_us + peer__sim_delay(way->pipe->sim, way->link, chunk->size);
    if (chunk->arrives_us < way->last_arrival_us)
        chunk->arrives_us = way->last_arrival_us;
    way->last_arrival_us = chunk->arrives_us;
    peer__sim_way_insert(way, chunk);
}

struct chunk *peer__sim_chunk_create(struct way *way, size_t size)
{
    struct chunk *chunk = peer__malloc(sizeof(*chunk) + size);
    if (chunk == NULL) {
        peer__sim_fail(way->pipe->sim, E_OUTOFMEMORY);
        return NULL;
    }
    chunk->next = NULL;
    chunk->size = size;
    chunk->released = 0;
    return chunk;
}

static void take_one(struct way *way, size_t size)
{
    struct sim *sim = way->pipe->sim;
    struct chunk *chunk = peer__sim_chunk_create(way, size);
    int64_t departs_us = sim->now_us;

    if (chunk == NULL)
        return;
    memcpy(chunk->data, way->outbox.data + way->outbox_at, size);
    way->outbox_at += size;
    if (way->link->bandwidth != 0) {
        way->wire_free_us = departs_us + (int64_t)(size * UINT64_C(1000000) / way->link->bandwidth);
        departs_us = way->wire_free_us;
    }
    append_chunk(way, chunk, departs_us);
}

size_t peer__sim_way_queued(const struct way *way)
{
    return way->outbox.size - way->outbox_at;
}

/* What was taken is dropped in large pieces, so that a large record does not move byte by byte. */
static void tidy_outbox(struct way *way)
{
    if (peer__sim_way_queued(way) == 0)
        peer__buffer_clear(&way->outbox);
    else if (way->outbox_at >= way->outbox.size / 2)
        peer__buffer_consume(&way->outbox, way->outbox_at);
    else
        return;
    way->outbox_at = 0;
}

static void finish(struct way *way)
{
    struct chunk *end = peer__sim_chunk_create(way, 0);
    if (end == NULL)
        return;
    way->ended = 1;
    append_chunk(way, end, way->pipe->sim->now_us);
}

static void on_take(struct timer *timer)
{
    struct way *way = CONTAINER_OF(timer, struct way, take);
    struct sim *sim = way->pipe->sim;

    while (peer__sim_way_queued(way) > 0 && way->in_flight < WINDOW_SIZE && sim->status == PEER_OK) {
        if (way->wire_free_us > sim->now_us) {
            peer__sim_at(sim, &way->take, way->wire_free_us);
            break;
        }
        if (way->link->reset_ppm != 0 && peer__sim_strikes(sim, way->link->reset_ppm)) {
            reset(way->pipe, "reset", "the connection was reset");
            return;
        }
        take_one(way, chunk_size(sim, peer__sim_way_queued(way)));
    }
    tidy_outbox(way);
    if (peer__sim_way_queued(way) == 0 && way->finishing && !way->ended)
        finish(way);
    if (way->above_high_water && peer__sim_way_queued(way) <= TRANSPORT_LOW_WATER) {
        way->above_high_water = 0;
        if (way->from->state == END_OPEN)
            way->from->host->endpoint.writable(way->from->host->endpoint.self, way->from->tag);
    }
}

static void take_soon(struct way *way)
{
    if (way->take.place == 0)
        peer__sim_at(way->pipe->sim, &way->take, way->pipe->sim->now_us);
}

/* ---------------------------------------------------------------------------------------------- delivering bytes */

static void trace_messages(struct way *way, const struct chunk *chunk)
{
    struct span input = {chunk->data, chunk->size};
    struct span message;

    while (!way->unreadable && input.size > 0) {
        if (peer__frame_assemble(&way->messages, &input, &message) < 0) {
            way->unreadable = 1;
            peer__sim_pipe_note(way->pipe, "unreadable");
        } else if (message.size > 0) {
            peer__sim_trace_message(way->pipe->sim, way->pipe->id, way->from->host, way->to->host, message);
        }
    }
}

void peer__sim_way_pass(struct way *way, const void *data, size_t size)
{
    struct transport_connection *to = way->to;
    if (to->state == END_OPEN)
        to->host->endpoint.received(to->host->endpoint.self, to->tag, data, size);
}

static void deliver(struct way *way, const struct chunk *chunk)
{
    struct transport_connection *to = way->to;

    if (to->state != END_OPEN)
        return;
    if (chunk->size == 0) {
        peer__sim_pipe_note(way->pipe, "ended");
        tell_closed(to, PEER_E_CONNECTION_FAILED, "the other side closed the connection");
        return;
    }
    if (chunk->released != 0) {
        peer__sim_arrive_released(way, chunk);
    } else if (way->whole || way->pipe->sim->filter_count > 0) {
        peer__sim_sift(way, (struct span){chunk->data, chunk->size});
    } else {
        trace_messages(way, chunk);
        peer__sim_way_pass(way, chunk->data, chunk->size);
    }
}

/* Bytes wait while the way is cut, the receiver has not heard of the connection yet, or does not read. */
static int is_held(const struct way *way)
{
    return way->to->host == NULL || peer__sim_way_is_cut(way) || way->to->state == END_DIALLING ||
           (way->to->state == END_OPEN && way->to->paused);
}

static void on_arrive(struct timer *timer)
{
    struct way *way = CONTAINER_OF(timer, struct way, arrive);
    struct sim *sim = way->pipe->sim;
    struct chunk *chunk = way->first;

    if (chunk == NULL || is_held(way))
        return;
    way->first = chunk->next;
    if (way->first == NULL)
        way->last = &way->first;
    else
        peer__sim_at(sim, &way->arrive, way->first->arrives_us);
    way->in_flight -= chunk->size;
    if (peer__sim_way_queued(way) > 0)
        take_soon(way);
    deliver(way, chunk);
    peer__free(chunk);
}

/* Whatever held the bytes may be over. */
static void resume(struct way *way, int64_t moment_us)
{
    if (way->first == NULL || way->arrive.place != 0)
        return;
    peer__sim_at(way->pipe->sim, &way->arrive, moment_us > way->first->arrives_us ? moment_us : way->first->arrives_us);
}

/* ------------------------------------------------------------------------------------------------------ dialling */

static void dial_failed(struct pipe *pipe, const char *message)
{
    peer__sim_pipe_note(pipe, message);
    tell_closed(&pipe->ends[0], PEER_E_CONNECTION_FAILED, message);
}

static void on_syn(struct pipe *pipe)
{
    struct sim *sim = pipe->sim;
    struct transport_connection *dialler = &pipe->ends[0];
    struct transport_connection *acceptor = &pipe->ends[1];
    struct sim_host *target = peer__sim_find_host(sim, pipe->host_name, &pipe->address);

    if (target == NULL) {
        dial_failed(pipe, "no host has this address");
        return;
    }
    if (peer__sim_is_cut(dialler->host, target) || peer__sim_is_cut(target, dialler->host)) {
        if (sim->now_us - pipe->dialled_us >= sim->options.connect_timeout_us)
            dial_failed(pipe, "the connection timed out");
        else
            peer__sim_at(sim, &pipe->dial, sim->now_us + SYN_RETRY_US);
        return;
    }
    acceptor->host = target;
    struct transport_listener *listener = peer__sim_find_listener(target, pipe->address.port);
    for (int i = 0; i < 2; i++)
        peer__sim_way_choose_link(&pipe->ways[i]);
    int64_t back_us = sim->now_us + peer__sim_delay(sim, pipe->ways[1].link, 0);
    pipe->stage = listener != NULL ? STAGE_ACCEPTED : STAGE_REFUSED;
    peer__sim_at(sim, &pipe->dial, back_us);
    if (listener == NULL)
        return;
    acceptor->state = END_OPEN;
    acceptor->remote = dialler->host->address;
    acceptor->remote.port = (uint16_t)(FIRST_EPHEMERAL_PORT + pipe->id % 16384);
    pipe->ways[1].last_arrival_us = back_us; /* nothing overtakes the news that the connection is up */
    peer__sim_pipe_note(pipe, "accepted");
    if (target->endpoint.accepted(target->endpoint.self, listener->tag, acceptor, &acceptor->remote, &acceptor->tag) <
        0) {
        let_go(acceptor);
        acceptor->out->finishing = 1;
        take_soon(acceptor->out);
    }
}

static void on_syn_ack(struct pipe *pipe)
{
    struct transport_connection *dialler = &pipe->ends[0];

    if (peer__sim_way_is_cut(&pipe->ways[1])) {
        peer__sim_at(pipe->sim, &pipe->dial, pipe->sim->now_us + SYN_RETRY_US);
        return;
    }
    pipe->stage = STAGE_UP;
    pipe->up_us = pipe->sim->now_us;
    if (dialler->state != END_DIALLING) {
        reset(pipe, "reset", "the other side gave up");
        return;
    }
    peer__sim_pipe_note(pipe, "connected");
    dialler->state = END_OPEN;
    memcpy(dialler->remote.ip, pipe->ends[1].host->address.ip,
           sizeof(dialler->remote.ip)); /* a name may have been dialled */
    dialler->host->endpoint.connected(dialler->host->endpoint.self, dialler->tag, &dialler->remote);
    resume(&pipe->ways[1], pipe->sim->now_us);
}

static void on_dial(struct timer *timer)
{
    struct pipe *pipe = CONTAINER_OF(timer, struct pipe, dial);

    if (pipe->stage == STAGE_SYN && pipe->ends[0].state == END_DIALLING)
        on_syn(pipe);
    else if (pipe->stage == STAGE_REFUSED)
        dial_failed(pipe, "nobody listens there");
    else if (pipe->stage == STAGE_ACCEPTED)
        on_syn_ack(pipe);
}

/* A connection that was cut for so long, or whose other machine died, is reset on both sides. */
static void on_give_up(struct timer *timer)
{
    struct pipe *pipe = CONTAINER_OF(timer, struct pipe, give_up);
    reset(pipe, "timed out", "the connection timed out");
}

static void on_linger(struct timer *timer)
{
    struct transport_connection *end = CONTAINER_OF(timer, struct transport_connection, linger);
    struct sim *sim = end->pipe->sim;
    if (end->out->ended && end->out->first == NULL)
        return;
    if (end->patient && end_is_open(end->out->to) && !peer__sim_way_is_cut(end->out) &&
        sim->now_us < end->linger_until_us)
        peer__sim_at(sim, &end->linger, sim->now_us + end->linger_us);
    else
        reset(end->pipe, "reset", "the other side reset the connection");
}

static void init_way(struct way *way, struct pipe *pipe, struct transport_connection *from,
                     struct transport_connection *to)
{
    way->pipe = pipe;
    way->from = from;
    way->to = to;
    way->last = &way->first;
    way->link = &pipe->sim->link;
    way->messages.frame_size_max = FRAME_SIZE_MAX;
    way->messages.message_size_max = MESSAGE_SIZE_MAX;
    peer__timer_init(&way->take, on_take);
    peer__timer_init(&way->arrive, on_arrive);
    from->pipe = pipe;
    from->out = way;
    to->in = way;
    peer__timer_init(&from->linger, on_linger);
}

peer_status peer__sim_dial(void *self, const char *host_name, const char *interface_name, const struct address *address,
                           void *tag, struct transport_connection **connection_out)
{
    struct sim_host *host = self;
    struct sim *sim = host->sim;
    size_t size = strlen(host_name);

    (void)interface_name;
    if (host->dying || size >= HOST_NAME_SIZE)
        return peer__fail(PEER_E_CONNECTION_FAILED, "\"%s\" cannot be dialled", host_name);
    struct pipe *pipe = peer__calloc(1, sizeof(*pipe));
    if (pipe == NULL)
        return peer__out_of_memory();
    if (peer__timers_reserve(&sim->timers, PIPE_TIMERS) < 0) {
        peer__free(pipe);
        return peer__out_of_memory();
    }
    pipe->sim = sim;
    pipe->id = ++sim->pipe_count;
    memcpy(pipe->host_name, host_name, size + 1);
    pipe->address = *address;
    pipe->dialled_us = sim->now_us;
    pipe->cut_since_us = -1;
    init_way(&pipe->ways[0], pipe, &pipe->ends[0], &pipe->ends[1]);
    init_way(&pipe->ways[1], pipe, &pipe->ends[1], &pipe->ends[0]);
    peer__timer_init(&pipe->dial, on_dial);
    peer__timer_init(&pipe->give_up, on_give_up);
    pipe->ends[0].host = host;
    pipe->ends[0].state = END_DIALLING;
    pipe->ends[0].tag = tag;
    pipe->ends[0].remote = *address;
    list_init(&pipe->in_let_go);
    list_append(&sim->pipes, &pipe->in_sim);
    const struct sim_link *link = peer__sim_link_to(host, peer__sim_find_host(sim, host_name, address));
    peer__sim_at(sim, &pipe->dial, sim->now_us + peer__sim_delay(sim, link, 0));
    peer__sim_pipe_note(pipe, "dialled");
    *connection_out = &pipe->ends[0];
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------- calls of an endpoint */

void peer__sim_send(void *self, struct transport_connection *connection, const void *data, size_t size)
{
    struct way *way = connection->out;

    (void)self;
    if (connection->state == END_GONE)
        return;
    int64_t granted = peer__memory_hold_failures(); /* this is the network's memory, not the host's */
    peer__buffer_append(&way->outbox, data, size);
    peer__memory_fail_after(granted);
    if (way->outbox.failed)
        peer__sim_fail(way->pipe->sim, E_OUTOFMEMORY);
    if (peer__sim_way_queued(way) > TRANSPORT_HIGH_WATER)
        way->above_high_water = 1;
    take_soon(way);
}

size_t peer__sim_queued(void *self, struct transport_connection *connection)
{
    (void)self;
    return peer__sim_way_queued(connection->out);
}

void peer__sim_pause(void *self, struct transport_connection *connection, int paused)
{
    (void)self;
    connection->paused = paused;
    if (!paused)
        resume(connection->in, connection->pipe->sim->now_us);
}

/* A host that is reached takes bytes for ever, whether or not its program reads them. */
void peer__sim_be_patient(void *self, struct transport_connection *connection)
{
    (void)self;
    connection->patient = 1;
}

void peer__sim_close(void *self, struct transport_connection *connection, uint32_t linger_ms)
{
    struct way *way = connection->out;
    struct sim *sim = connection->pipe->sim;

    (void)self;
    if (connection->state == END_GONE)
        return;
    let_go(connection);
    if (linger_ms == 0 && peer__sim_way_queued(way) > 0) {
        peer__buffer_clear(&way->outbox);
        way->outbox_at = 0;
    }
    way->finishing = 1;
    take_soon(way);
    connection->linger_us = (int64_t)linger_ms * 1000;
    connection->linger_until_us = sim->now_us + PATIENCE_MAX_US;
    if (linger_ms > 0)
        peer__sim_at(sim, &connection->linger, sim->now_us + connection->linger_us);
}

/* --------------------------------------------------------------------------------------------- faults from outside */

void peer__sim_pipes_cut_changed(struct sim *sim)
{
    LIST_FOR (node, following, &sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        if (pipe->ends[1].host == NULL)
            continue;
        int is_cut = peer__sim_way_is_cut(&pipe->ways[0]) || peer__sim_way_is_cut(&pipe->ways[1]);
        if (is_cut && pipe->cut_since_us < 0) {
            pipe->cut_since_us = sim->now_us;
            if (sim->options.reset_after_us > 0)
                peer__sim_at(sim, &pipe->give_up, sim->now_us + sim->options.reset_after_us);
        } else if (!is_cut && pipe->cut_since_us >= 0) {
            pipe->cut_since_us = -1;
            peer__timer_cancel(&sim->timers, &pipe->give_up);
        }
        for (int i = 0; i < 2; i++) {
            if (!peer__sim_way_is_cut(&pipe->ways[i]))
                resume(&pipe->ways[i], sim->now_us + peer__sim_delay(sim, pipe->ways[i].link, 0));
        }
    }
}

static struct transport_connection *end_at(struct pipe *pipe, const struct sim_host *host)
{
    if (pipe->ends[0].host == host)
        return &pipe->ends[0];
    return pipe->ends[1].host == host ? &pipe->ends[1] : NULL;
}

static int64_t reset_after_us(const struct sim *sim)
{
    return sim->options.reset_after_us > 0 ? sim->options.reset_after_us : DEATH_NOTICED_US;
}

void peer__sim_pipes_strand(struct sim_host *host)
{
    struct sim *sim = host->sim;
    LIST_FOR (node, following, &sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        if (pipe->stage == STAGE_SYN || pipe->stranded || end_at(pipe, host) == NULL)
            continue;
        pipe->stranded = 1;
        pipe->cut_since_us = sim->now_us;
        peer__sim_at(sim, &pipe->give_up, sim->now_us + reset_after_us(sim));
    }
}

static void free_chunks(struct way *way)
{
    for (struct chunk *chunk = way->first, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        peer__free(chunk);
    }
    way->first = NULL;
    way->last = &way->first;
}

void peer__sim_pipes_crash(struct sim_host *host, enum sim_crash how)
{
    struct sim *sim = host->sim;
    int64_t noticed_us = reset_after_us(sim);

    LIST_FOR (node, following, &sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        struct transport_connection *end = end_at(pipe, host);
        if (end == NULL || end->state == END_GONE)
            continue;
        let_go(end);
        /* What the system has already is still sent; a machine without power sends nothing more. */
        peer__buffer_clear(&end->out->outbox);
        end->out->outbox_at = 0;
        if (how == SIM_CRASH_PROCESS) {
            end->out->finishing = 1;
            take_soon(end->out);
            continue;
        }
        peer__timer_cancel(&sim->timers, &end->out->take);
        peer__timer_cancel(&sim->timers, &end->out->arrive);
        free_chunks(end->out);
        peer__sim_at(sim, &pipe->give_up, sim->now_us + noticed_us);
    }
}

/* The restarted machine knows nothing of its old connections and resets them as soon as it hears of one. */
void peer__sim_pipes_restart(struct sim_host *host)
{
    struct sim *sim = host->sim;
    LIST_FOR (node, following, &sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        struct transport_connection *end = end_at(pipe, host);
        if (end != NULL && end->state == END_GONE && !is_over(pipe) && pipe->give_up.place != 0)
            peer__sim_at(sim, &pipe->give_up, sim->now_us + peer__sim_delay(sim, end->out->link, 0));
    }
}

static int joins(struct pipe *pipe, const struct sim_host *a, const struct sim_host *b)
{
    return !is_over(pipe) && pipe->ends[1].host != NULL && end_at(pipe, a) != NULL &&
           (b == NULL || end_at(pipe, b) != NULL);
}

size_t peer__sim_pipes_reset(struct sim_host *a, struct sim_host *b)
{
    size_t count = 0;
    LIST_FOR (node, following, &a->sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        if (!joins(pipe, a, b))
            continue;
        count++;
        reset(pipe, "reset", "the connection was reset");
    }
    return count;
}

size_t peer__sim_connections(const struct sim_host *a, const struct sim_host *b)
{
    size_t count = 0;
    LIST_FOR (node, following, &a->sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        if (joins(pipe, a, b) && pipe->ends[0].state == END_OPEN && pipe->ends[1].state == END_OPEN)
            count++;
    }
    return count;
}

static int joins_neighbours(const struct transport_connection *end)
{
    return end->host->raw || peer__engine_is_neighbour(end->tag);
}

static struct sim_connection connection_of(const struct pipe *pipe)
{
    return (struct sim_connection){
        .id = pipe->id,
        .from = pipe->ends[0].host,
        .to = pipe->ends[1].host,
        .since_us = pipe->up_us,
        .is_neighbour = joins_neighbours(&pipe->ends[0]) && joins_neighbours(&pipe->ends[1]),
        .is_cut = peer__sim_way_is_cut(&pipe->ways[0]) || peer__sim_way_is_cut(&pipe->ways[1]),
    };
}

size_t peer__sim_list_connections(const struct sim *sim, struct sim_connection *connections, size_t max)
{
    size_t count = 0;
    LIST_FOR (node, following, &sim->pipes) {
        const struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        if (pipe->ends[0].state != END_OPEN || pipe->ends[1].state != END_OPEN)
            continue;
        if (count < max)
            connections[count] = connection_of(pipe);
        count++;
    }
    return count;
}

int peer__sim_pipes_are_idle(const struct sim *sim)
{
    LIST_FOR (node, following, &sim->pipes) {
        const struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        if (pipe->dial.place != 0)
            return 0;
        for (int i = 0; i < 2; i++) {
            if (pipe->ways[i].take.place != 0 || pipe->ways[i].arrive.place != 0)
                return 0;
        }
    }
    return 1;
}

/* ------------------------------------------------------------------------------------------------------ the end */

static void free_pipe(struct pipe *pipe)
{
    struct timers *timers = &pipe->sim->timers;

    peer__sim_forget_held(pipe);
    peer__timer_cancel(timers, &pipe->dial);
    peer__timer_cancel(timers, &pipe->give_up);
    for (int i = 0; i < 2; i++) {
        struct way *way = &pipe->ways[i];
        peer__timer_cancel(timers, &pipe->ends[i].linger);
        peer__timer_cancel(timers, &way->take);
        peer__timer_cancel(timers, &way->arrive);
        free_chunks(way);
        peer__buffer_free(&way->outbox);
        peer__frame_assembler_free(&way->messages);
        peer__buffer_free(&way->withheld);
    }
    peer__timers_release(timers, PIPE_TIMERS);
    list_remove(&pipe->in_sim);
    list_remove(&pipe->in_let_go);
    peer__free(pipe);
}

void peer__sim_pipes_sweep(struct sim *sim)
{
    LIST_FOR (node, following, &sim->let_go) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_let_go);
        list_remove(node);
        if (is_over(pipe))
            free_pipe(pipe);
    }
}

void peer__sim_pipes_free(struct sim *sim)
{
    LIST_FOR (node, following, &sim->pipes)
        free_pipe(CONTAINER_OF(node, struct pipe, in_sim));
}
