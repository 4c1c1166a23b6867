#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "runtime/connection.h"
#include "runtime/socket.h"
#include "runtime/thread.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE is set instead */
#endif

/* What one connection sends in one turn, at most: a fast reader must not keep all others waiting. */
#define FLUSH_SIZE_MAX (1024u * 1024)
/* An output buffer that is empty and larger than this is given back. */
#define OUTPUT_KEEP_MAX TRANSPORT_HIGH_WATER
/* After a failed send, how long what the other side said last is waited for. */
#define BROKEN_WAIT_US 1000000
/* However much life a side shows that does not take the last of what a patient connection was to bring. */
#define PATIENCE_MAX_US INT64_C(1800000000)

/* ---- life */

/* What has not been read is not lost because nobody had the time to read it. */
static int goes_on(const struct transport_connection *connection)
{
    if (connection->state == CONNECTION_DIALLING)
        return 0;
    if (connection->released)
        return connection->patient && connection->shows_life && peer__monotonic_us() < connection->linger_until_us;
    return connection->paused || connection->shows_life;
}

static void set_timer(struct transport_connection *connection, int64_t wait_us)
{
    connection->shows_life = 0;
    peer__timer_set(&connection->runtime->timers, &connection->timer, peer__monotonic_us() + wait_us);
}

static void on_timer(struct timer *timer)
{
    struct transport_connection *connection = CONTAINER_OF(timer, struct transport_connection, timer);

    if (goes_on(connection))
        set_timer(connection, connection->released ? (int64_t)connection->linger_ms * 1000 : BROKEN_WAIT_US);
    else if (connection->released)
        peer__connection_free(connection);
    else if (connection->state == CONNECTION_DIALLING)
        peer__dial_timed_out(connection);
    else
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "the other side broke the connection");
}

struct transport_connection *peer__connection_create(struct runtime *runtime, void *tag)
{
    struct transport_connection *connection = peer__calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    if (peer__timers_reserve(&runtime->timers, 1) < 0) {
        peer__free(connection);
        return NULL;
    }
    connection->runtime = runtime;
    connection->tag = tag;
    peer__timer_init(&connection->timer, on_timer);
    list_init(&connection->work);
    list_append(&runtime->connections, &connection->all);
    return connection;
}

void peer__connection_free(struct transport_connection *connection)
{
    struct dial *dial = connection->dial;

    if (dial != NULL && dial->lookup != NULL)
        peer__lookup_free(dial->lookup);
    peer__free(dial);
    if (connection->watch != NULL)
        peer__watch_close(connection->watch);
    peer__timer_cancel(&connection->runtime->timers, &connection->timer);
    peer__timers_release(&connection->runtime->timers, 1);
    peer__buffer_free(&connection->output);
    list_remove(&connection->all);
    list_remove(&connection->work);
    peer__free(connection);
}

void peer__connection_touch(struct transport_connection *connection)
{
    if (list_is_empty(&connection->work))
        list_append(&connection->runtime->work, &connection->work);
}

void peer__connection_fail(struct transport_connection *connection, peer_status status, const char *format, ...)
{
    if (connection->failure < 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(connection->failure_text, sizeof(connection->failure_text), format, arguments);
    va_end(arguments);
    peer__text_to_line(connection->failure_text);
    connection->failure = status;
    peer__connection_touch(connection);
}

/* ---- output */

static size_t unsent(const struct transport_connection *connection)
{
    return connection->output.size - connection->output_sent;
}

/* A send failed. The other side may have said why before it left, so what has arrived is read before it ends. */
static void break_off(struct transport_connection *connection)
{
    connection->broken = 1;
    connection->output_sent = connection->output.size;
    if (!connection->released)
        set_timer(connection, BROKEN_WAIT_US);
}

/* Forgets what was sent: now and then, so that a long queue is not moved for every piece of it. */
static void trim_output(struct transport_connection *connection)
{
    struct buffer *output = &connection->output;

    if (unsent(connection) == 0) {
        connection->output_sent = 0;
        peer__buffer_clear(output);
        if (output->capacity > OUTPUT_KEEP_MAX)
            peer__buffer_free(output);
    } else if (connection->output_sent > output->size / 2) {
        peer__buffer_consume(output, connection->output_sent);
        connection->output_sent = 0;
    }
}

static void flush(struct transport_connection *connection)
{
    size_t left = FLUSH_SIZE_MAX;

    while (unsent(connection) > 0 && left > 0 && !connection->broken) {
        size_t size = unsent(connection) < left ? unsent(connection) : left;
        ssize_t sent = send(connection->watch->fd, connection->output.data + connection->output_sent, size,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            connection->output_sent += (size_t)sent;
            connection->shows_life = 1;
            left -= (size_t)sent;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
            connection->blocked = 1;
            break;
        } else if (errno != EINTR) {
            break_off(connection);
        }
    }
    trim_output(connection);
    if (connection->was_high && unsent(connection) <= TRANSPORT_LOW_WATER) {
        connection->was_high = 0;
        connection->writable_due = 1;
    }
}

static int wanted_events(const struct transport_connection *connection)
{
    int events = 0;

    if (connection->released || !connection->paused)
        events |= UV_READABLE;
    if (connection->blocked && !connection->broken)
        events |= UV_WRITABLE;
    return events;
}

static int needs_loop(const struct transport_connection *connection)
{
    if (connection->state == CONNECTION_NEW || connection->failure < 0 || connection->released)
        return 1;
    if (connection->state != CONNECTION_OPEN)
        return 0; /* it is watched, or looked up */
    return connection->writable_due || wanted_events(connection) != connection->watch->events ||
           (unsent(connection) > 0 && !connection->blocked);
}

static void flush_if_open(struct transport_connection *connection)
{
    if (connection->state == CONNECTION_OPEN && connection->failure == 0 && !connection->blocked)
        flush(connection);
}

void peer__transport_flush(struct runtime *runtime)
{
    LIST_FOR (node, following, &runtime->work) {
        struct transport_connection *connection = CONTAINER_OF(node, struct transport_connection, work);
        flush_if_open(connection);
        if (!needs_loop(connection))
            list_remove(&connection->work);
    }
}

/* ---- input: the loop's thread */

static ssize_t receive(struct transport_connection *connection, size_t size_max)
{
    ssize_t size;

    do {
        size = recv(connection->watch->fd, connection->runtime->input, size_max, MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    if (size > 0)
        connection->shows_life = 1;
    return size;
}

/* How long a turn takes depends on what its bytes are, many small records or one large one; so the next one is as large
 * as the last was quick. */
static void adapt_turn_size(struct runtime *runtime, size_t size, int64_t took_us)
{
    if (took_us > TURN_TIME_MAX_US && runtime->turn_size > TURN_SIZE_MIN)
        runtime->turn_size /= 2;
    else if (took_us < TURN_TIME_MAX_US / 3 && size == runtime->turn_size && size < TURN_SIZE_MAX)
        runtime->turn_size *= 2;
}

static void take_input(struct transport_connection *connection, size_t size)
{
    struct runtime *runtime = connection->runtime;
    int64_t began_us = peer__monotonic_us();

    runtime->had_input = 1;
    peer__engine_received(runtime->driver.engine, connection->tag, runtime->input, size);
    adapt_turn_size(runtime, size, peer__monotonic_us() - began_us);
}

static void read_turn(struct transport_connection *connection)
{
    char reason[ERROR_TEXT_SIZE];
    ssize_t size = receive(connection, connection->runtime->turn_size);

    if (size > 0) {
        take_input(connection, (size_t)size);
    } else if (size == 0) {
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "the other side closed the connection");
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "the connection was lost: %s",
                              peer__error_text(errno, reason));
    }
}

/* After the engine has let go, input is thrown away: closing with unread input would destroy our last words. */
static void discard_turn(struct transport_connection *connection)
{
    ssize_t size = receive(connection, TURN_SIZE_MAX);

    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK))
        peer__connection_free(connection);
}

static void on_ready_locked(struct transport_connection *connection, int events)
{
    if (connection->failure < 0 || (connection->released && connection->state != CONNECTION_OPEN))
        return; /* about to be freed */
    if (connection->state == CONNECTION_DIALLING) {
        peer__dial_ready(connection);
        return;
    }
    if (events & UV_WRITABLE) {
        connection->blocked = 0;
        peer__connection_touch(connection);
    }
    if (!(events & UV_READABLE))
        return;
    if (connection->released)
        discard_turn(connection);
    else if (!connection->paused)
        read_turn(connection);
}

static void on_ready(void *owner, int events)
{
    struct transport_connection *connection = owner;
    struct runtime *runtime = connection->runtime;

    peer__turn_begin(runtime);
    on_ready_locked(connection, events);
    int overdue = peer__commit_is_overdue(runtime);
    peer__turn_end(runtime);
    if (overdue)
        peer__commit_turn(runtime);
}

int peer__connection_watch(struct transport_connection *connection, int fd)
{
    connection->watch = peer__watch_open(connection->runtime, fd, on_ready, connection);
    return connection->watch != NULL ? 0 : -1;
}

/* ---- what waits for the loop's thread */

static void tell_failure(struct transport_connection *connection)
{
    connection->state = CONNECTION_ENDED;
    if (!connection->released)
        peer__engine_closed(connection->runtime->driver.engine, connection->tag, connection->failure,
                            connection->failure_text);
    peer__connection_free(connection);
}

static void attend_released(struct transport_connection *connection)
{
    if (connection->state != CONNECTION_OPEN || connection->broken || connection->linger_ms == 0) {
        peer__connection_free(connection);
        return;
    }
    if (!connection->lingering) {
        connection->lingering = 1;
        connection->linger_until_us = peer__monotonic_us() + PATIENCE_MAX_US;
        set_timer(connection, (int64_t)connection->linger_ms * 1000);
    }
    if (unsent(connection) == 0 && !connection->fin_sent) {
        connection->fin_sent = 1;
        shutdown(connection->watch->fd, SHUT_WR);
    }
    if (unsent(connection) > 0 && !connection->blocked)
        peer__connection_touch(connection);
    peer__watch_events(connection->watch, wanted_events(connection));
}

void peer__transport_attend(struct transport_connection *connection)
{
    flush_if_open(connection);
    if (connection->failure < 0) {
        tell_failure(connection);
    } else if (connection->released) {
        attend_released(connection);
    } else if (connection->state == CONNECTION_NEW) {
        peer__dial_start(connection);
    } else if (connection->state == CONNECTION_OPEN) {
        peer__watch_events(connection->watch, wanted_events(connection));
        if (unsent(connection) > 0 && !connection->blocked)
            peer__connection_touch(connection); /* goes on after the others */
        if (connection->writable_due) {
            connection->writable_due = 0;
            peer__engine_writable(connection->runtime->driver.engine, connection->tag);
        }
    }
}

static void release(struct transport_connection *connection, uint32_t linger_ms)
{
    connection->released = 1;
    connection->tag = NULL;
    connection->linger_ms = linger_ms;
    peer__timer_cancel(&connection->runtime->timers, &connection->timer);
    peer__connection_touch(connection);
}

void peer__transport_end(struct runtime *runtime, uint32_t linger_ms)
{
    int64_t until_us = peer__monotonic_us() + (int64_t)linger_ms * 1000;

    LIST_FOR (node, following, &runtime->connections) {
        struct transport_connection *connection = CONTAINER_OF(node, struct transport_connection, all);
        if (!connection->released)
            release(connection, linger_ms);
        else if (connection->linger_ms > linger_ms)
            connection->linger_ms = linger_ms;
        connection->patient = 0;
        if (connection->lingering && connection->timer.deadline_us > until_us)
            peer__timer_set(&runtime->timers, &connection->timer, until_us);
        peer__connection_touch(connection);
    }
}

/* ---- the interface */

static uint32_t scope_of(const char *interface_name, const struct address *address)
{
    return interface_name[0] != '\0' ? if_nametoindex(interface_name) : address->scope_id;
}

static struct dial *dial_create(const char *host, const struct address *address, uint32_t scope_id)
{
    struct dial *dial = peer__calloc(1, sizeof(*dial));

    if (dial == NULL)
        return NULL;
    dial->port = address->port;
    if (host[0] != '\0') {
        snprintf(dial->host, sizeof(dial->host), "%s", host);
        snprintf(dial->name, sizeof(dial->name), "%s:%u", dial->host, dial->port);
    } else {
        dial->targets[0] = *address;
        dial->targets[0].scope_id = scope_id;
        dial->target_count = 1;
        peer__address_format(&dial->targets[0], dial->name);
    }
    return dial;
}

static peer_status dial(void *self, const char *host, const char *interface_name, const struct address *address,
                        void *tag, struct transport_connection **connection_out)
{
    uint32_t scope_id = scope_of(interface_name, address);

    if (interface_name[0] != '\0' && scope_id == 0)
        return peer__fail(PEER_E_CONNECTION_FAILED, "there is no interface \"%s\"", interface_name);
    struct transport_connection *connection = peer__connection_create(self, tag);
    if (connection == NULL)
        return peer__out_of_memory();
    connection->dial = dial_create(host, address, scope_id);
    if (connection->dial == NULL) {
        peer__connection_free(connection);
        return peer__out_of_memory();
    }
    peer__connection_touch(connection);
    *connection_out = connection;
    return PEER_OK;
}

/* Only queues: the end of the turn sends everything that the turn has queued at once, on whichever thread it is. */
static void queue_output(void *self, struct transport_connection *connection, const void *data, size_t size)
{
    (void)self;
    if (connection->failure < 0 || connection->broken || connection->released || connection->state == CONNECTION_ENDED)
        return;
    peer__buffer_append(&connection->output, data, size);
    if (connection->output.failed)
        peer__connection_fail(connection, E_OUTOFMEMORY, "memory is out");
    if (unsent(connection) > TRANSPORT_HIGH_WATER)
        connection->was_high = 1;
    peer__connection_touch(connection);
}

static size_t queued(void *self, struct transport_connection *connection)
{
    (void)self;
    return unsent(connection);
}

static void pause_reading(void *self, struct transport_connection *connection, int paused)
{
    (void)self;
    connection->paused = paused != 0;
    peer__connection_touch(connection);
}

static void be_patient(void *self, struct transport_connection *connection)
{
    (void)self;
    connection->patient = 1;
    if (!connection->released && connection->watch != NULL)
        peer__socket_be_patient(connection->watch->fd);
}

static void close_connection(void *self, struct transport_connection *connection, uint32_t linger_ms)
{
    (void)self;
    if (!connection->released)
        release(connection, linger_ms);
}

void peer__transport_init(struct runtime *runtime, struct transport *transport_out)
{
    *transport_out = (struct transport){.listen = peer__listener_open,
                                        .unlisten = peer__listener_close,
                                        .dial = dial,
                                        .send = queue_output,
                                        .queued = queued,
                                        .pause = pause_reading,
                                        .be_patient = be_patient,
                                        .close = close_connection,
                                        .self = runtime};
}
