/**
 * Addresses that others named in WELCOME, REFUSE and DISCONNECT (the Referral List of 3.1.1), and what keeps a node that
 * follows them from being a weapon (decisions.md 14): an address that failed rests, and dials a minute are counted.
 */
#ifndef PEER_GRAPH_REFERRALS_H
#define PEER_GRAPH_REFERRALS_H

#include <stddef.h>

#include "base/address.h"

#define REFERRAL_LIST_MAX 100u /* 3.1.1 */
#define RESTING_MAX 256u
#define REFERRED_DIALS_A_MINUTE 10u

struct referral {
    struct address address;
    int attempted;
};

struct resting {
    struct address address;
    int64_t until_us; /* monotonic */
    uint32_t failures;
    int is_double; /* an address of a neighbour, who has another one */
};

struct referrals {
    size_t count;
    struct referral list[REFERRAL_LIST_MAX]; /* oldest first */
    size_t resting_count;
    struct resting resting[RESTING_MAX];
    size_t dial_count;                         /* ever */
    int64_t dials_us[REFERRED_DIALS_A_MINUTE]; /* moments of the latest, in a ring */
};

/** Adds it at the end, unless it is there; the oldest goes if the list is full. */
void peer__referrals_add(struct referrals *referrals, const struct address *address);
/** Takes it off the list: it is a neighbour now, or this node itself. */
void peer__referrals_remove(struct referrals *referrals, const struct address *address);
/** 1 if so many dials have been made within a minute that the next has to wait. */
int peer__referrals_exhausted(const struct referrals *referrals, int64_t now_us);
/** A dial to an address that others named is counted. */
void peer__referrals_count(struct referrals *referrals, int64_t now_us);
/** An entry is being dialled. */
void peer__referrals_attempt(struct referrals *referrals, struct referral *referral, int64_t now_us);

/** An address did not lead to a neighbour: it rests 5 minutes, after a second failure 30. */
void peer__address_failed(struct referrals *referrals, const struct address *address, int64_t now_us);
/** It did: what it is held against is forgotten. */
void peer__address_worked(struct referrals *referrals, const struct address *address);
/** It led to somebody who is a neighbour already: it rests like one that failed, until a neighbour is lost. */
void peer__address_is_double(struct referrals *referrals, const struct address *address, int64_t now_us);
int peer__address_was_double(const struct referrals *referrals, const struct address *address, int64_t now_us);
void peer__referrals_forget_doubles(struct referrals *referrals);
int peer__address_rests(const struct referrals *referrals, const struct address *address, int64_t now_us);

#endif
