/**
 * Many nodes that find each other as programs make them do: each knows the address of one that came before, asks it until it
 * has a connection, and listens from the moment at which it is synchronized. For benchmarks: what fails ends the program.
 */
#ifndef PEER_TESTS_SUPPORT_CROWD_H
#define PEER_TESTS_SUPPORT_CROWD_H

#include "graph/graph.h"
#include "sim/sim.h"

struct crowd {
    struct sim *sim;
    size_t count; /* hosts, those that died included */
    size_t count_max;
    struct sim_host **hosts;
    struct graph **graphs; /* NULL: dead */
    size_t *waiting;       /* who does not listen yet */
    size_t waiting_count;
};

/** Ends the program with the last error. */
void crowd_check(peer_status status);
struct crowd crowd_create(uint64_t seed, const struct sim_options *options, size_t count_max);
void crowd_free(struct crowd *crowd);
/** The first node makes the graph; `presence_max` -1: the default. */
void crowd_begin(struct crowd *crowd, int32_t presence_max);
void crowd_join(struct crowd *crowd);
/** The process of a node dies; who is drawn. */
void crowd_kill_one(struct crowd *crowd);
/** A node that lives and is synchronized, drawn. */
size_t crowd_anyone(struct crowd *crowd);
peer_guid crowd_add_record(struct crowd *crowd, size_t node, size_t size, int64_t lifetime_us);
/** A tenth of a second passes; who has become synchronized listens, and now and then those who are alone ask again. */
void crowd_run_tenth(struct crowd *crowd);
struct crowd_records {
    size_t nodes;    /* that live */
    size_t complete; /* of them: show as many records of the application as there should be */
    size_t equal;    /* of them: and the same ones, byte for byte, as the first */
};
struct crowd_records crowd_compare(const struct crowd *crowd, size_t record_count);

#endif
