/**
 * Where nodes of a graph were met (decisions.md 13): kept in its database, so that those who were apart for hours find
 * together again. Addresses of nodes that only others speak of stand in the referral list instead (graph/mesh/referrals.h).
 */
#ifndef PEER_GRAPH_ADDRESS_BOOK_H
#define PEER_GRAPH_ADDRESS_BOOK_H

#include "base/address.h"
#include "base/store.h"

#define ADDRESS_BOOK_MAX 256u

/** Of addresses that nobody has dialled yet: so many in all, and of one host. Whoever comes may claim any number. */
#define ADDRESS_BOOK_CLAIMED_MAX (ADDRESS_BOOK_MAX / 2)
#define ADDRESS_BOOK_CLAIMED_PER_HOST_MAX 8u

struct book_entry {
    struct address address;
    int proved; /* this node has dialled it, and a node of the graph answered; else it only claims to listen there */
    uint32_t failures; /* of this session, since it last answered */
    uint64_t met;      /* peer time */
    uint64_t saved;    /* `met` as the database has it */
};

struct address_book {
    size_t count;
    int unsaved; /* something that the database should know */
    struct book_entry entries[ADDRESS_BOOK_MAX];
};

/**
 * A node of the graph answered there, or came from that host and claims to listen there. If there is no place, the oldest
 * claim gives way, and only to a proved address the oldest proved one.
 */
void peer__address_book_met(struct address_book *book, const struct address *address, int proved, uint64_t now);
/** Forgets who was not met for 30 days. Only for a clock that is sure. */
void peer__address_book_forget_old(struct address_book *book, uint64_t now);
void peer__address_book_failed(struct address_book *book, const struct address *address);
/** It leads to this node itself. */
void peer__address_book_forget(struct address_book *book, const struct address *address);

/** Into the transaction under way. */
peer_status peer__address_book_save(const struct address_book *book, struct store *store);
/** An unreadable one is empty: it holds nothing that cannot be learned again. */
peer_status peer__address_book_load(struct address_book *book, struct store *store);

#endif
