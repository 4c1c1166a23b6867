/**
 * Follows one record through the trace of a simulated network: over how many hops each node gets it first, and how often it
 * gets it at all. Hosts have the names that they are given by themselves.
 */
#ifndef PEER_TESTS_SUPPORT_FLOOD_METER_H
#define PEER_TESTS_SUPPORT_FLOOD_METER_H

#include "sim/sim.h"

struct flood_meter; /* NULL when memory was out */
struct flood_meter *flood_meter_create(struct sim *sim, size_t host_count);
void flood_meter_free(struct flood_meter *meter);
/** Each line of the trace (peer__sim_trace_to). */
void flood_meter_line(void *meter, const char *text, size_t size);
/** From now on this record, which that host has added at this moment. */
void flood_meter_follow(struct flood_meter *meter, const peer_guid *id, size_t host);

struct flood_result {
    size_t reached;      /* hosts, the one that added it not included */
    unsigned hops;       /* of the host that is farthest away */
    uint64_t receptions; /* of all hosts */
    size_t neighbours;   /* of all hosts: each pair counts twice */
    size_t too_often;    /* hosts that got it more often than they had neighbours since it was added */
};
struct flood_result flood_meter_result(const struct flood_meter *meter);

#endif
