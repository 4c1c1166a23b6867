#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/connection.h"
#include "runtime/socket.h"
#include "runtime/thread.h"

/* Connections that are accepted before others get their turn. */
#define ACCEPT_BURST 16
/* How long nothing is accepted when the machine is out of something. */
#define ACCEPT_PAUSE_US 100000

struct listen_socket {
    struct transport_listener *listener;
    int fd;
    struct watch *watch; /* owns the descriptor; NULL: not watched yet */
};

struct transport_listener {
    struct runtime *runtime;
    struct list list;
    struct timer pause_timer;
    void *tag;
    int closed;
    struct listen_socket sockets[LISTEN_ADDRESS_MAX];
    size_t socket_count;
};

static void watch_all(struct transport_listener *listener, int events)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        if (listener->sockets[i].watch != NULL)
            peer__watch_events(listener->sockets[i].watch, events);
    }
}

static void pause_over(struct timer *timer)
{
    struct transport_listener *listener = CONTAINER_OF(timer, struct transport_listener, pause_timer);

    listener->runtime->listeners_changed = 1; /* also watches what could not be watched */
    watch_all(listener, UV_READABLE);
}

static void pause_accepting(struct transport_listener *listener)
{
    watch_all(listener, 0);
    peer__timer_set(&listener->runtime->timers, &listener->pause_timer, peer__monotonic_us() + ACCEPT_PAUSE_US);
}

/* Somebody else may have been faster to take the one that was given up. */
static void keep_spare(struct runtime *runtime)
{
    if (runtime->spare_fd < 0)
        runtime->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/*
 * No descriptor is free: the connection that waits would keep the loop busy for ever. The spare one is given up to
 * accept and drop it, so that the other side hears at once. 0 if that did not work.
 */
static int shed(struct runtime *runtime, int listening)
{
    struct address remote;

    if (runtime->spare_fd < 0)
        return 0;
    close(runtime->spare_fd);
    runtime->spare_fd = -1;
    int fd = peer__socket_accept(listening, &remote);
    if (fd >= 0)
        close(fd);
    keep_spare(runtime);
    return fd >= 0;
}

/* Under the lock. */
static void take_in(struct transport_listener *listener, int fd, const struct address *remote)
{
    struct runtime *runtime = listener->runtime;
    struct transport_connection *connection = peer__connection_create(runtime, NULL);
    void *tag = NULL;

    if (connection == NULL || peer__connection_watch(connection, fd) != 0) {
        close(fd);
        if (connection != NULL)
            peer__connection_free(connection);
        return;
    }
    connection->state = CONNECTION_OPEN;
    peer_status status = peer__engine_accepted(runtime->driver.engine, listener->tag, connection, remote, &tag);
    if (status < 0) {
        peer__connection_free(connection);
        return;
    }
    if (!connection->released)
        connection->tag = tag;
    peer__connection_touch(connection);
}

/* One turn. 0 if nothing more can be accepted now. */
static int accept_one(struct transport_listener *listener, int listening)
{
    struct address remote;
    int fd = peer__socket_accept(listening, &remote);
    int error = fd < 0 ? errno : 0;

    keep_spare(listener->runtime);
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINVAL)
        return 0; /* EINVAL: just shut down by peer__listener_close */
    if (error == ECONNABORTED || error == EPROTO)
        return 1; /* it has left already */
    if ((error == EMFILE || error == ENFILE) && shed(listener->runtime, listening))
        return 1;
    int more = 1;
    peer__turn_begin(listener->runtime);
    if (listener->closed || fd < 0) {
        if (fd >= 0)
            close(fd);
        else if (!listener->closed)
            pause_accepting(listener);
        more = 0;
    } else {
        peer__socket_configure(fd);
        take_in(listener, fd, &remote);
    }
    peer__turn_end(listener->runtime);
    return more;
}

static void ready(void *owner, int events)
{
    struct listen_socket *socket = owner;

    (void)events;
    /* Listeners are freed by the loop between its callbacks, so this one stays while we are here. */
    for (int i = 0; i < ACCEPT_BURST && accept_one(socket->listener, socket->fd); i++)
        ;
}

peer_status peer__listener_open(void *self, uint32_t scope, uint32_t scope_id, uint16_t port, void *tag,
                                struct transport_listener **listener_out, struct address addresses[LISTEN_ADDRESS_MAX],
                                size_t *address_count_out)
{
    struct runtime *runtime = self;
    struct listen_sockets sockets;
    struct transport_listener *listener = peer__calloc(1, sizeof(*listener));

    if (listener == NULL)
        return peer__out_of_memory();
    peer_status status = peer__timers_reserve(&runtime->timers, 1);
    if (status == PEER_OK) {
        status = peer__sockets_listen(scope, scope_id, port, &sockets);
        if (status < 0)
            peer__timers_release(&runtime->timers, 1);
    }
    if (status < 0) {
        peer__free(listener);
        return status;
    }
    listener->runtime = runtime;
    listener->tag = tag;
    peer__timer_init(&listener->pause_timer, pause_over);
    for (size_t i = 0; i < sockets.fd_count; i++)
        listener->sockets[listener->socket_count++] = (struct listen_socket){listener, sockets.fds[i], NULL};
    for (size_t i = 0; i < sockets.address_count; i++)
        addresses[i] = sockets.addresses[i];
    *address_count_out = sockets.address_count;
    list_append(&runtime->listeners, &listener->list);
    runtime->listeners_changed = 1;
    *listener_out = listener;
    return PEER_OK;
}

void peer__listener_close(void *self, struct transport_listener *listener)
{
    struct runtime *runtime = self;

    listener->closed = 1;
    runtime->listeners_changed = 1;
    /* Only the loop may close the descriptors, but the port has to be free when this returns. */
    for (size_t i = 0; i < listener->socket_count; i++)
        shutdown(listener->sockets[i].fd, SHUT_RDWR);
}

static void free_listener(struct transport_listener *listener)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        if (listener->sockets[i].watch != NULL)
            peer__watch_close(listener->sockets[i].watch);
        else
            close(listener->sockets[i].fd);
    }
    peer__timer_cancel(&listener->runtime->timers, &listener->pause_timer);
    peer__timers_release(&listener->runtime->timers, 1);
    list_remove(&listener->list);
    peer__free(listener);
}

static void watch_new(struct transport_listener *listener)
{
    for (size_t i = 0; i < listener->socket_count; i++) {
        struct listen_socket *socket = &listener->sockets[i];
        if (socket->watch != NULL)
            continue;
        socket->watch = peer__watch_open(listener->runtime, socket->fd, ready, socket);
        if (socket->watch != NULL)
            peer__watch_events(socket->watch, UV_READABLE);
        else
            pause_accepting(listener); /* memory is out: again a little later */
    }
}

void peer__listeners_attend(struct runtime *runtime)
{
    if (!runtime->listeners_changed)
        return;
    runtime->listeners_changed = 0;
    LIST_FOR (node, following, &runtime->listeners) {
        struct transport_listener *listener = CONTAINER_OF(node, struct transport_listener, list);
        if (listener->closed)
            free_listener(listener);
        else
            watch_new(listener);
    }
}

void peer__listeners_close_all(struct runtime *runtime)
{
    LIST_FOR (node, following, &runtime->listeners)
        peer__listener_close(runtime, CONTAINER_OF(node, struct transport_listener, list));
}
