/** What the files of the simulator share. */
#ifndef PEER_SIM_INTERNAL_H
#define PEER_SIM_INTERNAL_H

#include <pthread.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/jobs.h"
#include "base/list.h"
#include "base/random.h"
#include "base/store.h"
#include "base/timers.h"
#include "sim/sim.h"
#include "wire/frame.h"

#define MESSAGE_TYPES 48u

/** xoshiro256** (Blackman, Vigna). */
struct sim_random {
    uint64_t state[4];
};
void peer__sim_random_seed(struct sim_random *random, uint64_t seed, uint64_t stream);
uint64_t peer__sim_random_next(struct sim_random *random);
/** Uniform below `bound` (not 0). */
uint64_t peer__sim_random_below(struct sim_random *random, uint64_t bound);
int peer__sim_random_chance(struct sim_random *random, uint32_t percent);

struct sim {
    struct driver driver;
    pthread_mutex_t mutex; /* for calls from above; nothing here waits for another thread */
    struct sim_options options;
    struct sim_link link; /* where two hosts have none of their own */
    uint64_t seed;
    int64_t now_us;
    struct timers timers; /* everything that will happen, in the order (moment, set first) */
    struct sim_random random;
    struct sim_host **hosts;
    size_t host_count;
    size_t host_capacity;
    struct list pipes;
    uint64_t pipe_count; /* ever made; numbers them in the trace */
    struct list let_go;  /* pipes of which somebody let an end go at this moment */
    uint64_t steps_at_now;
    peer_status status;

    void (*trace_line)(void *self, const char *text, size_t size);
    void *trace_self;
    uint64_t trace_hash;
    struct sim_recorder *recorder; /* NULL: nothing is kept */
    struct sim_filter *filters;    /* what is held back */
    size_t filter_count;
    struct list held;
    uint64_t held_count; /* ever; numbers them */
    uint64_t messages[MESSAGE_TYPES];
};

#define HOST_TIMERS 3u

/** Whether a disk is full, and what is left of the reserve (base/store.h). */
struct sim_disk {
    int is_full;
    int reserve_given;
    size_t spare;
};

struct sim_host {
    struct driver driver;
    struct sim *sim;
    size_t index;
    char name[SIM_NAME_MAX + 1];
    struct address address;
    char address_text[ADDRESS_TEXT_SIZE];
    struct sim_endpoint endpoint;
    int raw;
    int is_down; /* crashed */
    uintptr_t mark;
    uint8_t *cut_to; /* a byte for each host up to cut_count: 1, no byte gets there from here */
    size_t cut_count;
    struct sim_link **links_to; /* the same for links of their own; NULL: the network's */
    size_t link_count;
    int disk_is_behind;
    uint32_t memory_chance; /* of an input in which memory runs out, a percentage */
    struct sim_disk disk;
    int dying; /* crashing: nothing is sent and nothing reaches the disk any more */
    struct engine *engine;
    struct list listeners;
    uint16_t next_port;
    int64_t clock_offset_us;
    int64_t slept_us;
    int64_t monotonic_offset_us;
    int64_t drift_since_us; /* virtual moment from which the drift counts */
    int32_t drift_ppm;
    struct sim_random random;
    struct crypto crypto;
    struct store_factory medium; /* outlives every engine */
    int on_disk;                 /* SQLite, else memory */
    struct timer tick;
    struct timer commit;
    struct timer work;
    struct job *jobs; /* submitted, oldest first */
    struct job **jobs_end;
    struct sim_count messages[MESSAGE_TYPES]; /* by type; 0: of no known one */
};

/* network.c */
void peer__sim_fail(struct sim *sim, peer_status status);
/** Sets a timer, not before now. */
void peer__sim_at(struct sim *sim, struct timer *timer, int64_t moment_us);
struct sim_host *peer__sim_find_host(const struct sim *sim, const char *name, const struct address *address);
struct transport_listener *peer__sim_find_listener(const struct sim_host *host, uint16_t port);
void peer__sim_unlisten_all(struct sim_host *host);

struct transport_listener {
    struct list in_host;
    struct sim_host *host;
    uint16_t port;
    void *tag;
};

/* link.c */
/** The link between two hosts; `to` NULL: not known yet. */
const struct sim_link *peer__sim_link_to(const struct sim_host *from, const struct sim_host *to);
/** How long so many bytes are under way, drawn anew. */
int64_t peer__sim_delay(struct sim *sim, const struct sim_link *link, size_t size);
/** Draws whether something happens that happens so many times in a million. */
int peer__sim_strikes(struct sim *sim, uint32_t ppm);
void peer__sim_links_free(struct sim_host *host);
struct way;
void peer__sim_way_choose_link(struct way *way);

/* recorder.c: the latest lines of the trace, and a file of all */
void peer__sim_record_line(struct sim *sim, const char *text, size_t size);
void peer__sim_recorder_end(struct sim *sim);

/* cut.c */
int peer__sim_is_cut(const struct sim_host *from, const struct sim_host *to);

/* host.c */
/** What an input left in the engine is carried on: commits, the next tick. */
void peer__sim_host_settle(struct sim_host *host);
/** Its engine hears that a listener has the host's address of now. */
void peer__sim_host_moved(struct sim_host *host, void *listener_tag, uint16_t port);
peer_status peer__sim_host_start(struct sim_host *host, const char *data_directory);
void peer__sim_host_end(struct sim_host *host);
void peer__sim_host_free(struct sim_host *host);

/* disk.c: stores on the host's medium that write nothing while it dies, and say to the trace what they write */
struct store_factory peer__sim_disk(struct sim_host *host);

/* pipe.c */
peer_status peer__sim_dial(void *self, const char *host, const char *interface_name, const struct address *address,
                           void *tag, struct transport_connection **connection_out);
void peer__sim_send(void *self, struct transport_connection *connection, const void *data, size_t size);
size_t peer__sim_queued(void *self, struct transport_connection *connection);
void peer__sim_pause(void *self, struct transport_connection *connection, int paused);
void peer__sim_be_patient(void *self, struct transport_connection *connection);
void peer__sim_close(void *self, struct transport_connection *connection, uint32_t linger_ms);
/** The cuts have changed. */
void peer__sim_pipes_cut_changed(struct sim *sim);
/** The host is elsewhere: its connections carry nothing more, and are reset as if they were cut. */
void peer__sim_pipes_strand(struct sim_host *host);
void peer__sim_pipes_crash(struct sim_host *host, enum sim_crash how);
void peer__sim_pipes_restart(struct sim_host *host);
size_t peer__sim_pipes_reset(struct sim_host *a, struct sim_host *b);
/** Frees pipes that nobody holds; called between moments. */
void peer__sim_pipes_sweep(struct sim *sim);
void peer__sim_pipes_free(struct sim *sim);
int peer__sim_pipes_are_idle(const struct sim *sim);

/* trace.c */
void peer__sim_trace_connection(struct sim *sim, uint64_t id, const struct sim_host *from, const struct sim_host *to,
                                const char *state);
void peer__sim_trace_host(struct sim *sim, const struct sim_host *host, const char *state);
void peer__sim_trace_row(struct sim *sim, const struct sim_host *host, const struct store_row *row);
void peer__sim_trace_removed(struct sim *sim, const struct sim_host *host, const peer_guid *id);
/** What becomes of a message that is held back. */
void peer__sim_trace_held(struct sim *sim, const struct sim_message *message, const char *state);
void peer__sim_trace_message(struct sim *sim, uint64_t id, struct sim_host *from, struct sim_host *to,
                             struct span message);

#endif
