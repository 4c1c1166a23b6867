#include <errno.h>
#include <fcntl.h>
#include <string.h>
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
/* A change of addresses comes in several notices, and a new one of IPv6 can be used only a little later. */
#define SETTLE_US 300000
/* How often addresses are looked at where the system gives no notice. */
#define LOOK_US 30000000
#define TIMERS 2

struct listen_socket {
    struct transport_listener *listener;
    int fd;              /* -1: a free place */
    struct watch *watch; /* owns the descriptor; NULL: not watched yet */
};

struct transport_listener {
    struct runtime *runtime;
    struct list list;
    struct timer pause_timer;
    struct timer look_timer;
    void *tag;
    int closed;
    uint32_t scope;
    uint32_t scope_id;
    uint16_t port;
    int has_v6;
    int are_bound; /* each socket to its address; else one to all */
    struct listen_socket sockets[LISTEN_ADDRESS_MAX];
    struct address addresses[LISTEN_ADDRESS_MAX]; /* are_bound: of the socket of the same index */
};

static void watch_all(struct transport_listener *listener, int events)
{
    for (size_t i = 0; i < LISTEN_ADDRESS_MAX; i++) {
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

/* --- addresses that change -------------------------------------------------------------------------------------------- */

static int has(const struct listen_sockets *found, const struct address *address)
{
    for (size_t i = 0; i < found->address_count; i++) {
        if (peer__address_equal(&found->addresses[i], address))
            return 1;
    }
    return 0;
}

static void close_socket(struct listen_socket *socket)
{
    if (socket->watch != NULL)
        peer__watch_close(socket->watch);
    else if (socket->fd >= 0)
        close(socket->fd);
    socket->watch = NULL;
    socket->fd = -1;
}

/* Where it listens already. */
static int serves(const struct transport_listener *listener, const struct address *address)
{
    for (size_t i = 0; i < LISTEN_ADDRESS_MAX; i++) {
        if (listener->sockets[i].fd >= 0 && peer__address_equal(&listener->addresses[i], address))
            return 1;
    }
    return 0;
}

static void serve(struct transport_listener *listener, const struct address *address)
{
    size_t place = 0;

    while (place < LISTEN_ADDRESS_MAX && listener->sockets[place].fd >= 0)
        place++;
    if (place == LISTEN_ADDRESS_MAX)
        return;
    listener->sockets[place].fd = peer__socket_listen_at(address);
    listener->addresses[place] = *address;
    listener->runtime->listeners_changed = 1;
}

/* Of the addresses of a link or site each has a socket of its own. What cannot be bound yet is left out of `found`. */
static void follow(struct transport_listener *listener, struct listen_sockets *found)
{
    size_t kept = 0;

    for (size_t i = 0; i < LISTEN_ADDRESS_MAX; i++) {
        if (listener->sockets[i].fd >= 0 && !has(found, &listener->addresses[i]))
            close_socket(&listener->sockets[i]);
    }
    for (size_t i = 0; i < found->address_count; i++) {
        if (!serves(listener, &found->addresses[i]))
            serve(listener, &found->addresses[i]);
        if (serves(listener, &found->addresses[i]))
            found->addresses[kept++] = found->addresses[i];
    }
    found->address_count = kept;
}

/* While no interface is up, what was told stays: as a rule it is true again soon. */
static void look(struct timer *timer)
{
    struct transport_listener *listener = CONTAINER_OF(timer, struct transport_listener, look_timer);
    struct runtime *runtime = listener->runtime;
    struct listen_sockets found = {0};

    if (listener->closed)
        return;
    if (runtime->address_news == NULL)
        peer__timer_set(&runtime->timers, timer, peer__monotonic_us() + LOOK_US);
    if (!peer__sockets_addresses(listener->scope, listener->scope_id, listener->port, listener->has_v6, &found))
        return;
    if (listener->are_bound)
        follow(listener, &found);
    if (found.address_count > 0)
        peer__engine_addresses_changed(runtime->driver.engine, listener->tag, found.addresses, found.address_count);
}

static void look_in(struct transport_listener *listener, int64_t delay_us)
{
    if (listener->scope != PEER_GRAPH_SCOPE_LOOPBACK && listener->look_timer.place == 0)
        peer__timer_set(&listener->runtime->timers, &listener->look_timer, peer__monotonic_us() + delay_us);
}

static void on_address_news(void *owner, int events)
{
    struct runtime *runtime = owner;

    (void)events;
    peer__address_news_read(runtime->address_news->fd);
    peer__turn_begin(runtime);
    LIST_FOR (node, following, &runtime->listeners)
        look_in(CONTAINER_OF(node, struct transport_listener, list), SETTLE_US);
    peer__turn_end(runtime);
}

static void watch_addresses(struct runtime *runtime)
{
    int fd = runtime->address_news == NULL ? peer__address_news_open() : -1;

    if (fd < 0)
        return;
    runtime->address_news = peer__watch_open(runtime, fd, on_address_news, runtime);
    if (runtime->address_news != NULL)
        peer__watch_events(runtime->address_news, UV_READABLE);
    else
        close(fd);
}

void peer__listeners_end(struct runtime *runtime)
{
    if (runtime->address_news != NULL)
        peer__watch_close(runtime->address_news);
    runtime->address_news = NULL;
}

/* --- opening and closing ---------------------------------------------------------------------------------------------- */

static uint16_t port_of(const struct listen_sockets *sockets)
{
    return sockets->addresses[0].port;
}

static void take_sockets(struct transport_listener *listener, const struct listen_sockets *sockets)
{
    listener->port = port_of(sockets);
    listener->has_v6 = sockets->has_v6 || sockets->are_bound;
    listener->are_bound = sockets->are_bound;
    for (size_t i = 0; i < LISTEN_ADDRESS_MAX; i++)
        listener->sockets[i] = (struct listen_socket){listener, i < sockets->fd_count ? sockets->fds[i] : -1, NULL};
    memcpy(listener->addresses, sockets->addresses, sockets->address_count * sizeof(sockets->addresses[0]));
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
    peer_status status = peer__timers_reserve(&runtime->timers, TIMERS);
    if (status == PEER_OK) {
        status = peer__sockets_listen(scope, scope_id, port, &sockets);
        if (status < 0)
            peer__timers_release(&runtime->timers, TIMERS);
    }
    if (status < 0) {
        peer__free(listener);
        return status;
    }
    listener->runtime = runtime;
    listener->tag = tag;
    listener->scope = scope;
    listener->scope_id = scope_id;
    peer__timer_init(&listener->pause_timer, pause_over);
    peer__timer_init(&listener->look_timer, look);
    take_sockets(listener, &sockets);
    memcpy(addresses, sockets.addresses, sockets.address_count * sizeof(sockets.addresses[0]));
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
    for (size_t i = 0; i < LISTEN_ADDRESS_MAX; i++) {
        if (listener->sockets[i].fd >= 0)
            shutdown(listener->sockets[i].fd, SHUT_RDWR);
    }
}

static void free_listener(struct transport_listener *listener)
{
    for (size_t i = 0; i < LISTEN_ADDRESS_MAX; i++)
        close_socket(&listener->sockets[i]);
    peer__timer_cancel(&listener->runtime->timers, &listener->pause_timer);
    peer__timer_cancel(&listener->runtime->timers, &listener->look_timer);
    peer__timers_release(&listener->runtime->timers, TIMERS);
    list_remove(&listener->list);
    peer__free(listener);
}

static void watch_new(struct transport_listener *listener)
{
    for (size_t i = 0; i < LISTEN_ADDRESS_MAX; i++) {
        struct listen_socket *socket = &listener->sockets[i];
        if (socket->watch != NULL || socket->fd < 0)
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
        if (listener->closed) {
            free_listener(listener);
            continue;
        }
        watch_new(listener);
        if (listener->scope == PEER_GRAPH_SCOPE_LOOPBACK)
            continue; /* its addresses never change */
        watch_addresses(runtime);
        look_in(listener, runtime->address_news != NULL ? SETTLE_US : LOOK_US); /* news from before it was watched */
    }
}

void peer__listeners_close_all(struct runtime *runtime)
{
    LIST_FOR (node, following, &runtime->listeners)
        peer__listener_close(runtime, CONTAINER_OF(node, struct transport_listener, list));
}
