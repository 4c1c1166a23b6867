#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "wire/record.h"

#define TENTH INT64_C(100000)
#define ASK_AGAIN (10 * INT64_C(1000000))
#define PORT 5000

void crowd_check(peer_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "0x%08x: %s\n", (unsigned)status, peer__last_error());
    exit(1);
}

static void *array(size_t count, size_t size)
{
    void *items = calloc(count, size);
    if (items == NULL)
        crowd_check(E_OUTOFMEMORY);
    return items;
}

struct crowd crowd_create(uint64_t seed, const struct sim_options *options, size_t count_max)
{
    struct crowd crowd = {.count_max = count_max};
    crowd_check(peer__sim_create(seed, options, &crowd.sim));
    crowd.hosts = array(count_max, sizeof(struct sim_host *));
    crowd.graphs = array(count_max, sizeof(struct graph *));
    crowd.waiting = array(count_max, sizeof(size_t));
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    peer__sim_free(crowd->sim);
    free(crowd->hosts);
    free(crowd->graphs);
    free(crowd->waiting);
}

static struct driver *lock(const struct crowd *crowd, size_t node)
{
    struct driver *driver = peer__sim_host_driver(crowd->hosts[node]);
    driver->lock(driver);
    return driver;
}

static void listen_at(struct crowd *crowd, size_t node)
{
    struct driver *driver = lock(crowd, node);
    crowd_check(peer__graph_listen(crowd->graphs[node], PEER_GRAPH_SCOPE_GLOBAL, 0, PORT));
    driver->unlock(driver);
}

static size_t add_host(struct crowd *crowd)
{
    if (crowd->count == crowd->count_max)
        crowd_check(peer__fail(E_INVALIDARG, "%zu hosts are all that was asked for", crowd->count_max));
    crowd_check(peer__sim_host_create(crowd->sim, &crowd->hosts[crowd->count]));
    return crowd->count++;
}

void crowd_begin(struct crowd *crowd, int32_t presence_max)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    size_t node = add_host(crowd);
    properties.graph_id = "bench";
    properties.creator_id = "p0";
    properties.presence_max = presence_max;
    struct driver *driver = lock(crowd, node);
    crowd_check(peer__graph_create(driver->engine, &properties, "default", 0, &crowd->graphs[node]));
    driver->unlock(driver);
    listen_at(crowd, node);
}

static size_t anyone_alive(struct crowd *crowd, size_t below)
{
    size_t node;
    do {
        node = (size_t)peer__sim_draw(crowd->sim, below);
    } while (crowd->graphs[node] == NULL);
    return node;
}

/* Who is asked may have no place or not listen yet. */
static void ask_anyone(struct crowd *crowd, size_t node)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address = *peer__sim_host_address(crowd->hosts[anyone_alive(crowd, node)]);
    address.port = PORT;
    peer__address_format(&address, text);
    struct driver *driver = lock(crowd, node);
    (void)peer__graph_connect(crowd->graphs[node], NULL, text, NULL);
    driver->unlock(driver);
}

void crowd_join(struct crowd *crowd)
{
    char peer_id[24];
    size_t node = add_host(crowd);
    snprintf(peer_id, sizeof(peer_id), "p%zu", node);
    struct driver *driver = lock(crowd, node);
    crowd_check(peer__graph_open(driver->engine, "bench", peer_id, "default", 0, 0, NULL, &crowd->graphs[node]));
    driver->unlock(driver);
    ask_anyone(crowd, node);
    crowd->waiting[crowd->waiting_count++] = node;
}

void crowd_kill_one(struct crowd *crowd)
{
    size_t node = anyone_alive(crowd, crowd->count);
    peer__sim_host_crash(crowd->hosts[node], SIM_CRASH_PROCESS);
    crowd->graphs[node] = NULL;
}

size_t crowd_anyone(struct crowd *crowd)
{
    size_t node;
    do {
        node = anyone_alive(crowd, crowd->count);
    } while ((peer__graph_status(crowd->graphs[node]) & PEER_GRAPH_STATUS_SYNCHRONIZED) == 0);
    return node;
}

peer_guid crowd_add_record(struct crowd *crowd, size_t node, size_t size, int64_t lifetime_us)
{
    peer_record_input input = PEER_RECORD_INPUT_INIT;
    peer_guid id;
    uint8_t *data = array(size, 1);
    input.type = (peer_guid){{1, 2, 3, 4}};
    input.data = data;
    input.size = size;
    input.expires_us = SIM_EPOCH_US + peer__sim_now_us(crowd->sim) + lifetime_us;
    struct driver *driver = lock(crowd, node);
    crowd_check(peer__graph_add(crowd->graphs[node], &input, &id));
    driver->unlock(driver);
    free(data);
    return id;
}

/* 1: nothing more is to be done for it. */
static int is_done(struct crowd *crowd, size_t node, int ask)
{
    if (crowd->graphs[node] == NULL)
        return 1;
    uint32_t status = peer__graph_status(crowd->graphs[node]);
    if ((status & PEER_GRAPH_STATUS_SYNCHRONIZED) != 0) {
        listen_at(crowd, node);
        return 1;
    }
    if (ask && (status & PEER_GRAPH_STATUS_HAS_CONNECTIONS) == 0)
        ask_anyone(crowd, node);
    return 0;
}

void crowd_run_tenth(struct crowd *crowd)
{
    peer__sim_run_for(crowd->sim, TENTH);
    crowd_check(peer__sim_status(crowd->sim));
    int ask = peer__sim_now_us(crowd->sim) % ASK_AGAIN == 0;
    for (size_t i = crowd->waiting_count; i-- > 0;) {
        if (is_done(crowd, crowd->waiting[i], ask))
            crowd->waiting[i] = crowd->waiting[--crowd->waiting_count];
    }
}

/* FNV-1a over a record as it travels; the sum over all does not depend on their order. */
static uint64_t hash_of(const struct crowd *crowd, size_t node, const peer_guid *id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct record *record;
    uint32_t local_flags;
    crowd_check(peer__graph_get(crowd->graphs[node], id, &record, &local_flags));
    for (size_t i = 0; i < record->wire_size; i++)
        hash = (hash ^ record->wire[i]) * UINT64_C(0x100000001b3);
    peer__record_release(record);
    return hash;
}

static size_t sum_records(const struct crowd *crowd, size_t node, uint64_t *sum_out)
{
    peer_guid *ids;
    size_t count;
    *sum_out = 0;
    if (peer__graph_list(crowd->graphs[node], NULL, NULL, &ids, &count) < 0)
        return 0; /* never synchronized */
    for (size_t i = 0; i < count; i++)
        *sum_out += hash_of(crowd, node, &ids[i]);
    peer__free(ids);
    return count;
}

struct crowd_records crowd_compare(const struct crowd *crowd, size_t record_count)
{
    struct crowd_records result = {0};
    uint64_t first = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        uint64_t sum;
        if (crowd->graphs[i] == NULL)
            continue;
        int complete = sum_records(crowd, i, &sum) == record_count;
        if (result.nodes++ == 0)
            first = sum;
        result.complete += (size_t)complete;
        result.equal += (size_t)(complete && sum == first);
    }
    return result;
}
