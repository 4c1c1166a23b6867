/** What the functions of the public sim.h share. */
#ifndef PEER_API_SIM_H
#define PEER_API_SIM_H

#include "api/handle.h"
#include "peergraph/sim.h"
#include "sim/sim.h"

/** Begins a function: looks the network up and locks it. Ends with peer__leave. */
peer_status peer__sim_enter(struct call *call, const peer_sim *handle, struct sim **sim_out);

/** The host of a number. E_INVALIDARG naming the argument. */
peer_status peer__sim_host_of(const struct sim *sim, const char *name, uint32_t number, struct sim_host **host_out);
/** The same where PEER_SIM_ANY_HOST is allowed: NULL. */
peer_status peer__sim_any_host_of(const struct sim *sim, const char *name, uint32_t number, struct sim_host **host_out);

/** 1 if there is such a message, and for 0: any. */
int peer__sim_knows_type(uint32_t type);

uint32_t peer__sim_number_of(const struct sim_host *host);

#endif
