/* How fast the simulator floods: records added all over a network, and what it costs in messages and in CPU time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "sim/sim.h"
#include "wire/message.h"

#define SECOND INT64_C(1000000)
#define RECORDS 600
#define RECORD_SIZE 256

static void check(peer_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "0x%08x: %s\n", (unsigned)status, peer__last_error());
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct mesh {
    struct sim *sim;
    size_t count;
    struct sim_host **hosts;
    struct graph **graphs;
};

static struct driver *driver_of(const struct mesh *mesh, size_t node)
{
    return peer__sim_host_driver(mesh->hosts[node]);
}

static void listen_at(struct mesh *mesh, size_t node)
{
    check(peer__graph_listen(mesh->graphs[node], PEER_GRAPH_SCOPE_GLOBAL, 0, 5000));
    driver_of(mesh, node)->unlock(driver_of(mesh, node));
}

static void create(struct mesh *mesh)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    properties.graph_id = "bench";
    properties.creator_id = "p0";
    check(peer__sim_host_create(mesh->sim, &mesh->hosts[0]));
    check(peer__graph_create(driver_of(mesh, 0)->engine, &properties, "default", 0, &mesh->graphs[0]));
    listen_at(mesh, 0);
}

static void connect_to(struct mesh *mesh, size_t node, size_t other)
{
    char text[ADDRESS_TEXT_SIZE];
    uint64_t connection_id;
    struct address address = *peer__sim_host_address(mesh->hosts[other]);
    address.port = 5000;
    peer__address_format(&address, text);
    /* A neighbour already, or full: one edge less. */
    (void)peer__graph_connect(mesh->graphs[node], NULL, text, &connection_id);
    driver_of(mesh, node)->unlock(driver_of(mesh, node));
    peer__sim_run_for(mesh->sim, SECOND);
}

/* Joins a node that has room, and then tries for two neighbours more: the Ideal of 3.1.1 is three. */
static void join(struct mesh *mesh, size_t node)
{
    char peer_id[24];
    snprintf(peer_id, sizeof(peer_id), "p%zu", node);
    check(peer__sim_host_create(mesh->sim, &mesh->hosts[node]));
    check(
        peer__graph_open(driver_of(mesh, node)->engine, "bench", peer_id, "default", 0, 0, NULL, &mesh->graphs[node]));
    while ((peer__graph_status(mesh->graphs[node]) & PEER_GRAPH_STATUS_SYNCHRONIZED) == 0)
        connect_to(mesh, node, peer__sim_draw(mesh->sim, node));
    listen_at(mesh, node);
    for (int more = 0; more < 2; more++)
        connect_to(mesh, node, peer__sim_draw(mesh->sim, node));
}

static void add_records(struct mesh *mesh)
{
    uint8_t data[RECORD_SIZE];
    for (int i = 0; i < RECORDS; i++) {
        size_t node = peer__sim_draw(mesh->sim, mesh->count);
        peer_record_input input = PEER_RECORD_INPUT_INIT;
        peer_guid id;
        memset(data, i, sizeof(data));
        input.type = (peer_guid){{1, 2, 3, 4}};
        input.data = data;
        input.size = sizeof(data);
        input.expires_us = SIM_EPOCH_US + peer__sim_now_us(mesh->sim) + 36000 * SECOND;
        check(peer__graph_add(mesh->graphs[node], &input, &id));
        driver_of(mesh, node)->unlock(driver_of(mesh, node));
        peer__sim_run_for(mesh->sim, SECOND / 10);
    }
    peer__sim_run_for(mesh->sim, 60 * SECOND);
}

static void verify(struct mesh *mesh)
{
    for (size_t i = 0; i < mesh->count; i++) {
        peer_guid *ids;
        size_t count;
        check(peer__graph_list(mesh->graphs[i], NULL, NULL, &ids, &count));
        peer__free(ids);
        if (count == RECORDS)
            continue;
        fprintf(stderr, "node %zu has %zu of %d records\n", i, count, RECORDS);
        exit(1);
    }
}

static void run(size_t count)
{
    struct mesh mesh = {.count = count};
    mesh.hosts = calloc(count, sizeof(struct sim_host *));
    mesh.graphs = calloc(count, sizeof(struct graph *));
    check(peer__sim_create(1, NULL, &mesh.sim));
    double start = now_s();
    create(&mesh);
    for (size_t i = 1; i < count; i++)
        join(&mesh, i);
    double joined = now_s();
    uint64_t before = peer__sim_message_count(mesh.sim, MESSAGE_FLOOD, NULL);
    add_records(&mesh);
    double done = now_s();
    uint64_t floods = peer__sim_message_count(mesh.sim, MESSAGE_FLOOD, NULL) - before;
    verify(&mesh);
    uint64_t arrivals = (uint64_t)RECORDS * (count - 1);
    printf("%6zu %9.2f %9.2f %9.0f %12.0f %10.1f %9.0f %%\n", count, joined - start, done - joined,
           RECORDS / (done - joined), (double)arrivals / (done - joined), (double)floods / RECORDS,
           100.0 * (double)arrivals / (double)floods);
    peer__sim_free(mesh.sim);
    free(mesh.hosts);
    free(mesh.graphs);
}

int main(void)
{
    printf("%d records of %d bytes, added one every 0.1 s of virtual time anywhere in the network\n", RECORDS,
           RECORD_SIZE);
    printf("%6s %9s %9s %9s %12s %10s %11s\n", "nodes", "join s", "flood s", "records/s", "arrivals/s", "FLOODs",
           "useful");
    run(10);
    run(30);
    run(100);
    return 0;
}
