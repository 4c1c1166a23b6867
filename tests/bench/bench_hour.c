/*
 * A simulated hour of a whole network: nodes that join over one address and find their neighbours themselves, 600 records
 * of 256 bytes from anywhere, one node in twenty replaced, a presence maximum of 50. Measured on one core.
 *
 *     bench_hour [NODES …]     default: 250 1000
 */
#include "graph/graph.h"
#include "sim/sim.h"
#include "wire/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/memory.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define RECORDS 600
#define RECORD_SIZE 256
#define PRESENCE_MAX 50
#define JOINING (600 * SECOND)
#define SPARE 16

struct network {
    struct sim *sim;
    size_t count; /* hosts, those that died included */
    struct sim_host **hosts;
    struct graph **graphs; /* NULL: dead */
};

static void check(peer_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "bench_hour: 0x%08x\n", (unsigned)status);
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static struct driver *driver_of(const struct network *network, size_t node)
{
    return peer__sim_host_driver(network->hosts[node]);
}

static void listen_at(struct network *network, size_t node)
{
    check(peer__graph_listen(network->graphs[node], PEER_GRAPH_SCOPE_GLOBAL, 0, 5000));
    driver_of(network, node)->unlock(driver_of(network, node));
}

static size_t add_host(struct network *network)
{
    check(peer__sim_host_create(network->sim, &network->hosts[network->count]));
    return network->count++;
}

static void create(struct network *network)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    size_t node = add_host(network);
    properties.graph_id = "bench";
    properties.creator_id = "p0";
    properties.presence_max = PRESENCE_MAX;
    check(peer__graph_create(driver_of(network, node)->engine, &properties, "default", 0, &network->graphs[node]));
    listen_at(network, node);
}

static size_t anyone(struct network *network, size_t below)
{
    size_t node;
    do {
        node = (size_t)peer__sim_draw(network->sim, below);
    } while (network->graphs[node] == NULL);
    return node;
}

/* What a program does: it knows a node, any one, and asks it; that may have no place or not listen yet. */
static void ask_anyone(struct network *network, size_t node)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address = *peer__sim_host_address(network->hosts[anyone(network, node)]);
    address.port = 5000;
    peer__address_format(&address, text);
    (void)peer__graph_connect(network->graphs[node], NULL, text, NULL);
    driver_of(network, node)->unlock(driver_of(network, node));
}

static void join(struct network *network)
{
    char peer_id[24];
    size_t node = add_host(network);
    snprintf(peer_id, sizeof(peer_id), "p%zu", node);
    check(peer__graph_open(driver_of(network, node)->engine, "bench", peer_id, "default", 0, 0, NULL,
                           &network->graphs[node]));
    ask_anyone(network, node);
}

/* Who is synchronized listens (1.3.2); who is still alone asks once more. */
static void look_after(struct network *network, size_t *waiting, size_t *waiting_count, int ask)
{
    for (size_t i = *waiting_count; i-- > 0;) {
        size_t node = waiting[i];
        uint32_t status = network->graphs[node] != NULL ? peer__graph_status(network->graphs[node]) : 0;
        if (network->graphs[node] != NULL && (status & PEER_GRAPH_STATUS_SYNCHRONIZED) == 0) {
            if (ask && (status & PEER_GRAPH_STATUS_HAS_CONNECTIONS) == 0)
                ask_anyone(network, node);
            continue;
        }
        if (network->graphs[node] != NULL)
            listen_at(network, node);
        waiting[i] = waiting[--*waiting_count];
    }
}

static void add_record(struct network *network)
{
    uint8_t data[RECORD_SIZE] = {0};
    size_t node;
    do {
        node = anyone(network, network->count);
    } while ((peer__graph_status(network->graphs[node]) & PEER_GRAPH_STATUS_SYNCHRONIZED) == 0);
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    peer_guid id;
    input.type = (peer_guid){{1, 2, 3, 4}};
    input.data = data;
    input.size = sizeof(data);
    input.expires_us = SIM_EPOCH_US + peer__sim_now_us(network->sim) + 10 * HOUR;
    check(peer__graph_add(network->graphs[node], &input, &id));
    driver_of(network, node)->unlock(driver_of(network, node));
}

static void kill_one(struct network *network)
{
    size_t node = anyone(network, network->count);
    peer__sim_host_crash(network->hosts[node], SIM_CRASH_PROCESS);
    network->graphs[node] = NULL;
}

static size_t count_complete(const struct network *network)
{
    size_t complete = 0;
    for (size_t i = 0; i < network->count; i++) {
        peer_guid *ids;
        size_t count;
        if (network->graphs[i] == NULL || peer__graph_list(network->graphs[i], NULL, NULL, &ids, &count) < 0)
            continue;
        peer__free(ids);
        complete += count == RECORDS;
    }
    return complete;
}

static void run(size_t nodes)
{
    struct network network = {0};
    size_t replaced = nodes / 20;
    size_t waiting_count = 0;
    size_t *waiting = calloc(nodes + replaced + SPARE, sizeof(size_t));
    network.hosts = calloc(nodes + replaced + SPARE, sizeof(struct sim_host *));
    network.graphs = calloc(nodes + replaced + SPARE, sizeof(struct graph *));
    check(peer__sim_create(1, NULL, &network.sim));
    double start = now_s();
    create(&network);
    size_t joined = 1;
    size_t records = 0;
    size_t dead = 0;
    for (int64_t tenth = 0; tenth < 36000; tenth++) {
        int64_t now = tenth * (SECOND / 10);
        while (joined < nodes && (int64_t)joined * JOINING / (int64_t)nodes <= now) {
            waiting[waiting_count++] = network.count;
            join(&network);
            joined++;
        }
        while (records < RECORDS && (int64_t)records * (HOUR - 300 * SECOND) / RECORDS <= now) {
            add_record(&network);
            records++;
        }
        while (dead < replaced && JOINING + (int64_t)dead * (HOUR - 2 * JOINING) / (int64_t)replaced <= now) {
            kill_one(&network);
            waiting[waiting_count++] = network.count;
            join(&network);
            dead++;
        }
        peer__sim_run_for(network.sim, SECOND / 10);
        look_after(&network, waiting, &waiting_count, tenth % 100 == 0);
    }
    double done = now_s();
    check(peer__sim_status(network.sim));
    uint64_t floods = peer__sim_message_count(network.sim, MESSAGE_FLOOD, NULL);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    size_t complete = count_complete(&network);
    printf("%6zu %10.1f %14.2f %10ld %12zu %14.1f %10.1f\n", nodes, done - start, (done - start) * 1000 / (double)nodes,
           usage.ru_maxrss / 1024, complete, (double)floods / (double)nodes,
           (double)peer__sim_connections(network.hosts[nodes / 2], NULL));
    peer__sim_free(network.sim);
    free(network.hosts);
    free(network.graphs);
    free(waiting);
    if (complete != nodes)
        exit(1);
}

int main(int argc, char **argv)
{
    printf("%6s %10s %14s %10s %12s %14s %10s\n", "nodes", "CPU s", "ms/node-hour", "max MiB", "complete",
           "FLOODs/node", "links");
    if (argc < 2) {
        run(250);
        run(1000);
    }
    for (int i = 1; i < argc; i++)
        run((size_t)strtoul(argv[i], NULL, 10));
    return 0;
}
