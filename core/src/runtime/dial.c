#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/connection.h"
#include "runtime/socket.h"
#include "runtime/thread.h"

static void wake_loop(void *context)
{
    struct runtime *runtime = context;

    uv_async_send(&runtime->wake);
}

/* The engine hears of the last target only: it is the best that could be done. */
static void give_up(struct transport_connection *connection, int error)
{
    const char *name = connection->dial->name;
    char reason[ERROR_TEXT_SIZE];

    if (error == ECONNREFUSED)
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "\"%s\" refused the connection", name);
    else if (error == ETIMEDOUT)
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "\"%s\" did not answer: timed out after %d s", name,
                              DIAL_TIMEOUT_US / 1000000);
    else if (error == EMFILE || error == ENFILE)
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED,
                              "\"%s\" cannot be dialled: no descriptor is free; raise the limit (ulimit -n)", name);
    else
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "\"%s\" cannot be reached: %s", name,
                              peer__error_text(error, reason));
}

/* 0 if the target answers later, else an error number. */
static int try_target(struct transport_connection *connection, const struct address *target)
{
    struct sockaddr_storage name;
    socklen_t size = peer__address_to_sockaddr(target, &name);
    int fd = peer__socket_open(name.ss_family);

    if (fd < 0)
        return errno;
    peer__socket_configure(fd);
    int failed = connect(fd, (struct sockaddr *)&name, size) != 0 && errno != EINPROGRESS && errno != EINTR;
    int error = failed ? errno : 0;
    if (!failed && peer__connection_watch(connection, fd) != 0)
        error = ENOMEM;
    if (error != 0) {
        close(fd);
        return error;
    }
    connection->state = CONNECTION_DIALLING;
    peer__watch_events(connection->watch, UV_WRITABLE);
    peer__timer_set(&connection->runtime->timers, &connection->timer, peer__monotonic_us() + DIAL_TIMEOUT_US);
    return 0;
}

/* Goes through the targets from the current one on, until one may answer. `error` is that of the one before. */
static void try_targets(struct transport_connection *connection, int error)
{
    struct dial *dial = connection->dial;

    for (; dial->target < dial->target_count; dial->target++) {
        error = try_target(connection, &dial->targets[dial->target]);
        if (error == 0)
            return;
    }
    give_up(connection, error);
}

static void next_target(struct transport_connection *connection, int error)
{
    peer__timer_cancel(&connection->runtime->timers, &connection->timer);
    peer__watch_close(connection->watch);
    connection->watch = NULL;
    connection->dial->target++;
    try_targets(connection, error);
}

void peer__dial_start(struct transport_connection *connection)
{
    struct dial *dial = connection->dial;

    if (dial->host[0] == '\0') {
        try_targets(connection, EHOSTUNREACH);
        return;
    }
    dial->lookup = peer__lookup_start(dial->host, dial->port, wake_loop, connection->runtime);
    if (dial->lookup == NULL) {
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED,
                              "cannot resolve \"%s\": too many look-ups are under way", dial->host);
        return;
    }
    dial->lookup->owner = connection;
    list_append(&connection->runtime->lookups, &dial->lookup->list);
    connection->state = CONNECTION_LOOKING_UP;
}

static int is_unknown_name(int error)
{
#ifdef EAI_NODATA
    if (error == EAI_NODATA)
        return 1;
#endif
    return error == 0 || error == EAI_NONAME;
}

static void looked_up(struct transport_connection *connection, struct lookup *lookup)
{
    struct dial *dial = connection->dial;
    char reason[ERROR_TEXT_SIZE];

    dial->target_count = lookup->result_count;
    for (size_t i = 0; i < lookup->result_count; i++)
        dial->targets[i] = lookup->results[i];
    if (lookup->result_count > 0)
        try_targets(connection, EHOSTUNREACH);
    else if (is_unknown_name(lookup->error))
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "cannot resolve \"%s\"", dial->host);
    else
        peer__connection_fail(connection, PEER_E_CONNECTION_FAILED, "cannot resolve \"%s\": %s", dial->host,
                              lookup->error == EAI_SYSTEM ? peer__error_text(lookup->system_error, reason)
                                                          : gai_strerror(lookup->error));
}

void peer__dials_looked_up(struct runtime *runtime)
{
    LIST_FOR (node, following, &runtime->lookups) {
        struct lookup *lookup = CONTAINER_OF(node, struct lookup, list);
        if (!peer__lookup_is_finished(lookup))
            continue;
        struct transport_connection *connection = lookup->owner;
        connection->dial->lookup = NULL;
        looked_up(connection, lookup);
        peer__lookup_free(lookup);
    }
}

void peer__dial_ready(struct transport_connection *connection)
{
    struct dial *dial = connection->dial;
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(connection->watch->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0) {
        next_target(connection, error);
        return;
    }
    struct address remote = dial->targets[dial->target];
    peer__timer_cancel(&connection->runtime->timers, &connection->timer);
    connection->state = CONNECTION_OPEN;
    connection->dial = NULL;
    peer__free(dial);
    peer__connection_touch(connection);
    peer__engine_connected(connection->runtime->driver.engine, connection->tag, &remote);
}

void peer__dial_timed_out(struct transport_connection *connection)
{
    next_target(connection, ETIMEDOUT);
}
