/** A simulated network as a program sees it: through the public headers only. Host n has the peer id "pn". */
#ifndef TESTS_UNIT_SIM_WORLD_H
#define TESTS_UNIT_SIM_WORLD_H

#include "check.h"
#include "peergraph/sim.h"

#define SECOND INT64_C(1000000)

extern const peer_guid note_type;

void assert_status(peer_status status, peer_status expected);
#define assert_ok(call) assert_status(call, PEER_OK)

peer_sim *network(uint64_t seed);
/** The number of a new host with default settings. */
uint32_t host(peer_sim *sim);
peer_runtime *runtime(peer_sim *sim, uint32_t number);
/** A graph of the host that listens on port 5000. */
peer_graph *create(peer_sim *sim, uint32_t number);
/** A graph of the host that has connected to `to`, is synchronized and listens. */
peer_graph *join(peer_sim *sim, uint32_t number, uint32_t to);
/** The same without neighbours found by itself, and without a wait. */
peer_graph *open_graph(peer_sim *sim, uint32_t number);
void connect_to(peer_graph *graph, uint32_t to);

peer_guid add(peer_graph *graph, const char *text);
int has(peer_graph *graph, const peer_guid *id);
/** Lets so many seconds pass at most until the record is there. */
int arrives(peer_sim *sim, peer_graph *graph, const peer_guid *id, int64_t seconds);
void run(peer_sim *sim, int64_t seconds);
int64_t now(peer_sim *sim);
uint64_t trace_hash(peer_sim *sim);
/** A queue of every event. */
peer_event_queue *watch(peer_graph *graph);
/** Takes events until one is of that type: 1 and its view, whose texts live until the next call; 0: there is none. */
int take(peer_event_queue *queue, int32_t type, peer_event_view *view_out);

#endif
