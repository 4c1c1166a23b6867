/**
 * The other driver: a network in virtual time, for proof. Any number of hosts, each with an engine of its own, on byte
 * pipes with delay, cut and crash. One thread, no socket, no wall clock, no chance but the seed's: the same seed and the
 * same calls give the same trace, byte for byte, on every run. Nothing depends on an address in memory.
 *
 * Time stands still while the caller works, and passes in peer__sim_step and the run functions. Between two of them a host's
 * graphs are used as the API does: driver->lock, functions of graph/graph.h, driver->unlock.
 */
#ifndef PEER_SIM_SIM_H
#define PEER_SIM_SIM_H

#include "base/address.h"
#include "base/bytes.h"
#include "base/driver.h"
#include "base/transport.h"

/** Virtual time starts at 0, which is this moment on a host's clock without offset: 2026-01-01T00:00:00Z. */
#define SIM_EPOCH_US INT64_C(1767225600000000)

struct sim;
struct sim_host;
struct engine;

/** How the network behaves. peer__sim_defaults fills it. Chances are percentages. */
struct sim_options {
    int64_t latency_us;         /* one way, at least */
    int64_t jitter_us;          /* up to so much more, drawn for each chunk; bytes never overtake each other */
    uint64_t bandwidth;         /* bytes a second of one connection and direction; 0: no limit */
    int64_t connect_timeout_us; /* a dial through a cut ends then */
    int64_t reset_after_us;     /* a cut connection is reset then, like TCP_USER_TIMEOUT; 0: never */
    uint32_t cut_chance;        /* how often a chunk ends at an arbitrary byte and not where a write or packet ends */
    uint32_t group_chance;      /* how often a commit waits for further input */
    uint32_t plain_chance;      /* how often a host announces no reconciliation */
    int untraced;               /* no trace is made, and its hash stands still */
};

void peer__sim_defaults(struct sim_options *options);
/** `options` NULL: the defaults. */
peer_status peer__sim_create(uint64_t seed, const struct sim_options *options, struct sim **sim_out);
/** Ends everything at once; nobody hears a goodbye. NULL is accepted. */
void peer__sim_free(struct sim *sim);
/** The driver of the network as a whole: its lock is that of every host's driver, stop frees the network. No engine. */
struct driver *peer__sim_driver(struct sim *sim);
/** The network's own random numbers, for schedules of a test: below `bound`. */
uint64_t peer__sim_draw(struct sim *sim, uint64_t bound);

/* -------------------------------------------------------------------------------------------------------- time */

int64_t peer__sim_now_us(const struct sim *sim);
/** The moment at which something will happen next; NO_DEADLINE: nothing ever will. */
int64_t peer__sim_next_us(const struct sim *sim);
/** Goes to the next moment at which something happens and lets it happen. 0: nothing ever will. */
int peer__sim_step(struct sim *sim);
void peer__sim_run_for(struct sim *sim, int64_t duration_us);
/** Until `until` says so: 1, or until the moment `deadline_us`: 0. Asked after each moment. NO_DEADLINE: to the end. */
int peer__sim_run_until(struct sim *sim, int (*until)(void *context), void *context, int64_t deadline_us);
/** 1 if nothing is under way: no byte that can travel, no dial, no commit, no job. Timers may still be set. */
int peer__sim_is_idle(const struct sim *sim);
/** How many messages were held back so far. */
uint64_t peer__sim_held_count(const struct sim *sim);
/** PEER_OK; else why the network no longer works: memory was out, or a host kept asking for the same moment. */
peer_status peer__sim_status(const struct sim *sim);

/* ------------------------------------------------------------------------------------------------------- hosts */

/** What a host may be told. A field that is NULL or 0 leaves the default. */
struct sim_host_options {
    const char *name; /* "h1", "h2", …; dials resolve it. At most SIM_NAME_MAX letters, digits, '-', '.', '_' */
    const struct address *address; /* fd00::1, fd00::2, …; the port is of no account */
    const char *data_directory;    /* a directory that exists; NULL: in memory */
    int64_t clock_offset_us;
    int32_t drift_ppm;
};
#define SIM_NAME_MAX 63u

/** A host with an engine and a disk. PEER_E_ALREADY_EXISTS naming the name or address. */
peer_status peer__sim_host_add(struct sim *sim, const struct sim_host_options *options, struct sim_host **host_out);
/** The same without options. */
peer_status peer__sim_host_create(struct sim *sim, struct sim_host **host_out);
/** NULL if there is no host of that index. */
struct sim_host *peer__sim_host_at(const struct sim *sim, size_t index);

/** Who answers at a host: an engine, or a test that writes the bytes itself. Semantics of graph/engine.h. */
struct sim_endpoint {
    peer_status (*accepted)(void *self, void *listener_tag, struct transport_connection *connection,
                            const struct address *remote, void **tag_out);
    void (*connected)(void *self, void *tag, const struct address *remote);
    void (*received)(void *self, void *tag, const void *data, size_t size);
    void (*writable)(void *self, void *tag);
    void (*closed)(void *self, void *tag, peer_status reason, const char *message);
    void *self;
};
/** A host without an engine: what happens on its connections is told to `endpoint`. */
peer_status peer__sim_host_create_raw(struct sim *sim, const struct sim_endpoint *endpoint, struct sim_host **host_out);

const char *peer__sim_host_name(const struct sim_host *host);
size_t peer__sim_host_index(const struct sim_host *host);
const struct address *peer__sim_host_address(const struct sim_host *host); /* port 0 */
const char *peer__sim_host_address_text(const struct sim_host *host);      /* without port and brackets */
struct transport peer__sim_host_transport(struct sim_host *host);
/** NULL while the host is down and for a raw one. */
struct engine *peer__sim_host_engine(struct sim_host *host);
struct driver *peer__sim_host_driver(struct sim_host *host);
int32_t peer__sim_host_drift_ppm(const struct sim_host *host);
int peer__sim_host_disk_is_full(const struct sim_host *host);
/** A number that the caller keeps with the host; 0 at first. */
uintptr_t peer__sim_host_mark(const struct sim_host *host);
void peer__sim_host_set_mark(struct sim_host *host, uintptr_t mark);
int64_t peer__sim_host_utc_us(const struct sim_host *host);

/** Steps the local clock: `offset_us` from true time, running `drift_ppm` too fast. The monotonic clock drifts only. */
void peer__sim_host_set_clock(struct sim_host *host, int64_t offset_us, int32_t drift_ppm);
/**
 * The host is reached at another address from now on: what was connected stalls and is reset after `reset_after_us` (100 s
 * if that is 0), and its engine is told. PEER_E_ALREADY_EXISTS naming the host that has the address.
 */
peer_status peer__sim_host_move(struct sim_host *host, const struct address *address);
/** What a machine finds that wakes from a sleep: its clock has gone on, its monotonic clock has not. */
void peer__sim_host_sleep(struct sim_host *host, int64_t slept_us);
/** From now on commits that hold new records fail with PEER_E_DISK_FULL (1), or succeed again (0). */
void peer__sim_host_set_disk_full(struct sim_host *host, int full);
/** From now on the host's stores say that they are behind (1), or that they have caught up (0). */
void peer__sim_host_set_disk_behind(struct sim_host *host, int behind);

/** From now on memory runs out in so many of a hundred inputs of the host's engine, somewhere on the way; 0: no longer. */
void peer__sim_host_set_memory_short(struct sim_host *host, uint32_t chance);

enum sim_crash { SIM_CRASH_PROCESS, SIM_CRASH_MACHINE };
/**
 * The host dies: no goodbye, no commit. Its neighbours' connections are reset at once if only the process died, and
 * after `reset_after_us` (100 s if that is 0) if the machine did. Graph handles of the host are gone.
 */
void peer__sim_host_crash(struct sim_host *host, enum sim_crash how);
/** A new engine on what the disk holds: everything up to the last commit. */
peer_status peer__sim_host_restart(struct sim_host *host);
/** 1 after a crash, until the restart: not after the driver was stopped. */
int peer__sim_host_is_down(const struct sim_host *host);

/* ----------------------------------------------------------------------------------------------------- network */

/** Bytes from `from` to `to` stall (1) or pass again (0), one way; connections live on until `reset_after_us`. */
peer_status peer__sim_cut(struct sim_host *from, struct sim_host *to, int is_cut);
/** The same for every pair of two sets; a host in both is not cut from itself. */
peer_status peer__sim_cut_sets(struct sim_host *const *from, size_t from_count, struct sim_host *const *to,
                               size_t to_count, int is_cut);
/** Cuts every pair of the two sets, both ways. */
peer_status peer__sim_partition(struct sim_host *const *left, size_t left_count, struct sim_host *const *right,
                                size_t right_count);
/** Ends every cut. */
void peer__sim_heal(struct sim *sim);
/** Resets the connections between two hosts (`b` NULL: all of `a`'s). Returns how many. */
size_t peer__sim_reset(struct sim_host *a, struct sim_host *b);
/** Established connections between two hosts (`b` NULL: all of `a`'s). */
size_t peer__sim_connections(const struct sim_host *a, const struct sim_host *b);

/** One way from host to host. Chances are in millionths. */
struct sim_link {
    int64_t latency_us;
    int64_t jitter_us;
    uint64_t bandwidth;
    int64_t stall_us;
    uint32_t loss_ppm;  /* of packets: each delays what is behind it by a retransmission */
    uint32_t stall_ppm; /* of chunks */
    uint32_t reset_ppm; /* of chunks */
};
/**
 * From `from` to `to`. Both NULL: of all pairs that have none of their own; one NULL: of every pair of hosts that exist.
 * `link` NULL: as all others; for all pairs: the default.
 */
peer_status peer__sim_set_link(struct sim *sim, struct sim_host *from, struct sim_host *to,
                               const struct sim_link *link);

struct sim_connection {
    uint64_t id;
    const struct sim_host *from; /* dialled */
    const struct sim_host *to;
    int64_t since_us;
    int is_neighbour; /* for the graphs of both hosts */
    int is_cut;
};
/** Fills up to `max` established connections, in the order in which they were dialled. Returns how many there are. */
size_t peer__sim_list_connections(const struct sim *sim, struct sim_connection *connections, size_t max);

/* ---------------------------------------------------------------------------------------------------- messages */

/** Which messages; a field that is 0 or NULL speaks of all. */
struct sim_filter {
    uint8_t type;
    const struct sim_host *from;
    const struct sim_host *to;
    uint64_t connection_id;
};

enum sim_message_state { SIM_MESSAGE_TRAVELLING = 1, SIM_MESSAGE_HELD, SIM_MESSAGE_RELEASED };
struct sim_message {
    enum sim_message_state state;
    uint64_t held_id;
    uint64_t connection_id;
    const struct sim_host *from;
    const struct sim_host *to;
    int64_t moment_us; /* held: since when; else when it arrives; -1: it is not on the wire yet */
    struct span bytes; /* valid during the visit */
};
/** Shows the messages that are under way, and those that are held back. Non-negative as long as memory was there. */
peer_status peer__sim_each_message(struct sim *sim, const struct sim_filter *filter,
                                   void (*visit)(void *context, const struct sim_message *message), void *context);

/** Holds back what matches one of the filters, which are copied; takes the place of earlier ones. */
peer_status peer__sim_intercept(struct sim *sim, const struct sim_filter *filters, size_t count);
/** PEER_E_NOT_FOUND, as of the functions below. `keep` 1: a copy goes on, the message stays held. */
peer_status peer__sim_release(struct sim *sim, uint64_t held_id, int64_t delay_us, int keep);
peer_status peer__sim_drop(struct sim *sim, uint64_t held_id);
/** The bytes are a whole message or what should pass for one, at least a header. */
peer_status peer__sim_edit(struct sim *sim, uint64_t held_id, struct span bytes);

/* ------------------------------------------------------------------------------------------------------- trace */

/** Gets each line of the trace: a JSON object without its end of line. NULL ends that. */
void peer__sim_trace_to(struct sim *sim, void (*line)(void *self, const char *text, size_t size), void *self);
/** Keeps the last lines, up to so many bytes; 0: none. What was kept is dropped. */
peer_status peer__sim_keep_trace(struct sim *sim, size_t size_max);
/** The lines that are kept, valid until time passes; how many were lost since the last call. */
struct span peer__sim_kept_trace(const struct sim *sim, uint64_t *lost_out);
/** Drops them. */
void peer__sim_drop_trace(struct sim *sim);
/** Writes every line to a file from now on; NULL: no longer. E_ACCESSDENIED; PEER_E_DISK_FULL: the last one is incomplete. */
peer_status peer__sim_trace_to_file(struct sim *sim, const char *path);
/** Adds a line of the test's own: {"t":…,"note":"text"}. */
void peer__sim_note(struct sim *sim, const char *text);
/** FNV-1a over all lines so far. */
uint64_t peer__sim_trace_hash(const struct sim *sim);
struct sim_count {
    uint64_t sent;
    uint64_t received;
};
/** Messages of a type (0: all) that a host (NULL: any) had sent, and received, and that were delivered. */
struct sim_count peer__sim_count(const struct sim *sim, const struct sim_host *host, uint8_t type);
/** Messages of a type delivered so far; `to` NULL: anywhere. */
uint64_t peer__sim_message_count(const struct sim *sim, uint8_t type, const struct sim_host *to);

#endif
