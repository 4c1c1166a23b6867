/*
 * What it costs to compare two databases over a further connection: bytes of messages between the two nodes, records
 * left out, when 10,000 records of 256 bytes stand on both sides and some differ. Differences are made during an hour in
 * which the two do not hear of each other, as in a partition.
 *
 *     bench_sync [RECORDS]     default: 10000
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/graph.h"
#include "sim/sim.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define RECORD_SIZE 256
#define LIFETIME (365 * 24 * HOUR)

enum { LEFT, RIGHT, THIRD, NODES };

struct trio { /* the third is there so that LEFT has a neighbour when it meets RIGHT again */
    struct sim *sim;
    size_t record_count;
    peer_guid *ids;
    struct sim_host *hosts[NODES];
    struct graph *graphs[NODES];
    int measures;
    uint64_t flood_bytes;
    uint64_t other_bytes;
    uint64_t messages;
};

static void check(peer_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "bench_sync: 0x%08x: %s\n", (unsigned)status, peer__last_error());
    exit(1);
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Lines of the trace about messages between the two. */
static void count_line(void *self, const char *text, size_t size)
{
    struct trio *trio = self;
    char line[1024];
    if (!trio->measures || size >= sizeof(line))
        return;
    memcpy(line, text, size);
    line[size] = '\0';
    const char *bytes = strstr(line, "\"size\":");
    if (bytes == NULL || strstr(line, "\"h3\"") != NULL)
        return;
    int is_flood = strstr(line, "\"message\":\"FLOOD\"") != NULL || strstr(line, "\"message\":\"ACK\"") != NULL;
    *(is_flood ? &trio->flood_bytes : &trio->other_bytes) += strtoull(bytes + 7, NULL, 10);
    trio->messages++;
}

static void unlock(struct trio *trio, size_t node)
{
    struct driver *driver = peer__sim_host_driver(trio->hosts[node]);
    driver->unlock(driver);
}

static void dial(struct trio *trio, size_t node, size_t other)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address = *peer__sim_host_address(trio->hosts[other]);
    address.port = 5000;
    peer__address_format(&address, text);
    check(peer__graph_connect(trio->graphs[node], NULL, text, NULL));
    unlock(trio, node);
    peer__sim_run_for(trio->sim, 60 * SECOND);
}

static void open_graph(struct trio *trio, size_t node)
{
    static const char *const names[] = {"left", "right", "third"};
    struct engine *engine = peer__sim_host_driver(trio->hosts[node])->engine;
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    properties.graph_id = "bench";
    properties.creator_id = names[node];
    if (node == LEFT)
        check(peer__graph_create(engine, &properties, "default", PEER_GRAPH_OPTION_MANUAL, &trio->graphs[node]));
    else
        check(peer__graph_open(engine, "bench", names[node], "default", PEER_GRAPH_OPTION_MANUAL, 0, NULL,
                               &trio->graphs[node]));
    if (node != LEFT)
        dial(trio, node, LEFT);
    check(peer__graph_listen(trio->graphs[node], PEER_GRAPH_SCOPE_GLOBAL, 0, 5000));
    unlock(trio, node);
}

static peer_record_input record(const struct trio *trio, uint64_t number)
{
    static uint8_t data[RECORD_SIZE];
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    memcpy(data, &number, sizeof(number));
    input.type = (peer_guid){{1, 2, 3, 4}};
    input.data = data;
    input.size = sizeof(data);
    input.expires_us = SIM_EPOCH_US + peer__sim_now_us(trio->sim) + LIFETIME;
    return input;
}

static void add(struct trio *trio, size_t node, size_t count, int64_t during)
{
    for (size_t i = 0; i < count; i++) {
        peer_record_input input = record(trio, i);
        check(peer__graph_add(trio->graphs[node], &input, &trio->ids[i]));
        unlock(trio, node);
        peer__sim_run_for(trio->sim, during / (int64_t)count);
    }
}

static void update(struct trio *trio, size_t node, size_t count, int64_t during)
{
    for (size_t i = 0; i < count; i++) {
        peer_record_input input = record(trio, i + trio->record_count);
        input.id = trio->ids[peer__sim_draw(trio->sim, trio->record_count)];
        check(peer__graph_update(trio->graphs[node], &input));
        unlock(trio, node);
        peer__sim_run_for(trio->sim, during / (int64_t)count);
    }
}

/* --------------------------------------------------------------------------------------------------------- differences */

static void nothing(struct trio *trio)
{
    peer__sim_run_for(trio->sim, HOUR);
}

static void new_here(struct trio *trio)
{
    add(trio, LEFT, trio->record_count / 100, HOUR);
}

static void new_there(struct trio *trio)
{
    add(trio, RIGHT, trio->record_count / 100, HOUR);
}

static void updated_here(struct trio *trio)
{
    update(trio, LEFT, trio->record_count / 100, HOUR);
}

static void updated_there(struct trio *trio)
{
    update(trio, RIGHT, trio->record_count / 100, HOUR);
}

static void new_on_both(struct trio *trio)
{
    for (int i = 0; i < 10; i++) { /* by turns */
        add(trio, LEFT, trio->record_count / 100, HOUR / 20);
        add(trio, RIGHT, trio->record_count / 100, HOUR / 20);
    }
}

static void everything_here(struct trio *trio)
{
    add(trio, LEFT, trio->record_count, 7 * 24 * HOUR);
}

static void everything_there(struct trio *trio)
{
    add(trio, RIGHT, trio->record_count, 7 * 24 * HOUR);
}

static const struct difference {
    const char *name;
    void (*make)(struct trio *trio);
    int begins_empty;
} differences[] = {
    {"nothing differs", nothing, 0},
    {"1 % new with who asks", new_here, 0},
    {"1 % new with who answers", new_there, 0},
    {"1 % updated, who asks", updated_here, 0},
    {"1 % updated, who answers", updated_there, 0},
    {"10 % new on each side", new_on_both, 0},
    {"who answers has nothing", everything_here, 1},
    {"who asks has nothing", everything_there, 1},
};

/* ---------------------------------------------------------------------------------------------------------------- run */

static size_t count_records(struct trio *trio, size_t node)
{
    peer_guid *ids;
    size_t count;
    check(peer__graph_list(trio->graphs[node], NULL, NULL, &ids, &count));
    peer__free(ids);
    return count;
}

static void begin(struct trio *trio, const struct difference *difference)
{
    for (size_t node = 0; node < NODES; node++)
        check(peer__sim_host_create(trio->sim, &trio->hosts[node]));
    open_graph(trio, LEFT);
    if (!difference->begins_empty)
        add(trio, LEFT, trio->record_count, 7 * 24 * HOUR);
    open_graph(trio, RIGHT);
    open_graph(trio, THIRD);
    peer__sim_run_for(trio->sim, HOUR);
    peer__sim_reset(trio->hosts[LEFT], trio->hosts[RIGHT]);
    difference->make(trio);
}

static void run(const struct difference *difference, size_t record_count)
{
    struct trio trio = {.record_count = record_count, .ids = calloc(record_count, sizeof(peer_guid))};
    check(peer__sim_create(1, NULL, &trio.sim));
    peer__sim_trace_to(trio.sim, count_line, &trio);
    begin(&trio, difference);
    double start = now_s();
    trio.measures = 1;
    dial(&trio, LEFT, RIGHT);
    double took = now_s() - start;
    if (count_records(&trio, LEFT) != count_records(&trio, RIGHT)) {
        fprintf(stderr, "bench_sync: %s: the two are not equal afterwards\n", difference->name);
        exit(1);
    }
    printf("%-28s %12" PRIu64 " %12" PRIu64 " %9" PRIu64 " %9.3f\n", difference->name, trio.other_bytes,
           trio.flood_bytes, trio.messages, took);
    peer__sim_free(trio.sim);
    free(trio.ids);
}

int main(int argc, char **argv)
{
    size_t record_count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 10000;
    if (record_count < 100) {
        fprintf(stderr, "bench_sync: RECORDS is \"%s\"; 100 or more are needed\n", argv[1]);
        return 2;
    }
    printf("%zu records of %d bytes; bytes between the two nodes when they meet again\n", record_count, RECORD_SIZE);
    printf("%-28s %12s %12s %9s %9s\n", "what differs", "comparison", "FLOOD + ACK", "messages", "CPU s");
    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
        run(&differences[i], record_count);
    return 0;
}
