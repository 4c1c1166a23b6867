/** A connection of the transport, from the wish to dial or the accept to the last byte sent. */
#ifndef PEER_RUNTIME_CONNECTION_H
#define PEER_RUNTIME_CONNECTION_H

#include "runtime/lookup.h"
#include "runtime/state.h"

/** Addresses of one name that are tried. */
#define DIAL_TARGET_MAX LOOKUP_RESULT_MAX
#define DIAL_TIMEOUT_US 5000000
#define CONNECTION_TEXT_SIZE 400

enum connection_state {
    CONNECTION_NEW, /* to be dialled */
    CONNECTION_LOOKING_UP,
    CONNECTION_DIALLING,
    CONNECTION_OPEN,
    CONNECTION_ENDED /* the engine knows; freed at the end of the turn */
};

/** What only a connection needs that is not up yet. */
struct dial {
    char name[HOST_NAME_SIZE + 8]; /* "host.example:5000", for messages */
    char host[HOST_NAME_SIZE];     /* "" if the address was given */
    uint16_t port;
    struct lookup *lookup;
    struct address targets[DIAL_TARGET_MAX];
    size_t target_count;
    size_t target; /* being tried */
};

struct transport_connection {
    struct runtime *runtime;
    struct list all;
    struct list work;
    struct timer timer; /* of the dial, of the linger, or of the wait for the end after a failed send */
    enum connection_state state;
    void *tag;
    struct watch *watch;
    struct dial *dial;
    struct buffer output; /* the first `output_sent` bytes are gone already */
    size_t output_sent;
    uint32_t linger_ms;
    unsigned released : 1; /* the engine has let go */
    unsigned paused : 1;
    unsigned blocked : 1;      /* the system takes no more; the loop waits until it does */
    unsigned was_high : 1;     /* queued more than TRANSPORT_HIGH_WATER */
    unsigned writable_due : 1; /* and fell to TRANSPORT_LOW_WATER since */
    unsigned broken : 1;       /* a send failed: what arrived is still read, then it ends */
    unsigned lingering : 1;    /* the timer of the linger runs */
    unsigned fin_sent : 1;
    unsigned patient : 1;    /* lingers for as long as the other side shows that it lives */
    unsigned shows_life : 1; /* bytes have gone or come since the timer was set */
    int64_t linger_until_us; /* at the latest */
    peer_status failure;     /* not yet told to the engine */
    char failure_text[CONNECTION_TEXT_SIZE];
};

/* ---- transport.c */
/** Under the lock. NULL when memory is out. */
struct transport_connection *peer__connection_create(struct runtime *runtime, void *tag);
/** Puts it into the work list. */
void peer__connection_touch(struct transport_connection *connection);
/** Ends it with a reason for the engine, which is told by peer__transport_attend. The first reason counts. */
void peer__connection_fail(struct transport_connection *connection, peer_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Ready for input and output on this descriptor. -1 when memory is out. */
int peer__connection_watch(struct transport_connection *connection, int fd);
void peer__connection_free(struct transport_connection *connection);

/* ---- dial.c: the loop's thread, under the lock */
void peer__dial_start(struct transport_connection *connection);
void peer__dial_ready(struct transport_connection *connection);
void peer__dial_timed_out(struct transport_connection *connection);
/** Goes on with those whose look-up is finished. */
void peer__dials_looked_up(struct runtime *runtime);

#endif
