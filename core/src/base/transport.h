/** Interface: the network. libuv for life, virtual pipes for proof. The engine calls it; answers come as engine input (graph/engine.h). */
#ifndef PEER_BASE_TRANSPORT_H
#define PEER_BASE_TRANSPORT_H

#include "base/address.h"

/** Above so many unsent bytes of one connection the engine sends no more until `engine_writable`. */
#define TRANSPORT_HIGH_WATER (256u * 1024)
/** At or below so many the transport tells `engine_writable`, once for each time it was above TRANSPORT_HIGH_WATER. */
#define TRANSPORT_LOW_WATER (64u * 1024)
/** Local addresses of a listener, at most. */
#define LISTEN_ADDRESS_MAX 16

struct transport_listener;   /* the transport's */
struct transport_connection; /* the transport's */

struct transport {
    /**
     * Listens on `port` (0: a free one, the same for IPv6 and IPv4) of `scope`. `tag` comes back with each accepted
     * connection. Fills the addresses that others can dial, best first: loopback and link-local only if there is
     * nothing else; engine_addresses_changed tells when they are others. PEER_E_UNABLE_TO_LISTEN with the reason.
     */
    peer_status (*listen)(void *self, uint32_t scope, uint32_t scope_id, uint16_t port, void *tag,
                          struct transport_listener **listener_out, struct address addresses[LISTEN_ADDRESS_MAX],
                          size_t *address_count_out);
    void (*unlisten)(void *self, struct transport_listener *listener);

    /**
     * Starts to connect; `host` is looked up first unless it is "" (then `address` is dialled; `interface_name` gives
     * its scope unless ""). Ends with engine_connected or engine_closed for `tag`, never before this call returns.
     */
    peer_status (*dial)(void *self, const char *host, const char *interface_name, const struct address *address,
                        void *tag, struct transport_connection **connection_out);

    /** Queues bytes (copied). A failed allocation closes the connection, with engine_closed later. */
    void (*send)(void *self, struct transport_connection *connection, const void *data, size_t size);
    /** Bytes queued and not yet given to the system. */
    size_t (*queued)(void *self, struct transport_connection *connection);
    /** Stops (1) or starts (0) reading. */
    void (*pause)(void *self, struct transport_connection *connection, int paused);
    /** The other side may take nothing for as long as it likes, if its system answers; also after `close`, which then
     * lingers for so long after the last sign of life, half an hour at most. */
    void (*be_patient)(void *self, struct transport_connection *connection);
    /**
     * Lets go: what is queued is still sent for at most `linger_ms`, then the connection ends. The engine gets nothing
     * more for its tag, and may not name the connection again.
     */
    void (*close)(void *self, struct transport_connection *connection, uint32_t linger_ms);

    void *self;
};

#endif
