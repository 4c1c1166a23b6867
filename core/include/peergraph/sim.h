/**
 * @file sim.h
 * A simulated network: runtimes that live in virtual time, for tests of the library and of programs that
 * use it.
 *
 * A network has any number of *hosts*, numbered from 1. Each gives a peer_runtime on which every function of
 * peergraph.h works as on any other, but for what follows. There is no thread, no socket, no wall clock and no chance
 * but the seed's: the same seed and the same calls give the same trace, byte for byte, on every run.
 *
 * **Time** stands still while the program works, and passes in peer_sim_step, peer_sim_run_for, peer_sim_run_until, and
 * in peer_event_queue_wait, which lets it pass until the queue holds an event or the (virtual) time-out is over. A wait
 * without time-out ends with PEER_S_NO_EVENT_DATA after 30 days. All other calls take no time: connect and close end
 * at once, slow work is done on the spot, peer_shutdown waits for nobody. `now_us` is 0 when a network is opened; a
 * host's clock shows PEER_SIM_EPOCH_UTC_US then, 2026-01-01T00:00:00Z, unless it has an offset.
 *
 * **Events.** peer_sim_next_ready tells which queues have news, so that a thousand queues need no descriptors.
 *
 * **Threads.** One thread at a time uses a network, its runtimes and what was opened in them. Calls of a second one
 * are safe: they wait until the first is done (a run may last), but the order, and with it the trace, is then chance.
 *
 * **Errors.** What peergraph.h says holds here too. A peer_sim that was closed or never was one is E_INVALIDARG, as is
 * the number of a host that does not exist; PEER_E_NOT_INITIALIZED if neither a network nor a runtime is alive. Once
 * memory was out in the middle of a simulated moment the network is of no further use: whatever lets time pass gives
 * E_OUTOFMEMORY from then on.
 */
#ifndef PEERGRAPH_SIM_H
#define PEERGRAPH_SIM_H

#include "peergraph/peergraph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct peer_sim peer_sim;

/** What the clock of a host without offset shows at virtual time 0. */
#define PEER_SIM_EPOCH_UTC_US 1767225600000000

/** Any host, where a function says so. */
#define PEER_SIM_ANY_HOST 0

/* ----------------------------------------------------------------------------------------------- the network itself */

/** No trace is made and its hash stands still: for speed. */
#define PEER_SIM_OPTION_UNTRACED 0x1

typedef struct peer_sim_options_input {
    uint32_t struct_size;
    uint32_t flags;             /* PEER_SIM_OPTION_* */
    int64_t connect_timeout_us; /* a dial through a cut fails then; 0: 20 s */
    int64_t reset_after_us;     /* what is cut for so long is reset, as by TCP_USER_TIMEOUT; 0: 100 s; -1: never */
} peer_sim_options_input;
#define PEER_SIM_OPTIONS_INPUT_INIT {.struct_size = sizeof(peer_sim_options_input)}

/**
 * Opens a network without hosts. Needs no runtime.
 *
 * @param seed     decides everything that is chance
 * @param options  NULL for defaults
 */
PEER_API peer_status peer_sim_open(uint64_t seed, const peer_sim_options_input *options, peer_sim **sim_out);

/**
 * Ends a network with all its runtimes, at once: nobody hears a goodbye. Event queues get PEER_EVENT_CLOSED and stay
 * readable until they are unregistered; objects stay valid; databases on disk stay.
 */
PEER_API peer_status peer_sim_close(peer_sim *sim);

/* ------------------------------------------------------------------------------------------------------------ hosts */

typedef struct peer_sim_host_input {
    uint32_t struct_size;
    int32_t drift_ppm;          /* how much faster the clock runs, in millionths; -100,000 … 100,000 */
    int64_t clock_offset_us;    /* how much later than true time the clock is; -10^15 … 10^15 */
    const char *name;           /* what others can connect to, letters, digits, '-', '.', '_'; NULL: "h1", "h2", … */
    const char *address;        /* IPv4 or IPv6 without port; NULL: fd00::1, fd00::2, … by the number */
    const char *data_directory; /* where databases live; NULL: in memory, for as long as the network exists */
} peer_sim_host_input;
#define PEER_SIM_HOST_INPUT_INIT {.struct_size = sizeof(peer_sim_host_input)}

/**
 * Adds a host, which is up at once. Hosts stay until the network is closed; crash those that shall be gone.
 *
 * @param host      NULL for defaults
 * @param host_out  its number: the first is 1
 *
 * @retval PEER_E_ALREADY_EXISTS  another host has that name or address
 * @retval E_ACCESSDENIED         the data directory cannot be made or written
 */
PEER_API peer_status peer_sim_add_host(peer_sim *sim, const peer_sim_host_input *host, uint32_t *host_out);

/**
 * The runtime of a host: the one that is alive, else a new one on what the host has stored, as peer_startup would
 * start it. It ends by peer_shutdown, a crash of its host, or peer_sim_close.
 *
 * @retval PEER_E_NOT_FOUND  the host has crashed and was not restarted
 */
PEER_API peer_status peer_sim_get_runtime(peer_sim *sim, uint32_t host, peer_runtime **runtime_out);

/** A host as it is now. */
typedef struct peer_sim_host_view {
    uint32_t struct_size;
    uint32_t host;
    uint32_t flags; /* PEER_SIM_HOST_* */
    int32_t drift_ppm;
    int64_t clock_utc_us; /* what its clock shows */
    const char *name;     /* valid until the network is closed */
    const char *address;  /* without port and brackets; valid until the host moves or the network is closed */
} peer_sim_host_view;
/** A runtime is alive on it, or will be as soon as it is asked for. */
#define PEER_SIM_HOST_UP 0x1
#define PEER_SIM_HOST_DISK_FULL 0x2

/** What is known of a host. @param view_size sizeof(peer_sim_host_view) */
PEER_API peer_status peer_sim_get_host_view(peer_sim *sim, uint32_t host, size_t view_size,
                                            peer_sim_host_view *view_out);

/** Neighbours' connections are reset at once. */
#define PEER_SIM_CRASH_PROCESS 1
/** Neighbours notice after reset_after_us (100 s if that is never), or when it is back. */
#define PEER_SIM_CRASH_MACHINE 2

/**
 * A host dies: no goodbye, and what was not committed is lost; nothing that a call had acknowledged is. Its runtime
 * and all handles in it are dead and give the errors of closed handles, except for event queues: they get
 * PEER_EVENT_CLOSED after what they hold and stay readable until they are unregistered.
 *
 * @param how  PEER_SIM_CRASH_PROCESS or PEER_SIM_CRASH_MACHINE
 *
 * @retval PEER_E_NOT_FOUND  the host is down already
 */
PEER_API peer_status peer_sim_crash(peer_sim *sim, uint32_t host, uint32_t how);

/**
 * Starts a crashed host again, on what its disk holds. peer_sim_get_runtime gives its new runtime, without graphs:
 * open them anew.
 *
 * @retval PEER_E_ALREADY_EXISTS  the host is not down
 */
PEER_API peer_status peer_sim_restart(peer_sim *sim, uint32_t host);

/**
 * A host moves to another address, as a machine does that changes networks. What it was connected to stalls and is reset
 * after reset_after_us (100 s if that is never); graphs that listen tell their neighbours, and their presence and contact
 * records, where they are (MS-PPGRH 3.1.7.23).
 *
 * @param address  as for a new host
 *
 * @retval PEER_E_ALREADY_EXISTS  another host has that address
 */
PEER_API peer_status peer_sim_set_address(peer_sim *sim, uint32_t host, const char *address);

/** From now on what a host wants to store fails with PEER_E_DISK_FULL (1), or succeeds again (0). */
PEER_API peer_status peer_sim_set_disk_full(peer_sim *sim, uint32_t host, uint32_t is_full);

/** Steps a host's clock to so much later than true time, and lets it run so much faster. Ranges as for a new host. */
PEER_API peer_status peer_sim_set_clock(peer_sim *sim, uint32_t host, int64_t clock_offset_us, int32_t drift_ppm);

/* ------------------------------------------------------------------------------------------------------------- time */

/** Virtual time: microseconds since the network was opened. */
PEER_API peer_status peer_sim_get_time(peer_sim *sim, int64_t *now_us_out);

/**
 * Goes to the next moment at which something happens and lets it happen.
 *
 * @param happened_out  0: nothing ever will; may be NULL
 */
PEER_API peer_status peer_sim_step(peer_sim *sim, uint32_t *happened_out);

/** When something will happen next, in virtual time: where peer_sim_step goes to. INT64_MAX: nothing ever will. */
PEER_API peer_status peer_sim_get_next_time(peer_sim *sim, int64_t *next_us_out);

/** Lets time pass. @param duration_us 0 or more; 0 lets happen what is due now */
PEER_API peer_status peer_sim_run_for(peer_sim *sim, int64_t duration_us);

/** A queue has news for peer_sim_next_ready. */
#define PEER_SIM_UNTIL_READY 0x1
/** A message was held back by an interception during this call. */
#define PEER_SIM_UNTIL_HELD 0x2
/** Nothing is under way: no byte that can travel, no dial, no commit; timers may be set. */
#define PEER_SIM_UNTIL_IDLE 0x4
/** Only as an answer: nothing will ever happen. */
#define PEER_SIM_EXHAUSTED 0x8

/**
 * Lets time pass until one of the conditions holds (also if it does at once), or until a moment.
 *
 * @param conditions   PEER_SIM_UNTIL_*, or 0 for none of them
 * @param deadline_us  in virtual time; one that is past counts as now; INT64_MAX: none, which may take for ever, as
 *                     open graphs have timers for ever
 * @param reached_out  the conditions that hold, or PEER_SIM_EXHAUSTED if there was no deadline, or 0 for the deadline;
 *                     may be NULL
 */
PEER_API peer_status peer_sim_run_until(peer_sim *sim, uint32_t conditions, int64_t deadline_us, uint32_t *reached_out);

/**
 * A queue in which events arrived since it was given here last, in the order in which they became ready. Take all that
 * it holds, or remember it: it comes again only when more arrives. Queues that are empty again are not given.
 *
 * @retval PEER_S_NO_EVENT_DATA  there is none; `*queue_out` is NULL
 */
PEER_API peer_status peer_sim_next_ready(peer_sim *sim, peer_event_queue **queue_out);

/* ------------------------------------------------------------------------------------------------------------ links */

/**
 * One way from host to host. The network is TCP: what is lost is sent again, so loss shows as delay, and nothing of
 * one connection overtakes. Chances are in millionths. All 0 is a link without delay or fault.
 */
typedef struct peer_sim_link_input {
    uint32_t struct_size;
    uint32_t loss_ppm;  /* of packets: each delays all that is behind it by a retransmission, 200 ms or more */
    uint32_t stall_ppm; /* of pieces of up to 32 KiB: each stops its connection for stall_us */
    uint32_t reset_ppm; /* of pieces: each resets its connection */
    int64_t stall_us;   /* how long a stall lasts */
    int64_t latency_us; /* one way, at least */
    int64_t jitter_us;  /* up to so much more, drawn for each piece */
    uint64_t bandwidth; /* bytes a second of each connection; 0: no limit */
} peer_sim_link_input;
#define PEER_SIM_LINK_INPUT_INIT {.struct_size = sizeof(peer_sim_link_input), .latency_us = 10000, .jitter_us = 5000}

/**
 * Sets the link from one host to another, that direction only, for what is sent from now on. With PEER_SIM_ANY_HOST
 * twice it is the link of all pairs that have none of their own; with it once, that of every pair with the other host,
 * as far as hosts exist now.
 *
 * @param link  NULL: as all others; if both hosts are PEER_SIM_ANY_HOST: the default, 10 to 15 ms without limit or
 *              fault
 */
PEER_API peer_status peer_sim_set_link(peer_sim *sim, uint32_t from, uint32_t to, const peer_sim_link_input *link);

/**
 * Cuts the way from each host of one set to each of another: bytes stall, connections live on until reset_after_us,
 * dials time out. One direction only. A host that is in both sets is not cut from itself.
 */
PEER_API peer_status peer_sim_cut(peer_sim *sim, uint32_t from_count, const uint32_t *from, uint32_t to_count,
                                  const uint32_t *to);
/** The same in both directions. */
PEER_API peer_status peer_sim_partition(peer_sim *sim, uint32_t left_count, const uint32_t *left, uint32_t right_count,
                                        const uint32_t *right);
/** Ends a cut, one direction only. Bytes that stalled go on. */
PEER_API peer_status peer_sim_mend(peer_sim *sim, uint32_t from_count, const uint32_t *from, uint32_t to_count,
                                   const uint32_t *to);
/** Ends every cut. */
PEER_API peer_status peer_sim_heal(peer_sim *sim);

/**
 * Resets the connections between two hosts.
 *
 * @param b          PEER_SIM_ANY_HOST: all of `a`'s
 * @param count_out  how many; may be NULL
 */
PEER_API peer_status peer_sim_reset_connections(peer_sim *sim, uint32_t a, uint32_t b, uint32_t *count_out);

/** An established connection. */
typedef struct peer_sim_connection_view {
    uint32_t struct_size;
    uint32_t flags;         /* PEER_SIM_CONNECTION_* */
    uint64_t connection_id; /* as in the trace; not that of events, which each host counts for itself */
    uint32_t from;          /* the host that dialled */
    uint32_t to;
    int64_t since_us;
} peer_sim_connection_view;
/** Graphs on both hosts have each other as neighbours by it. */
#define PEER_SIM_CONNECTION_NEIGHBOR 0x1
/** A direction of it is cut. */
#define PEER_SIM_CONNECTION_CUT 0x2

/**
 * Who is connected to whom: an array of views, in the order in which they were dialled. Free it with peer_free_data.
 *
 * @param view_size  sizeof(peer_sim_connection_view), the distance from one view to the next
 *
 * @retval PEER_S_NO_EVENT_DATA  nobody is; the count is 0 and `*views_out` NULL
 */
PEER_API peer_status peer_sim_get_connections(peer_sim *sim, size_t view_size, uint32_t *count_out,
                                              const peer_sim_connection_view **views_out);

/* --------------------------------------------------------------------------------------------------------- messages */

#define PEER_SIM_MESSAGE_AUTH_INFO 0x01
#define PEER_SIM_MESSAGE_CONNECT 0x02
#define PEER_SIM_MESSAGE_WELCOME 0x03
#define PEER_SIM_MESSAGE_REFUSE 0x04
#define PEER_SIM_MESSAGE_DISCONNECT 0x05
#define PEER_SIM_MESSAGE_SOLICIT_NEW 0x06
#define PEER_SIM_MESSAGE_SOLICIT_TIME 0x07
#define PEER_SIM_MESSAGE_SOLICIT_HASH 0x08
#define PEER_SIM_MESSAGE_ADVERTISE 0x09
#define PEER_SIM_MESSAGE_REQUEST 0x0a
#define PEER_SIM_MESSAGE_FLOOD 0x0b
#define PEER_SIM_MESSAGE_SYNC_END 0x0c
#define PEER_SIM_MESSAGE_PT2PT 0x0d
#define PEER_SIM_MESSAGE_ACK 0x0e
/* Beyond MS-PPGRH, between nodes that announced it (docs/extensions.md). */
#define PEER_SIM_MESSAGE_COMPARE 0x21
#define PEER_SIM_MESSAGE_DIFFER 0x22

/**
 * How many messages were delivered so far (MS-PPGRH 2.2.2).
 *
 * @param host          PEER_SIM_ANY_HOST: all hosts together
 * @param type          PEER_SIM_MESSAGE_*; 0: all types together
 * @param sent_out      those that the host had sent; may be NULL
 * @param received_out  those that it received; may be NULL
 */
PEER_API peer_status peer_sim_get_message_count(peer_sim *sim, uint32_t host, uint32_t type, uint64_t *sent_out,
                                                uint64_t *received_out);

/** Which messages. A field that is 0 speaks of all. */
typedef struct peer_sim_filter_input {
    uint32_t struct_size;
    uint32_t type; /* PEER_SIM_MESSAGE_* */
    uint32_t from;
    uint32_t to;
    uint64_t connection_id; /* of peer_sim_connection_view */
} peer_sim_filter_input;
#define PEER_SIM_FILTER_INPUT_INIT {.struct_size = sizeof(peer_sim_filter_input)}

/** A message that is under way. */
typedef struct peer_sim_message_view {
    uint32_t struct_size;
    uint32_t state;         /* PEER_SIM_MESSAGE_TRAVELLING, _HELD or _RELEASED */
    uint64_t message_id;    /* of a held one, else 0 */
    uint64_t connection_id; /* of peer_sim_connection_view */
    uint32_t type;          /* PEER_SIM_MESSAGE_* */
    uint32_t from;
    uint32_t to;
    uint32_t reserved;
    int64_t moment_us; /* held: since when; else when it arrives if nothing comes between; -1: it is not on the wire */
    const void *data;  /* the whole message with its header, without frames (MS-PPGRH 2.2.1.2) */
    size_t size;
} peer_sim_message_view;
#define PEER_SIM_MESSAGE_TRAVELLING 1
#define PEER_SIM_MESSAGE_HELD 2
/** Was held, and is on its way again. */
#define PEER_SIM_MESSAGE_RELEASED 3

/**
 * Looks at messages that are under way: an array of views with copies of their bytes, connection after connection in
 * the order of their dialling, each in the order of arrival, first what travels from the dialling host, then the other
 * way, then what is held. What waits in a host and is not on the wire yet is among it, what is not complete is not.
 * Free it with peer_free_data.
 *
 * @param filter     NULL: all
 * @param view_size  sizeof(peer_sim_message_view), the distance from one view to the next
 *
 * @retval PEER_S_NO_EVENT_DATA  there is none; the count is 0 and `*views_out` NULL
 */
PEER_API peer_status peer_sim_get_messages(peer_sim *sim, const peer_sim_filter_input *filter, size_t view_size,
                                           uint32_t *count_out, const peer_sim_message_view **views_out);

/**
 * From now on each message that matches one of the filters waits, when it arrives, until the program has decided on it
 * by peer_sim_release_message or peer_sim_drop_message. What follows it on its connection overtakes it. Takes the
 * place of earlier filters; what they hold stays held. When a connection ends, what is held of it is gone.
 *
 * @param filter_count  0: nothing is held back any more; at most 1,024
 * @param filters       one behind the other, as far apart as the first one's struct_size says
 */
PEER_API peer_status peer_sim_set_interception(peer_sim *sim, uint32_t filter_count,
                                               const peer_sim_filter_input *filters);

/**
 * Sends a held message on. It is not held again.
 *
 * @param delay_us  it arrives then; 0: now, as soon as time may pass
 *
 * @retval PEER_E_NOT_FOUND  no such message is held
 */
PEER_API peer_status peer_sim_release_message(peer_sim *sim, uint64_t message_id, int64_t delay_us);

/** Sends a copy of a held message on, which stays held. @retval PEER_E_NOT_FOUND no such message is held */
PEER_API peer_status peer_sim_duplicate_message(peer_sim *sim, uint64_t message_id, int64_t delay_us);

/** A held message is lost. @retval PEER_E_NOT_FOUND no such message is held */
PEER_API peer_status peer_sim_drop_message(peer_sim *sim, uint64_t message_id);

/**
 * Puts other bytes in the place of a held message, which stays held. They may be anything, also what no peer would
 * send.
 *
 * @param size  8 (the size of a header) … 67,108,864
 *
 * @retval PEER_E_NOT_FOUND  no such message is held
 */
PEER_API peer_status peer_sim_edit_message(peer_sim *sim, uint64_t message_id, const void *data, size_t size);

/* ------------------------------------------------------------------------------------------------------------ trace */

/**
 * From now on the last lines of the trace are kept, up to so many bytes. Each line is a JSON object in UTF-8: what
 * hosts, connections, messages and records do. Lines kept before are dropped.
 *
 * @param size_max  0: none
 */
PEER_API peer_status peer_sim_keep_trace(peer_sim *sim, size_t size_max);

/**
 * Takes the lines that were kept, each with a line feed at its end. Free the text with peer_free_data.
 *
 * @param text_out  ends with a NUL
 * @param lost_out  lines that were lost since the last call because there was no room for them; may be NULL
 *
 * @retval PEER_S_NO_EVENT_DATA  there is none; `*text_out` is NULL, `*size_out` 0
 */
PEER_API peer_status peer_sim_take_trace(peer_sim *sim, const char **text_out, size_t *size_out, uint64_t *lost_out);

/**
 * From now on every line of the trace is written to a file too, which is made or emptied.
 *
 * @param path  NULL: no longer; the file is closed and complete
 *
 * @retval E_ACCESSDENIED    the file cannot be written
 * @retval PEER_E_DISK_FULL  what was written before is not complete
 */
PEER_API peer_status peer_sim_set_trace_file(peer_sim *sim, const char *path);

/**
 * Adds a line of the program's own: {"t":…,"note":"text"}.
 *
 * @param text  1 … 200 UTF-16 units; quotes, backslashes and control characters become '?'
 */
PEER_API peer_status peer_sim_add_note(peer_sim *sim, const char *text);

/** A hash over all lines so far, kept or not. Equal for equal runs. */
PEER_API peer_status peer_sim_get_trace_hash(peer_sim *sim, uint64_t *hash_out);

/** A number below `bound` (not 0) from the network's own chance, for schedules of a test. */
PEER_API peer_status peer_sim_draw(peer_sim *sim, uint64_t bound, uint64_t *number_out);

#ifdef __cplusplus
}
#endif

#endif
