#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "runtime/socket.h"

#define BACKLOG 128
/* How often a free port of IPv6 may turn out to be taken for IPv4. */
#define PORT_TRIES_MAX 32

/* Kinds of addresses, best to dial first. */
enum kind { KIND_GLOBAL_V6, KIND_V4, KIND_UNIQUE_LOCAL, KIND_LINK_LOCAL, KIND_LOOPBACK };

static int is_private_v4(const uint8_t ip[4])
{
    return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) || (ip[0] == 192 && ip[1] == 168);
}

static enum kind kind_of(const struct address *address)
{
    const uint8_t *ip = address->ip;

    if (peer__address_is_v4(address)) {
        if (ip[12] == 127)
            return KIND_LOOPBACK;
        return ip[12] == 169 && ip[13] == 254 ? KIND_LINK_LOCAL : KIND_V4;
    }
    if (memcmp(ip, &in6addr_loopback, 16) == 0)
        return KIND_LOOPBACK;
    if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80)
        return KIND_LINK_LOCAL;
    /* fec0::/10, the old site-local addresses, count as their successors. */
    if ((ip[0] & 0xfe) == 0xfc || (ip[0] == 0xfe && (ip[1] & 0xc0) == 0xc0))
        return KIND_UNIQUE_LOCAL;
    return KIND_GLOBAL_V6;
}

static int belongs_to_scope(const struct address *address, uint32_t scope)
{
    enum kind kind = kind_of(address);

    switch (scope) {
    case PEER_GRAPH_SCOPE_LINKLOCAL:
        return kind == KIND_LINK_LOCAL;
    case PEER_GRAPH_SCOPE_SITELOCAL:
        return kind == KIND_UNIQUE_LOCAL || (kind == KIND_V4 && is_private_v4(address->ip + 12));
    case PEER_GRAPH_SCOPE_LOOPBACK:
        return kind == KIND_LOOPBACK;
    default:
        return 1;
    }
}

/* Keeps `found` ordered by kind; what comes first in the system's order stays first among its kind. */
static void insert(struct listen_sockets *found, const struct address *address)
{
    size_t at = found->address_count;

    for (size_t i = 0; i < found->address_count; i++) {
        if (peer__address_equal(&found->addresses[i], address))
            return;
    }
    while (at > 0 && kind_of(&found->addresses[at - 1]) > kind_of(address))
        at--;
    if (at == LISTEN_ADDRESS_MAX)
        return;
    size_t moved = found->address_count - at;
    if (found->address_count == LISTEN_ADDRESS_MAX)
        moved--; /* the worst falls off */
    else
        found->address_count++;
    memmove(&found->addresses[at + 1], &found->addresses[at], moved * sizeof(*address));
    found->addresses[at] = *address;
}

/* The machine's own addresses of a scope, best first; of one interface if `interface_index` is not 0. */
static void find_addresses(struct listen_sockets *found, uint32_t scope, uint32_t interface_index, uint16_t port,
                           int want_v6)
{
    struct ifaddrs *all = NULL;

    found->address_count = 0;
    if (getifaddrs(&all) != 0)
        return;
    for (const struct ifaddrs *each = all; each != NULL; each = each->ifa_next) {
        struct address address;
        if (each->ifa_addr == NULL || !(each->ifa_flags & IFF_UP))
            continue;
        if (each->ifa_addr->sa_family != AF_INET && each->ifa_addr->sa_family != AF_INET6)
            continue;
        if (interface_index != 0 && if_nametoindex(each->ifa_name) != interface_index)
            continue;
        peer__address_from_sockaddr(&address, each->ifa_addr);
        address.port = port;
        if (belongs_to_scope(&address, scope) && (want_v6 || peer__address_is_v4(&address)))
            insert(found, &address);
    }
    freeifaddrs(all);
}

/* Loopback and link-local are told to others only when there is nothing else (decisions.md 14). */
static void drop_unless_alone(struct listen_sockets *found, enum kind kind)
{
    while (found->address_count > 0 && kind_of(&found->addresses[0]) < kind &&
           kind_of(&found->addresses[found->address_count - 1]) >= kind)
        found->address_count--;
}

static void close_all(struct listen_sockets *sockets)
{
    while (sockets->fd_count > 0)
        close(sockets->fds[--sockets->fd_count]);
}

static int own_port(int fd, uint16_t *port_out)
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof(name);
    struct address address;

    if (getsockname(fd, (struct sockaddr *)&name, &size) != 0)
        return errno;
    peer__address_from_sockaddr(&address, (struct sockaddr *)&name);
    *port_out = address.port;
    return 0;
}

/* One more listening socket. `*port` 0 becomes the port that the system chose. 0, or an error number. */
static int add_socket(struct listen_sockets *sockets, const struct address *address, int v6_only, uint16_t *port)
{
    struct sockaddr_storage name;
    struct address wanted = *address;
    int fd = peer__socket_open(peer__address_is_v4(address) ? AF_INET : AF_INET6);

    if (fd < 0)
        return errno;
    wanted.port = *port;
    socklen_t size = peer__address_to_sockaddr(&wanted, &name);
    /* Not for two listeners on one port, which it does not allow, but to come back while old connections fade out. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if ((name.ss_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof(v6_only)) != 0) ||
        bind(fd, (struct sockaddr *)&name, size) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    int error = *port == 0 ? own_port(fd, port) : 0;
    if (error != 0)
        close(fd);
    else
        sockets->fds[sockets->fd_count++] = fd;
    return error;
}

static int is_missing(int error) /* the family, or the address */
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT || error == ENOPROTOOPT;
}

static const struct address any_v6 = {0};
static const struct address any_v4 = {.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}};
static const struct address loopback_v6 = {.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
static const struct address loopback_v4 = {.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}};

static void add_address(struct listen_sockets *out, const struct address *address, uint16_t port)
{
    out->addresses[out->address_count] = *address;
    out->addresses[out->address_count++].port = port;
}

int peer__sockets_addresses(uint32_t scope, uint32_t scope_id, uint16_t port, int want_v6, struct listen_sockets *out)
{
    find_addresses(out, scope, scope_id, port, want_v6);
    if (scope != PEER_GRAPH_SCOPE_GLOBAL)
        return out->address_count > 0;
    drop_unless_alone(out, KIND_LOOPBACK);
    drop_unless_alone(out, KIND_LINK_LOCAL);
    return out->address_count > 0 && kind_of(&out->addresses[0]) != KIND_LOOPBACK;
}

static int listen_global(struct listen_sockets *out, uint16_t *port)
{
    int error = add_socket(out, &any_v6, 0, port);

    out->has_v6 = error == 0;
    if (!out->has_v6 && is_missing(error))
        error = add_socket(out, &any_v4, 0, port);
    if (error == 0) {
        peer__sockets_addresses(PEER_GRAPH_SCOPE_GLOBAL, 0, *port, out->has_v6, out);
        if (out->address_count == 0) /* no interface is up */
            add_address(out, out->has_v6 ? &loopback_v6 : &loopback_v4, *port);
    }
    return error;
}

/* What the machine does not have is left out: a family that is switched off, an address that has just gone or that is
 * still being checked for duplicates. */
static int add_if_there(struct listen_sockets *out, const struct address *address, uint16_t *port)
{
    int error = add_socket(out, address, 1, port);

    if (error == 0)
        add_address(out, address, *port);
    return is_missing(error) ? 0 : error;
}

static int listen_loopback(struct listen_sockets *out, uint16_t *port)
{
    out->address_count = 0;
    int error = add_if_there(out, &loopback_v6, port);
    if (error == 0)
        error = add_if_there(out, &loopback_v4, port);
    return error == 0 && out->fd_count == 0 ? EADDRNOTAVAIL : error;
}

static int listen_on_interface(struct listen_sockets *out, uint32_t scope, uint32_t scope_id, uint16_t *port)
{
    struct listen_sockets found;
    int error = 0;

    peer__sockets_addresses(scope, scope_id, 0, 1, &found);
    out->address_count = 0;
    out->are_bound = 1;
    for (size_t i = 0; i < found.address_count && error == 0; i++)
        error = add_if_there(out, &found.addresses[i], port);
    return error == 0 && out->fd_count == 0 ? EADDRNOTAVAIL : error;
}

int peer__socket_listen_at(const struct address *address)
{
    struct listen_sockets one = {0};
    uint16_t port = address->port;

    return add_socket(&one, address, 1, &port) == 0 ? one.fds[0] : -1;
}

static int try_to_listen(struct listen_sockets *out, uint32_t scope, uint32_t scope_id, uint16_t *port)
{
    switch (scope) {
    case PEER_GRAPH_SCOPE_LOOPBACK:
        return listen_loopback(out, port);
    case PEER_GRAPH_SCOPE_LINKLOCAL:
    case PEER_GRAPH_SCOPE_SITELOCAL:
        return listen_on_interface(out, scope, scope_id, port);
    default:
        return scope_id == 0 ? listen_global(out, port) : listen_on_interface(out, scope, scope_id, port);
    }
}

static peer_status unable_to_listen(int error, uint32_t scope, uint32_t scope_id, uint16_t port)
{
    char reason[ERROR_TEXT_SIZE];

    if (error == EADDRINUSE && port == 0)
        return peer__fail(PEER_E_UNABLE_TO_LISTEN, "no port is free for both IPv6 and IPv4");
    if (error == EADDRINUSE)
        return peer__fail(PEER_E_UNABLE_TO_LISTEN, "port %u is taken", port);
    if (error == EACCES || error == EPERM)
        return peer__fail(PEER_E_UNABLE_TO_LISTEN, "port %u is not permitted", port);
    if (error == EADDRNOTAVAIL && scope == PEER_GRAPH_SCOPE_LOOPBACK)
        return peer__fail(PEER_E_UNABLE_TO_LISTEN, "this machine has neither ::1 nor 127.0.0.1");
    if (error == EADDRNOTAVAIL && scope_id != 0)
        return peer__fail(PEER_E_UNABLE_TO_LISTEN, "interface %u has no %saddress, or is none", scope_id,
                          scope == PEER_GRAPH_SCOPE_LINKLOCAL   ? "link-local "
                          : scope == PEER_GRAPH_SCOPE_SITELOCAL ? "site-local "
                                                                : "");
    if (error == EMFILE || error == ENFILE)
        return peer__fail(PEER_E_UNABLE_TO_LISTEN,
                          "cannot listen on port %u: no descriptor is free; raise the limit (ulimit -n)", port);
    return peer__fail(PEER_E_UNABLE_TO_LISTEN, "cannot listen on port %u: %s", port, peer__error_text(error, reason));
}

peer_status peer__sockets_listen(uint32_t scope, uint32_t scope_id, uint16_t port, struct listen_sockets *out)
{
    int error = EADDRINUSE;

    *out = (struct listen_sockets){0};
    for (int tries = 0; error == EADDRINUSE && tries < (port == 0 ? PORT_TRIES_MAX : 1); tries++) {
        uint16_t chosen = port;
        error = try_to_listen(out, scope, scope_id, &chosen);
        if (error != 0)
            close_all(out);
    }
    return error == 0 ? PEER_OK : unable_to_listen(error, scope, scope_id, port);
}
