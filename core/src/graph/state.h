/** What the files of graph/ share: the state of an engine, its graphs and links. Nothing outside graph/ includes this. */
#ifndef PEER_GRAPH_STATE_H
#define PEER_GRAPH_STATE_H

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/time.h"
#include "graph/address_book.h"
#include "graph/deferred_list.h"
#include "graph/fingerprint.h"
#include "graph/graph.h"
#include "graph/reconcile.h"
#include "graph/referrals.h"
#include "graph/rejected.h"
#include "graph/roster.h"
#include "graph/security.h"
#include "wire/frame.h"
#include "wire/message.h"

#define NEIGHBOURS_MIN 2u                                                        /* 3.1.1 */
#define NEIGHBOURS_IDEAL 3u                                                      /* 3.1.1 */
#define NEIGHBOURS_MAX 7u                                                        /* 3.1.1 */
#define CONNECT_TIMEOUT_US (60 * INT64_C(1000000))                               /* 3.1.1 */
#define PEER_TIME_WINDOW (INT64_C(1200) * (int64_t)TICKS_PER_SECOND)             /* 20 minutes, 3.1.5.2.2 */
#define GRAPH_INFO_LIFETIME (INT64_C(36525) * 86400 * (int64_t)TICKS_PER_SECOND) /* 100 years: D-23, decisions.md 15 */
#define RECORD_SIZE_DEFAULT (4u * 1024 * 1024)                                   /* decisions.md 6 */
#define NEIGHBOUR_ADDRESSES_MAX 4u                                               /* decisions.md 14 */
/** A record's times may lie so far ahead of the local peer time before the lifetime of its row is questioned. */
#define SYNC_MARGIN PEER_TIME_WINDOW

struct listener { /* one port, shared by graphs */
    struct list in_engine;
    struct transport_listener *transport;
    uint32_t scope;
    uint32_t scope_id;
    size_t users;
    size_t address_count;
    struct address addresses[LISTEN_ADDRESS_MAX];
};

struct engine {
    struct engine_config config;
    struct timers timers;
    struct list graphs;
    struct list links;  /* all that live */
    struct list ending; /* links to be freed when the input under way has been dealt with */
    struct list listeners;
    size_t link_count;
    size_t unauthenticated_count; /* accepted, and CONNECT has not come */
    size_t partial_bytes;         /* of messages that are arriving */
    int partial_is_tight;         /* too many: one at a time */
    uint64_t last_connection_id;
    int reserve_given;     /* the disk is so full that what was kept for deletions is used (decisions.md 1) */
    unsigned depth;        /* of inputs under way */
    struct buffer message; /* scratch for one message to be sent */
    struct buffer frames;
};

/* ------------------------------------------------------------------------------------------------ commit and effects */

enum effect_kind {
    EFFECT_STORED, /* a record was stored: journal, event, per-type processing */
    EFFECT_ACK,    /* tell a link whether its FLOOD was useful */
    EFFECT_ANSWER  /* send a link our newer copy */
};

/** What happens once the store has committed (decisions.md 1). Links are named by id: they may end before. */
struct effect {
    enum effect_kind kind;
    uint64_t connection_id; /* STORED: where the record came from, 0 for us */
    uint64_t seq;
    int32_t change; /* PEER_RECORD_*, 0: no event */
    int useful;
    peer_guid record_id;
    struct record *record; /* STORED: retained */
};

struct effects {
    struct effect *items;
    size_t count;
    size_t capacity;
    int64_t since_us; /* monotonic, of the first */
};

/** The newest records in order of arrival, so that forwarding reads the store only for neighbours that lag behind. */
#define JOURNAL_ENTRIES 4096u
#define JOURNAL_BYTES_MAX (8u * 1024 * 1024)

struct journal_entry {
    uint64_t source; /* connection id */
    struct record *record;
};

struct journal { /* entries of seq first … last, without a gap, in a ring */
    struct journal_entry *entries;
    uint64_t first;
    uint64_t last; /* first - 1: empty */
    size_t bytes;
};

/* ---------------------------------------------------------------------------------------------------- synchronization */

enum sync_type { SYNC_NONE, SYNC_NEW, SYNC_TIME, SYNC_HASH, SYNC_RECONCILE };

/** Our side of a synchronization that we started (11.2, 11.4). */
struct sync {
    enum sync_type type;
    size_t stage;            /* 0 graph info, 1 presence, then the prioritized types, then the rest */
    uint64_t since;          /* SYNC_TIME: lower bound of modification times */
    int then_compare;        /* go on with a comparison */
    size_t range_count;      /* SYNC_HASH: so many ranges were solicited */
    int advertised;          /* SYNC_HASH: the one ADVERTISE has come */
    struct buffer send;      /* SYNC_HASH, SYNC_RECONCILE: RecordsToSend, struct wire_abstract */
    uint64_t refused_before; /* the graph's refused_count when it began */
};

/** An answer that we owe: a cursor in the store, or a list of ids (decisions.md 7). */
enum answer_kind {
    ANSWER_NONE,
    ANSWER_SCAN, /* to SOLICIT_NEW and _TIME, ends with SYNC_END */
    ANSWER_IDS,  /* to REQUEST, ends with SYNC_END */
    ANSWER_PUSH  /* RecordsToSend after our own hash synchronization, no SYNC_END: an answer to nobody */
};

struct answer {
    enum answer_kind kind;
    struct store_position position;
    int by_modified;
    uint64_t since;
    uint64_t seq_max;
    int has_type;
    peer_guid type;
    peer_guid *excluded; /* types left out */
    size_t excluded_count;
    struct buffer ids; /* struct wire_abstract */
    size_t ids_at;
};

/** The entries of an ADVERTISE. */
struct advertised_slot {
    uint32_t number; /* index + 1; 0: free */
    uint32_t range;
};

struct advertised {
    struct buffer abstracts; /* as they came, 20 bytes each */
    size_t count;
    struct advertised_slot *slots;
    size_t mask; /* slots less one */
    uint64_t key[2];
};

/** A walk over the database in steps, so that no turn is long (11.4). */
enum walk_kind {
    WALK_NONE,
    WALK_SOLICIT,   /* initiator: hashes of our ranges */
    WALK_ADVERTISE, /* responder: compares the initiator's hashes with its own records */
    WALK_REQUEST,   /* initiator: which of the advertised records are missing here */
    WALK_COMPARE    /* initiator: which of our records are missing there */
};

struct walk {
    enum walk_kind kind;
    struct link *link; /* whose walk it is */
    struct store_position position;
    struct buffer ranges;     /* ADVERTISE: struct wire_hash_entry; REQUEST, COMPARE: struct wire_hash_boundary with
                                the end of its abstracts for their count */
    struct advertised theirs; /* REQUEST, COMPARE */
    size_t at;                /* the range or advertised record that is next */
    size_t range_at;          /* REQUEST: the range of that record */
    struct buffer range;      /* SOLICIT, ADVERTISE: abstracts of the current range as they are hashed, 20 bytes each */
    struct buffer result;     /* SOLICIT: struct wire_hash_entry; ADVERTISE: struct wire_hash_boundary */
    struct buffer abstracts;  /* ADVERTISE: of mismatching ranges; REQUEST: what to ask for; struct wire_abstract */
    struct store_row row;     /* ADVERTISE: read, and its range not reached yet */
    int has_row;
    int at_end;         /* ADVERTISE: there are no more rows */
    size_t closes_left; /* ADVERTISE: of this step */
    uint64_t row_count; /* SOLICIT: rows of the database when the walk began */
    uint64_t rows_seen;
    uint64_t last_modified; /* of the last record seen */
    peer_guid last_id;
};

/* --------------------------------------------------------------------------------------------------------------- links */

/** Records of which a neighbour has sent an older copy: it gets ours (12), read when there is room, each once. */
struct owed {
    struct buffer ids; /* peer_guid */
    size_t at;         /* in them: the next */
    int overflowed;    /* there were more; a comparison finds them */
    size_t tidy_at;    /* as many ids are looked through for repetitions */
};

/** What tells whether a connected link still moves. Moments are monotonic. */
struct liveness {
    int64_t sent_us;          /* something was sent */
    int64_t received_us;      /* bytes were received, or were not read by us */
    uint64_t bytes_sent;      /* given to the transport */
    uint64_t bytes_gone;      /* and by it to the system, at the last look */
    int64_t gone_us;          /* when that grew, or nothing waited */
    uint64_t messages;        /* received, but pings */
    uint64_t messages_seen;   /* at the last look, like the next two */
    size_t partial_seen;      /* of the message that is arriving */
    int awaited_sync;         /* the other side was to move our synchronization */
    int64_t sync_us;          /* when it did, or had not to */
    int64_t look_us;          /* when the next look is due */
    int leads;                /* peer__link_leads, as noted last */
    int64_t led_from_us;      /* if so, since when it is not counted in the next one */
    int64_t led_us;           /* how long it has led, since a large message was looked at */
    size_t partial_before;    /* how much had arrived of it then, */
    uint64_t messages_before; /* and messages before it */
};

enum link_state {
    LINK_DIALLING,      /* connection ALLOC … SOCK_CONNECTED, ours */
    LINK_ACCEPTED,      /* waits for AUTH_INFO */
    LINK_AUTHENTICATED, /* responder, waits for CONNECT */
    LINK_CONNECT_WAIT,  /* initiator, waits for WELCOME */
    LINK_CONNECTED,
    LINK_ENDED
};

struct neighbour_address {
    struct address address;
    int certain; /* this node has dialled it, or the neighbour came from that host; the rest anyone may claim */
};

/** What a dial that failed says of its address. */
enum dial_blame {
    BLAME_ADDRESS, /* nobody there, or nobody for us */
    BLAME_NOBODY,  /* the reason lies with this node */
    BLAME_FULL,    /* a node of the graph, which has its neighbours */
    BLAME_DOUBLE   /* an address of somebody who is a neighbour already */
};

/** Records of a connection that wait for a judgement (deferred.c). */
struct deferral {
    struct deferred_owner brought;
    uint64_t last_number;   /* of those that it has brought, or brought again */
    int is_full;            /* it is not read */
    int64_t full_us;        /* monotonic, since when it is full; 0: it is not */
    int finish_waits;       /* the end of our synchronization, or of a part of it, for the answers */
    uint64_t waits_through; /* to the questions up to this number */
    int64_t waits_us;       /* since when */
    int gave_up;            /* this synchronization goes on without them */
    int goes_on;            /* just now, after it waited */
};

struct link {
    struct list in_engine;
    struct list in_graph; /* from AUTH_INFO or dial on */
    struct engine *engine;
    struct graph *graph;             /* NULL before AUTH_INFO */
    const struct listener *listener; /* that accepted it; only to compare with a graph's */
    struct transport_connection *connection;
    uint64_t connection_id;
    enum link_state state;
    int initiator;
    int broken;   /* nothing can be sent (memory was out, or the transport let go): the link is about to end */
    uint8_t type; /* enum connection_type */
    struct frame_assembler input;
    size_t partial;       /* bytes of the message that is arriving, as counted in the engine */
    int waits_for_memory; /* it is not read until other messages are complete */
    struct timer timer;   /* authentication, then CONNECT, then liveness */
    struct timer step;    /* goes on with the walk and with long answers, a piece a turn */

    char *address_text;                /* as given to connect, or of the remote end */
    char *peer_id;                     /* wanted (dialling), then known; may be NULL */
    uint64_t node_id;                  /* 0: not known yet */
    struct wire_extensions extensions; /* what the other side announced */
    struct address remote;
    struct neighbour_address addresses[NEIGHBOUR_ADDRESSES_MAX]; /* where the other side listens; certain ones first */
    size_t address_count;
    size_t named_count;    /* addresses of others that it has named */
    uint64_t connect_sent; /* TConnect */
    int64_t dialled_us;    /* monotonic, like the next */
    int64_t connected_us;
    double utility; /* 3.1.7.33 */

    int automatic; /* dialled by the graph itself: the application is told when it is connected, not when it fails */
    enum dial_blame blame; /* if it fails */
    int referred; /* in place of, or by, a full node that named others: if it fails, the next of them is asked */

    uint64_t next_seq; /* flooding: the next record of the journal or the store to send */
    struct liveness liveness;
    struct sync sync;
    enum sync_type answered; /* SYNC_TYPE of our answering side: REQUEST only after SOLICIT_HASH */
    struct answer answer;
    struct answer push;      /* of our own synchronization */
    struct walk walk;        /* of the synchronization that we started */
    struct walk answer_walk; /* of the one that we answer, maybe at the same time */
    struct asking *asking;   /* the same by reconciliation; NULL: none is under way */
    struct answering *answering;
    struct buffer acks; /* struct wire_ack_entry */
    struct owed owed;
    int holds_data;      /* direct: not read until a subscriber has taken what arrived */
    int is_paused;       /* direct: not read because the application says so */
    int awaits_writable; /* data of the application was refused, which waits to be told when there is room */
    uint64_t lost_count; /* messages of data for which nobody was registered */
    struct deferral deferral;
    int refused; /* a record that it sent was not stored: to be synchronized when that can be done */
};

/* -------------------------------------------------------------------------------------------------------------- graphs */

/** How the graph finds neighbours by itself (decisions.md 13, 14). */
struct dialler {
    int manual;     /* the application makes all connections: PEER_GRAPH_OPTION_MANUAL */
    int online;     /* the application listened or connected: from then on the graph may use the network by itself */
    unsigned round; /* of attempts since a neighbour stayed */
    struct timer retry;
    struct timer maintenance;
    struct address_book book;
    struct referrals referrals;
};

/** A record of a neighbour that was beyond a limit. */
struct shortage {
    uint64_t bytes;
    struct buffer creator_id;
};

/** A record that this node has published about itself and keeps alive (13.5). */
struct own_record {
    int live;
    int half_life; /* refreshed at half its life (decisions.md 13), not shortly before its end */
    peer_guid id;
    uint64_t modified;
    uint64_t expires;
};

/** What keeps a graph in one piece, and who is there (spec part 14). */
struct upkeep {
    int has_signature; /* a record that is neither deleted nor expired */
    uint64_t signature;
    struct roster contacts;
    struct roster present;
    struct own_record own_signature;
    struct own_record own_contact;
    struct own_record own_presence;
    int contact_is_stale;    /* the signature has changed since it was published */
    int addresses_are_stale; /* this node is elsewhere since its contact and presence records were published */
    int presence_forced;
    char *attributes; /* of this node, for its presence record; or NULL */
    struct timer signature_timer;
    struct timer contact_timer;
    struct timer partition_timer;
    struct timer presence_timer;
    struct timer refresh;
    int has_autorefresh;            /* records of the application are to be kept alive */
    uint64_t autorefreshed_through; /* within a scan in pieces */
    struct timer autorefresh;
};

struct graph {
    struct list in_engine;
    struct engine *engine;
    struct store *store;
    char *graph_id;
    char *peer_id;
    char *database_name;
    struct buffer graph_id_wire; /* UTF-16BE with terminator */
    struct buffer peer_id_wire;
    uint64_t node_id;

    struct record *info_record; /* the newest GRAPH_INFO, or NULL */
    struct graph_info info;     /* spans into info_record */
    uint32_t record_size_max;

    int ready; /* synchronized at least once: not NeverConnected (D-20) */
    int was_created;
    struct graph_import *import; /* under way: nothing else may use the store; or NULL */
    uint32_t status_told;
    struct listener *listener;

    int64_t time_delta;        /* ticks; peer time = UTC - delta */
    int64_t clock_step;        /* the part of it that makes good for steps of the local clock */
    uint64_t time_known;       /* a peer time that was beyond doubt; 0: none yet */
    int64_t started_us;        /* monotonic */
    int64_t time_confirmed_us; /* monotonic moment of the last WELCOME within the window; -1: none */
    int64_t clock_offset_us;   /* local UTC less elapsed time when we last looked */
    uint64_t left;             /* peer time at which we were last known to be connected and synchronized; 0: never */
    int64_t left_stored_us;    /* monotonic moment at which `left` was written */

    struct list links;
    size_t neighbour_count;
    peer_guid *precedence;
    size_t precedence_count;

    struct graph_limits limits;
    struct shortage shortage; /* what was refused, while storage_full has STORAGE_LIMIT */
    int64_t retried_us;       /* monotonic, when it was last asked for all the same */
    uint32_t storage_full;    /* enum storage_reason, several at once; 0: there is room */
    uint64_t refused_count;   /* records of neighbours that were not stored: no room, or a failure */
    int incomplete;           /* and no synchronization has brought them since */

    uint64_t last_seq; /* of what is committed */
    struct effects effects;
    struct journal journal;
    struct list subscriptions;

    int held_back;       /* the store is behind: nothing is read from the links */
    struct timer relief; /* asks again */
    struct timer room;   /* looks whether there is room again, and catches up */

    struct security security;       /* .validate NULL: every record that is well-formed is taken */
    struct deferred_list *deferred; /* waiting for a judgement; NULL: nothing ever was */
    struct rejections *rejections;  /* what was judged invalid; NULL: nothing ever was */
    struct timer deferred_timer;

    struct dialler dialler;
    struct upkeep upkeep;

    struct timer expiry;
    uint64_t expired_through; /* what expired up to here has been told */
};

/* engine.c */
void peer__engine_enter(struct engine *engine);
void peer__engine_leave(struct engine *engine);
int64_t peer__engine_now_us(const struct engine *engine);
/** Local UTC less elapsed time: changes when the clock is stepped. */
int64_t peer__engine_clock_offset_us(const struct engine *engine);
void peer__engine_timer_set(struct engine *engine, struct timer *timer, int64_t delay_us);
/** A random number below `bound`, which is not 0. */
uint64_t peer__engine_draw(struct engine *engine, uint64_t bound);
/** The graph that listens there. `peer_id` without data: any. */
struct graph *peer__engine_find_graph(struct engine *engine, const struct listener *listener, struct span graph_id,
                                      struct span peer_id);

/* link.c */
peer_status peer__link_create(struct engine *engine, struct graph *graph, struct link **link_out);
struct link *peer__graph_find_link(struct graph *graph, uint64_t connection_id);
/** Sends what stands in engine->message and clears it. */
void peer__link_send(struct link *link);
int peer__link_has_room(const struct link *link);
/** Reading stops while the graph's store is behind or memory for messages is short; TCP holds the sender back. */
int peer__link_is_read(const struct link *link);
/** Something of that has changed. */
void peer__link_update_reading(struct link *link);
/** Tells the transport, and no more. */
void peer__link_apply_reading(struct link *link);
int peer__link_is_neighbour(const struct link *link); /* CONNECTED and not direct */
/**
 * Ends a link: events, status, the transport told to let go after what is queued was sent. `message` says why in one line.
 * The memory goes when the input under way has been dealt with.
 */
void peer__link_end(struct link *link, peer_status reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for input that breaks the protocol; `what` is for people. */
void peer__link_violation(struct link *link, const char *what);
void peer__link_out_of_memory(struct link *link);
void peer__link_free(struct link *link);

/* liveness.c */
/** A link has become CONNECTED: from now on its timer looks whether it lives. */
void peer__link_watch(struct link *link);
/** The timer: ends a link that is dead or stands still, pings one that is idle. */
void peer__link_look(struct link *link);
void peer__link_ping(struct link *link);
void peer__link_note_sent(struct link *link, size_t size);
void peer__link_note_received(struct link *link);
/** peer__link_leads has changed, maybe. */
void peer__link_note_leading(struct link *link);

/* crowd.c */
/** A connection from there is about to be accepted: if too many have not introduced themselves, one of them ends. */
void peer__engine_make_place(struct engine *engine, const struct address *remote);

/* partial.c */
/** After input, and when the link has ended: how much of a message it holds; large ones may have to wait. */
void peer__link_note_partial(struct link *link);
/** Whether it may be read has changed, maybe: another one may have to go on. */
void peer__link_share_out(struct link *link);
/** 1 if other messages wait for the one of this link, which is read. */
int peer__link_leads(const struct link *link);

/* handshake.c */
struct dial_request {
    const char *address;
    const char *peer_id; /* who must answer; NULL: anyone */
    int64_t timeout_us;  /* for the TCP connection; 0: D-13 */
    int automatic;
    int referred;
    uint8_t type; /* enum connection_type; 0: a neighbour's */
};
peer_status peer__link_dial(struct graph *graph, const struct dial_request *request, struct link **link_out);
void peer__link_say_auth_info_and_connect(struct link *link);
void peer__link_on_auth_info(struct link *link, const struct wire_auth_info *message);
void peer__link_on_connect(struct link *link, const struct wire_connect *message);
void peer__link_on_welcome(struct link *link, const struct wire_welcome *message);
void peer__link_on_refuse(struct link *link, const struct wire_refuse *message);
void peer__link_on_disconnect(struct link *link, const struct wire_refuse *message);
void peer__link_say_disconnect(struct link *link, uint8_t reason);
void peer__graph_tell_addresses(struct graph *graph);
/** Whether both sides have announced reconciliation. */
int peer__link_reconciles(const struct link *link);

/* direct.c */
/** Why a direct connection may not come in now; NULL: it may. */
const char *peer__link_refuses_direct(const struct link *link);
void peer__link_direct_is_up(struct link *link);
void peer__link_on_data(struct link *link, const struct wire_pt2pt *message);
void peer__link_tell_writable(struct link *link);

/* dialling.c */
/** Addresses that a neighbour named (9.4 to 9.7) join the referral list. */
void peer__graph_take_referrals(struct link *link, const struct wire_addresses *named);
/** A link has become a neighbour's, or its addresses have changed. */
void peer__graph_note_neighbour(struct link *link);
/** The neighbours are still there, and the address book goes to disk if it should. */
void peer__graph_keep_book(struct graph *graph);
/** Into the transaction under way. */
void peer__graph_save_book(struct graph *graph);
/** Whether this neighbour listens there for certain. */
int peer__link_is_at(const struct link *link, const struct address *address);
/** This address leads to this node. */
void peer__graph_note_self(struct graph *graph, const struct address *address);
/** A dial of ours did not lead to a neighbour: the application is told, or the next one is tried. */
void peer__graph_dial_ended(struct link *link, peer_status reason, const char *message);
/** The neighbour found us the least useful. */
void peer__graph_sent_away(const struct link *link);
void peer__graph_neighbour_lost(struct link *link);
int peer__graph_is_neighbour(const struct graph *graph, uint64_t node_id);
/** Dials a node that a record names, at one of its addresses, unless that was tried lately or it is a neighbour. */
void peer__graph_dial_node(struct graph *graph, const struct roster_entry *entry);
/** Dials somebody of the address book who is not seen present (decisions.md 13). */
void peer__graph_probe(struct graph *graph);
/** Dials once more, if there is anyone. */
void peer__graph_dial_one(struct graph *graph);
/** Sets the timer for the next attempts if neighbours are lacking and there is somebody to ask. */
void peer__graph_seek(struct graph *graph);
void peer__graph_retry(struct timer *timer);

/* maintenance.c */
/** 14: run when neighbours come or go. */
void peer__graph_maintain(struct graph *graph);
void peer__graph_maintain_by_timer(struct timer *timer);
/** The application has listened or connected: from now on the graph keeps itself connected. */
void peer__graph_go_online(struct graph *graph);

/* own_records.c */
struct publication {
    const peer_guid *type;
    const peer_guid *id; /* the one to be replaced, or a fixed one; NULL: a new record */
    struct span payload;
    uint64_t lifetime; /* ticks; 0: a tombstone */
    int fresh;         /* in the place of a held one, but as if it were new: our own, unmodified (decisions.md 20) */
};
/** Stores and floods it, in a transaction of its own. */
peer_status peer__graph_publish(struct graph *graph, const struct publication *publication);
void peer__graph_withdraw(struct graph *graph, const struct own_record *own, const peer_guid *type);
void peer__graph_withdraw_all(struct graph *graph);
void peer__graph_refresh_fire(struct timer *timer);
/** The addresses of this node have changed, which its contact and presence records name. */
void peer__graph_refresh_now(struct graph *graph);
void peer__graph_note_own(struct graph *graph, struct own_record *own, const struct record_fields *fields);
/** 13.3: a record of the graph's own kind was stored, has expired. Sets timers only: this is in the middle of a commit. */
void peer__graph_note_internal(struct graph *graph, const struct record_fields *fields);
void peer__graph_note_internal_expired(struct graph *graph, const peer_guid *type, const peer_guid *id);
/** Whether this node helps to keep the graph together. */
int peer__graph_takes_part(const struct graph *graph);
int64_t peer__graph_random_delay_us(struct graph *graph, unsigned least_s, unsigned most_s);

/* autorefresh.c */
/** The application has set the flag on a record: in the transaction under way, the graph remembers that there are such. */
peer_status peer__graph_expect_autorefresh(struct graph *graph);
peer_status peer__graph_load_autorefresh(struct graph *graph);
void peer__graph_autorefresh_fire(struct timer *timer);

/* signature.c */
peer_status peer__graph_publish_signature(struct graph *graph);
void peer__graph_calculate_signature(struct graph *graph);
void peer__graph_signature_fire(struct timer *timer);
void peer__graph_note_signature(struct graph *graph, const struct record_fields *fields);
void peer__graph_signature_expired(struct graph *graph);

/* contacts.c */
peer_status peer__graph_publish_contact(struct graph *graph);
void peer__graph_maintain_contacts(struct graph *graph);
void peer__graph_contact_fire(struct timer *timer);
void peer__graph_signature_changed(struct graph *graph);
void peer__graph_detect_partition(struct graph *graph);
void peer__graph_partition_fire(struct timer *timer);
void peer__graph_note_contact(struct graph *graph, const struct record_fields *fields);
void peer__graph_contact_gone(struct graph *graph, const peer_guid *record_id);

/* presence.c */
peer_status peer__graph_refresh_presence(struct graph *graph);
void peer__graph_maintain_presence(struct graph *graph);
void peer__graph_presence_fire(struct timer *timer);
void peer__graph_note_presence_of(struct graph *graph, const struct record_fields *fields);
void peer__graph_presence_gone(struct graph *graph, const peer_guid *record_id);

/* peer_time.c */
uint64_t peer__graph_now(const struct graph *graph);
/** decisions.md 5: a step of the local clock changes the delta, not peer time. With every input. */
void peer__graph_look_at_clock(struct graph *graph, int64_t offset_us);
/** Whether what has expired by our clock may be deleted. */
int peer__graph_clock_is_sure(const struct graph *graph);
/** Notes that peer time is right now; into the transaction under way. */
void peer__graph_note_time(struct graph *graph);
peer_status peer__graph_load_time(struct graph *graph);
/** That of an exported database, into the transaction under way. `*taken_out` 0: this node knows better. */
peer_status peer__graph_take_time(struct graph *graph, const struct archive_head *head, int *taken_out);
/** 10: a WELCOME with the neighbour's peer time arrived. */
void peer__graph_adjust_time(struct graph *graph, const struct link *link, uint64_t remote_time);

/* sync.c */
void peer__sync_start(struct link *link);
void peer__sync_on_solicit(struct link *link, uint8_t type, const struct wire_solicit *message);
void peer__sync_on_end(struct link *link);
void peer__sync_finish(struct link *link);
void peer__sync_free(struct link *link);
/** Compares the databases: by reconciliation with a node of ours, else by hashes of all ranges. */
void peer__sync_compare(struct link *link);
/** Sends RecordsToSend from now on. */
void peer__sync_push(struct link *link);
/** 1: a question of the other side is being answered. */
int peer__sync_is_answering(const struct link *link);

/* sync_hash.c */
void peer__sync_hash_start(struct link *link);
void peer__sync_hash_on_solicit(struct link *link, const struct wire_solicit *message);
void peer__sync_hash_on_advertise(struct link *link, const struct wire_advertise *message);
void peer__sync_hash_on_request(struct link *link, const struct wire_request *message);
/** One step of the walk, if there is one. What is uncommitted must have been committed: it could still be dropped. */
void peer__sync_hash_step(struct link *link);
void peer__sync_walk_free(struct walk *walk);

/* reconcile.c */
void peer__reconcile_start(struct link *link);
void peer__reconcile_on_end(struct link *link);
/** All records that were to be sent have been. */
void peer__reconcile_pushed(struct link *link);
void peer__link_on_differ(struct link *link, const struct wire_differ *message);
void peer__asking_step(struct link *link);
/** 1: it is for us to move it, not for the other side. */
int peer__asking_is_busy(const struct link *link);
void peer__asking_free(struct link *link);

/* reconcile_answer.c */
void peer__link_on_compare(struct link *link, const struct wire_compare *message);
void peer__answering_step(struct link *link);
void peer__answering_free(struct link *link);

/* advertised.c */
/** Copies the entries; which ranges they are in is noted one by one afterwards. */
peer_status peer__advertised_take(struct advertised *advertised, const struct wire_advertise *message,
                                  const struct random *random);
void peer__advertised_at(const struct advertised *advertised, size_t index, struct wire_abstract *abstract_out);
void peer__advertised_note(struct advertised *advertised, size_t index, size_t range);
/** Of what was noted. */
int peer__advertised_has(const struct advertised *advertised, const struct wire_abstract *abstract, size_t range);
void peer__advertised_free(struct advertised *advertised);

/* outbox.c */
void peer__link_acknowledge(struct link *link, const peer_guid *id, int useful);
void peer__link_owe(struct link *link, const peer_guid *id);
void peer__link_pump(struct link *link);
void peer__graph_pump(struct graph *graph);
void peer__link_answer_free(struct answer *answer);

/* journal.c */
peer_status peer__journal_create(struct journal *journal);
void peer__journal_append(struct journal *journal, uint64_t seq, struct record *record, uint64_t source);
/** The entry of `seq`, or NULL if it is older than what is kept. */
const struct journal_entry *peer__journal_find(const struct journal *journal, uint64_t seq);
void peer__journal_free(struct journal *journal);

/* commit.c */
/** Room for one more effect, so that adding it cannot fail. */
peer_status peer__graph_reserve_effect(struct graph *graph);
/** Adds an effect; the record of EFFECT_STORED is retained. */
peer_status peer__graph_add_effect(struct graph *graph, const struct effect *effect);
/** A timer: the store was behind; reading goes on if it is no longer. */
void peer__graph_relieve(struct timer *timer);
/** Commits and lets effects out. On failure they are dropped and the links that brought them end. */
peer_status peer__graph_commit(struct graph *graph);
void peer__graph_drop_effects(struct graph *graph);
/** After a commit that did not come through here. */
void peer__graph_maintain_store(struct graph *graph);

/* record_put.c */
struct held { /* what the store has of an id; no bodies */
    int found;
    uint32_t local_flags;
    uint64_t seq;
    struct record *record; /* retained */
};
peer_status peer__graph_find(struct graph *graph, const peer_guid *id, struct held *held_out);
/** Puts a record into the transaction under way, with its effects. `change` 0: no event. */
peer_status peer__graph_put(struct graph *graph, struct record *record, int32_t change, uint64_t source);
/** The same for a record that this node publishes, with flags that do not travel (D-09). */
peer_status peer__graph_put_flagged(struct graph *graph, struct record *record, int32_t change, uint64_t source,
                                    uint32_t local_flags);
/** Puts it into the store, with what searches find of it. `seq` 0: at the end; else where it stands already. */
peer_status peer__graph_put_row(struct graph *graph, const struct record *record, uint32_t local_flags, uint64_t seq,
                                uint64_t *seq_out);
int peer__record_is_hidden(const struct graph *graph, const struct record_fields *fields);
int peer__time_is_expired(const struct graph *graph, const peer_guid *type, uint64_t expires);
/** 1 while expiration is deferred because nobody is connected. */
int peer__graph_expires_nothing(const struct graph *graph);

/* indexing.c */
/** Sees to it that searches find what an older version has written. */
peer_status peer__graph_make_searchable(struct graph *graph);

/* flood.c */
void peer__link_on_flood(struct link *link, const struct wire_flood *message);
/** 6.8: whether a record that somebody else has made may be taken at all. A failure is one of ours. */
peer_status peer__graph_check_received(const struct graph *graph, const struct record_fields *fields, int *valid_out);
/** What it means for the application that a record takes the place of the held one; 0: nothing. */
int32_t peer__graph_change_of(const struct graph *graph, const struct record_fields *fields, const struct held *held);
void peer__link_on_ack(struct link *link, const struct wire_ack *message);

/** A record that was judged valid is processed as if it had just come (3.1.4.10); `connection_id` brought it. */
peer_status peer__graph_take_judged(struct graph *graph, struct record *record, uint64_t connection_id);

/* deferred.c */
/** Whether the application has judged this very copy invalid. */
peer_status peer__graph_has_rejected(struct graph *graph, const struct record *record, int *rejected_out);
/** Puts a record into the deferred list, and asks. `*taken_out` 0: there is no room, and it comes again later. */
peer_status peer__graph_defer(struct link *from, struct record *record, int32_t change, int *taken_out);
/** 1: our synchronization waits for judgements of what it brought; peer__sync_on_end is called again then. */
int peer__link_awaits_judgement(struct link *link);
/** The link ends; what it has brought waits on. */
void peer__link_leaves_deferred(struct link *link);
void peer__graph_deferred_fire(struct timer *timer);
int peer__graph_is_judged_by_application(const struct graph *graph);
void peer__graph_let_application_judge(struct graph *graph);

/* graph_info.c */
peer_status peer__graph_publish_info(struct graph *graph, const peer_graph_properties_view *properties);
/** A GRAPH_INFO record was stored: take it over. */
void peer__graph_take_info(struct graph *graph, struct record *record, int tell);

/* expiry.c */
void peer__graph_expiry_schedule(struct graph *graph, uint64_t expires);
void peer__graph_expiry_fire(struct timer *timer);
void peer__graph_expiry_now(struct graph *graph);

/* events.c */
void peer__graph_tell(struct graph *graph, const peer_event_view *event);
void peer__graph_tell_record(struct graph *graph, const struct record *record, int32_t change);
void peer__graph_tell_connection(struct link *link, int32_t change, peer_status reason, const char *message);
/** A dial that the application asked for did not become a connection; `next` is what follows in its place, or 0. */
void peer__graph_tell_failure(struct link *link, peer_status reason, const char *message, uint64_t next);
void peer__graph_tell_status(struct graph *graph);
void peer__graph_tell_progress(struct graph *graph, struct progress *progress);

/* export.c */
/** Records that open does not load: presence, signature, contacts. */
int peer__type_is_of_the_moment(const peer_guid *type);

/* limits.c */
/** PEER_E_DATABASE_FULL if the record, in the place of `held` (or NULL), would be beyond a limit. */
peer_status peer__graph_check_limits(struct graph *graph, const struct record *record, const struct record *held);
/** A neighbour's record was refused for that reason. */
void peer__graph_note_shortage(struct graph *graph, const struct record *record);
/** 1: it would fit now. */
int peer__graph_shortage_is_over(struct graph *graph);

/* storage.c */
enum storage_reason {
    STORAGE_DISK = 1, /* the file system is full */
    STORAGE_LIMIT = 2 /* the database has reached its limit (decisions.md 6) */
};
/** Whether a record may be stored: 0 while there is no room, or while what room there is serves deletions. */
int peer__graph_has_room(struct graph *graph);
/** The same for a call: tries to make sure, and fails with PEER_E_DISK_FULL. */
peer_status peer__graph_require_room(struct graph *graph);
/** After PEER_E_DISK_FULL: gives up the reserve. 1: the write that may not fail for want of room can be tried again. */
int peer__engine_make_room(struct engine *engine);
/** There is no room for one reason, or there is again. Tells the status; the last reason that goes synchronizes anew. */
void peer__graph_set_storage_full(struct graph *graph, enum storage_reason reason, int full);
/** A record from this neighbour was neither stored nor acknowledged: SYNCHRONIZED is withdrawn until it has come. */
void peer__link_note_refused(struct link *link);
/** The same of a record whose neighbour has gone. */
void peer__graph_note_missing(struct graph *graph);
void peer__graph_room_fire(struct timer *timer);
/** Of every synchronization that ends: whether nothing is missing any more. */
void peer__link_note_synchronized(struct link *link, uint64_t refused_before);

/* listen.c */
/** Whether the address leads to where this graph listens; other graphs may listen there, too. */
int peer__graph_listens_at(const struct graph *graph, const struct address *address);
void peer__graph_unlisten(struct graph *graph);

/* settings.c */
peer_status peer__setting_put_u64(struct store *store, const char *name, uint64_t value);
peer_status peer__setting_get_u64(struct store *store, const char *name, uint64_t *value_out); /* 0 if absent */
/** Notes in the store that we are connected and synchronized now; `force` 0: not more often than every 5 s. */
peer_status peer__graph_note_presence(struct graph *graph, int force);

#endif
