/** An address of the network: IPv6, with IPv4 v4-mapped, a scope id and a port. */
#ifndef PEER_BASE_ADDRESS_H
#define PEER_BASE_ADDRESS_H

#include <stdint.h>

#include "peergraph/peergraph.h"

struct address {
    uint8_t ip[16];
    uint32_t scope_id; /* interface index of a link-local address, else 0 */
    uint16_t port;
};

/** Longest text of an address with its NUL: "[…%4294967295]:65535". */
#define ADDRESS_TEXT_SIZE 72
/** Longest host name in connect, with its NUL. */
#define HOST_NAME_SIZE 256

int peer__address_equal(const struct address *a, const struct address *b);
/** The same but for the port. */
int peer__address_is_same_host(const struct address *a, const struct address *b);
int peer__address_is_loopback(const struct address *address);
int peer__address_is_link_local(const struct address *address);
int peer__address_is_v4(const struct address *address); /* v4-mapped */
int peer__address_is_multicast(const struct address *address);
int peer__address_is_unspecified(const struct address *address);

/** "192.0.2.1:5000", "[2001:db8::1]:5000", "[fe80::1%3]:5000"; IPv6 in the short form of RFC 5952. */
void peer__address_format(const struct address *address, char text[ADDRESS_TEXT_SIZE]);

/**
 * Reads such a text. A host name ("host.example:5000", letters, digits, '-', '.', '_') leaves `address_out->ip` zero and
 * fills `host_out`; otherwise `host_out` is "". A scope may be a number; an interface name is left to the transport and
 * comes out in `interface_out` (at most 15 characters), else "". Port 1 … 65535 is required.
 * E_INVALIDARG with a line that names the text.
 */
peer_status peer__address_parse(const char *text, struct address *address_out, char host_out[HOST_NAME_SIZE],
                                char interface_out[16]);

#endif
