/**
 * Reconciliation (decisions.md 8, 9; docs/extensions.md): two nodes of ours find out what differs between their databases
 * by fingerprints of ranges, and then transfer it by REQUEST and FLOOD as ever. Who started the synchronization asks
 * (struct asking), the other answers (struct answering); both may happen on one link at the same time. Only graph/ sees this.
 */
#ifndef PEER_GRAPH_RECONCILE_H
#define PEER_GRAPH_RECONCILE_H

#include "graph/replication/fingerprint.h"
#include "wire/message.h"

/** Of so few records a list says more than fingerprints; a range of more is cut in as many pieces. */
#define LISTED_AT_ONCE 16u
/** So many records are transferred before more are looked for. */
#define TRANSFER_MAX 16384u

struct link;

/** Goes through the records of one range, in pieces. */
struct range_walk {
    struct link *link;
    uint64_t cutoff;
    store_visit visit; /* with rows whose element is known; non-zero ends the walk */
    void *context;
    struct wire_bound upper;
    uint64_t since;
    struct store_position position;
    int done;
    size_t *budget; /* of rows, in the step under way */
    struct store_row unknown;
    peer_status status; /* of what failed in a visit */
};

/** A range that differs, or may differ. */
struct range_task {
    struct wire_bound lower;
    struct wire_bound upper;
    uint64_t count;    /* of our records, when it was looked at */
    uint32_t stamp;    /* of a window: how many transfers there had been by then */
    uint8_t is_window; /* one of those that begin a synchronization */
    uint8_t lists;     /* what was asked for was a list */
    uint8_t unused[2];
};

enum asking_phase {
    ASKING_BUILDS,    /* a question */
    ASKING_AWAITS,    /* the answer */
    ASKING_RESOLVES,  /* which of the listed records are missing here, and which of ours there */
    ASKING_REQUESTED, /* records */
    ASKING_PUSHES,    /* records */
    ASKING_ENDS       /* nothing differs any more; what came may have to be judged yet */
};

/** Our side of a synchronization that we started. */
struct asking {
    enum asking_phase phase;
    uint64_t cutoff;
    struct buffer
        tasks;    /* struct range_task: what is still to be asked, disjoint, in order; the newest is taken first */
    int is_first; /* nothing was asked yet */
    uint32_t transfers;
    uint64_t listed_count; /* records that were listed to us so far */

    /* BUILDS */
    struct buffer batch; /* struct range_task: what the question is about */
    size_t batch_at;
    int is_cutting;
    uint64_t piece_size;
    unsigned pieces_left;
    struct range_task piece;
    struct wire_bound last; /* record of the piece */
    struct fingerprint fingerprint;
    struct buffer ranges; /* struct wire_range: the question */
    struct buffer asked;  /* struct range_task, one for each of them */

    /* RESOLVES */
    struct buffer answer;        /* entries of DIFFER */
    size_t answer_at;            /* in it */
    struct buffer listed;        /* struct wire_listed of one range, in the order of ids; failed: out of memory */
    size_t listed_at;            /* how many have been looked for */
    struct range_task resolving; /* that range, as far as it was listed */
    struct range_task rest;      /* and what is left of it */
    int is_resolving;
    int is_comparing;         /* our records with the list */
    struct buffer unresolved; /* struct range_task, in order: to be asked again, or in smaller pieces */

    struct range_walk walk;
    struct buffer request; /* struct wire_abstract */
};

/** The other side's question, as it is answered. */
struct answering {
    uint64_t cutoff;
    struct buffer ranges; /* struct wire_range */
    size_t at;
    int is_walking;
    uint64_t count;       /* of our records in that range */
    struct buffer listed; /* struct wire_listed */
    struct fingerprint fingerprint;
    struct range_walk walk;
    struct wire_bound cut; /* where a list that became too long ends */
    int is_cut;
    struct buffer answer; /* entries of DIFFER */
    size_t answer_count;
};

/* range_walk.c */
/** `walk` has link, cutoff, visit and context. */
void peer__range_walk_start(struct range_walk *walk, const struct wire_bound *lower, const struct wire_bound *upper);
/** Until the range is done or `*budget` rows were looked at, which goes down. */
peer_status peer__range_walk_step(struct range_walk *walk, size_t *budget);
struct wire_bound peer__row_bound(const struct store_row *row);
/** What stands under this id, without spans and with its element. PEER_E_RECORD_NOT_FOUND sets no error line. */
peer_status peer__range_find(struct link *link, const peer_guid *id, struct store_row *row_out);
void peer__row_listed(const struct store_row *row, struct wire_listed *listed_out);

#endif
