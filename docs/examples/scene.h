/* What the examples of the reference begin with: two nodes of a graph, alice and bob, on a simulated network. */
#ifndef SCENE_H
#define SCENE_H

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peergraph/peergraph.h"
#include "peergraph/sim.h"

#define HOUR_US INT64_C(3600000000)
#define SECOND_US INT64_C(1000000)

static const peer_guid NOTE = {
    {0x5f, 0x0e, 0x6c, 0x1a, 0x92, 0xd7, 0x4c, 0x2e, 0x8a, 0x41, 0x3f, 0x6f, 0x0c, 0x9f, 0x7b, 0x11}};

struct scene {
    peer_sim *sim;
    uint32_t alice_host, bob_host;
    peer_runtime *alice_runtime, *bob_runtime;
    peer_graph *alice; /* has created the graph, and listens at alice:5000 */
    peer_graph *bob;   /* is connected to her, and synchronized */
};

void check(peer_status status);
struct scene open_scene(uint32_t options);
void close_scene(struct scene *scene);

/* What an example needs and does not show. */
int64_t in_an_hour(peer_graph *graph);
peer_guid add_note(peer_graph *graph, const char *text);
peer_event_queue *watch(peer_graph *graph, int32_t type);
uint64_t wait_for_connection(peer_event_queue *queue);

#endif
