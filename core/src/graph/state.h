/** What the files of graph/ share: the state of an engine, its graphs and links. Nothing outside graph/ includes this. */
#ifndef PEER_GRAPH_STATE_H
#define PEER_GRAPH_STATE_H

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/time.h"
#include "graph/graph.h"
#include "graph/mesh/address_book.h"
#include "graph/mesh/referrals.h"
#include "graph/mesh/roster.h"
#include "graph/records/deferred_list.h"
#include "graph/records/rejected.h"
#include "graph/replication/fingerprint.h"
#include "graph/replication/reconcile.h"
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
    int has_autorefresh;               /* records of the application are to be kept alive */
    struct store_expiry autorefreshed; /* within a scan in pieces */
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
    uint64_t expired_through;    /* what expired up to here has been told */
    struct store_expiry expired; /* and, if that is the next moment, those of it up to here */
};

#endif
