/** Plain sockets: what is done with them besides waiting. Every socket is non-blocking and closed on exec. */
#ifndef PEER_RUNTIME_SOCKET_H
#define PEER_RUNTIME_SOCKET_H

#include <sys/socket.h>

#include "base/address.h"
#include "base/transport.h"

#define ERROR_TEXT_SIZE 80

/** "connection refused" for ECONNREFUSED. Returns `text`. */
const char *peer__error_text(int error, char text[ERROR_TEXT_SIZE]);

void peer__address_from_sockaddr(struct address *address_out, const struct sockaddr *from);
/** IPv4 for a v4-mapped address. Returns the size. */
socklen_t peer__address_to_sockaddr(const struct address *address, struct sockaddr_storage *out);

/** A TCP socket of AF_INET or AF_INET6, or -1 with errno. */
int peer__socket_open(int family);
/** The next waiting connection, or -1 with errno. */
int peer__socket_accept(int listening, struct address *remote_out);
/** What every connection gets: no delay, keep-alive, and an end after 100 s without an answer (decisions.md 11). */
void peer__socket_configure(int fd);
/** An end that answers and reads nothing is not given up. */
void peer__socket_be_patient(int fd);

struct listen_sockets {
    int fds[LISTEN_ADDRESS_MAX];
    size_t fd_count;
    int are_bound;                                /* each to the address of the same index; else one to all of them */
    int has_v6;                                   /* that one */
    struct address addresses[LISTEN_ADDRESS_MAX]; /* to dial, best first */
    size_t address_count;
};

/** Binds and listens, as transport.listen says. */
peer_status peer__sockets_listen(uint32_t scope, uint32_t scope_id, uint16_t port, struct listen_sockets *out);
/** Which addresses it would find now. 0: none but what stands in when no interface is up. */
int peer__sockets_addresses(uint32_t scope, uint32_t scope_id, uint16_t port, int want_v6, struct listen_sockets *out);
/** One more of those that are bound, or -1. */
int peer__socket_listen_at(const struct address *address);

/** A socket that becomes readable when the machine's addresses have changed, or -1. */
int peer__address_news_open(void);
/** Reads all that it has to say. */
void peer__address_news_read(int fd);

#endif
