#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "runtime/state.h"

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct watch *watch = (struct watch *)handle;

    /* libuv stops watching when the descriptor has an error. It comes out when the descriptor is used, but behind input
     * that lies before it, for which one turn may not be enough. */
    if (status < 0)
        uv_poll_start(handle, watch->events, on_poll);
    watch->ready(watch->owner, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

static void on_closed(uv_handle_t *handle)
{
    peer__free(handle); /* the poll handle stands first */
}

struct watch *peer__watch_open(struct runtime *runtime, int fd, void (*ready)(void *owner, int events), void *owner)
{
    struct watch *watch = peer__calloc(1, sizeof(*watch));

    if (watch == NULL)
        return NULL;
    watch->fd = fd;
    watch->ready = ready;
    watch->owner = owner;
    if (uv_poll_init(&runtime->loop, &watch->poll, fd) != 0) {
        peer__free(watch);
        return NULL;
    }
    return watch;
}

void peer__watch_events(struct watch *watch, int events)
{
    if (watch->events == events)
        return;
    watch->events = events;
    if (events != 0)
        uv_poll_start(&watch->poll, events, on_poll);
    else
        uv_poll_stop(&watch->poll);
}

void peer__watch_close(struct watch *watch)
{
    uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_closed);
    shutdown(watch->fd, SHUT_RDWR); /* a child of a fork may hold the descriptor still: the other side is to know */
    close(watch->fd);
    watch->fd = -1;
}
