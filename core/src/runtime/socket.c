#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* accept4 */
#endif
#include "runtime/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define USER_TIMEOUT_MS 100000
#define KEEPALIVE_IDLE_S 60
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_COUNT 4
/* What the system keeps unsent stands before every live change: on a thin line megabytes of it, if it may. */
#define UNSENT_MAX (128 * 1024)

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

const char *peer__error_text(int error, char text[ERROR_TEXT_SIZE])
{
    /* strerror is not safe among threads, and strerror_r is two different functions. */
    return uv_strerror_r(uv_translate_sys_error(error), text, ERROR_TEXT_SIZE);
}

void peer__address_from_sockaddr(struct address *address_out, const struct sockaddr *from)
{
    *address_out = (struct address){0};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, from, sizeof(v4));
        memcpy(address_out->ip, v4_prefix, sizeof(v4_prefix));
        memcpy(address_out->ip + 12, &v4.sin_addr, 4);
        address_out->port = ntohs(v4.sin_port);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, from, sizeof(v6));
        memcpy(address_out->ip, &v6.sin6_addr, 16);
        address_out->port = ntohs(v6.sin6_port);
        /* Some systems give a scope for every address; ours is for link-local ones only. */
        address_out->scope_id = IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ? v6.sin6_scope_id : 0;
    }
}

socklen_t peer__address_to_sockaddr(const struct address *address, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    if (peer__address_is_v4(address)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)out;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address->port);
        memcpy(&v4->sin_addr, address->ip + 12, 4);
        return sizeof(*v4);
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address->port);
    v6->sin6_scope_id = address->scope_id;
    memcpy(&v6->sin6_addr, address->ip, 16);
    return sizeof(*v6);
}

#ifndef __linux__
static int prepared(int fd)
{
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
#ifdef SO_NOSIGPIPE
        setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
    }
    return fd;
}
#endif

int peer__socket_open(int family)
{
#ifdef __linux__
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
    return prepared(socket(family, SOCK_STREAM, 0));
#endif
}

int peer__socket_accept(int listening, struct address *remote_out)
{
    struct sockaddr_storage from = {0};
    socklen_t size = sizeof(from);
    int fd;

    do {
#ifdef __linux__
        fd = accept4(listening, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
#else
        fd = prepared(accept(listening, (struct sockaddr *)&from, &size));
#endif
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0)
        peer__address_from_sockaddr(remote_out, (struct sockaddr *)&from);
    return fd;
}

static void set(int fd, int level, int option, int value)
{
    /* None of these can fail in a way that matters: without them the connection works, only less well. */
    setsockopt(fd, level, option, &value, sizeof(value));
}

void peer__socket_configure(int fd)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
#ifdef TCP_KEEPIDLE
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
#endif
#ifdef TCP_KEEPINTVL
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
#endif
#ifdef TCP_KEEPCNT
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
#endif
#ifdef TCP_NOTSENT_LOWAT
    set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX);
#endif
#ifdef TCP_USER_TIMEOUT
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
#endif
}

void peer__socket_be_patient(int fd)
{
#ifdef TCP_USER_TIMEOUT
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
#else
    (void)fd;
#endif
}
