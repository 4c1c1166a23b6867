/*
 * How a record spreads over 1,000 nodes at default settings: over how many hops the last node gets it, how often a node gets
 * it, and which share of the FLOODs brings something new. Nothing here depends on the machine.
 *
 *     bench_hops [NODES [RECORDS]]
 *
 * Only the presence maximum is not the default, at which every node publishes its presence: those records have no influence
 * on the others and take most of the time. With PEER_BENCH_LARGE=1 it is, in one more network.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/crowd.h"
#include "support/flood_meter.h"

#define HOUR (3600 * INT64_C(1000000))
#define SEED 1
#define JOINING_TENTHS 1000u
#define YOUNG_TENTHS 5000u /* everybody has looked once whether he has too many neighbours or too few */
#define OLD_TENTHS 30000u
#define PRESENCE_MAX 50
#define PRESENCE_OF_ALL (-1)
#define FLOOD_TENTHS 20u /* what takes longer has not reached everybody */
#define RECORD_SIZE 256u
#define RECORDS_MAX 1000u
#define HOPS_MAX 12

struct figures {
    unsigned hops[RECORDS_MAX]; /* of each record */
    size_t count;
    uint64_t useful;
    uint64_t receptions;
    uint64_t neighbours;
    uint64_t places; /* nodes, once for each record */
    uint64_t too_often;
};

static void run_tenths(struct crowd *crowd, size_t tenths)
{
    for (size_t i = 0; i < tenths; i++)
        crowd_run_tenth(crowd);
}

static void gather(struct crowd *crowd, size_t nodes, int32_t presence_max)
{
    crowd_begin(crowd, presence_max);
    for (size_t tenth = 0; tenth < JOINING_TENTHS; tenth++) {
        while (crowd->count < nodes && crowd->count * JOINING_TENTHS <= tenth * nodes)
            crowd_join(crowd);
        crowd_run_tenth(crowd);
    }
}

static void flood(struct crowd *crowd, struct flood_meter *meter, struct figures *figures)
{
    size_t node = crowd_anyone(crowd);
    peer_guid id = crowd_add_record(crowd, node, RECORD_SIZE, HOUR);
    flood_meter_follow(meter, &id, node);
    run_tenths(crowd, FLOOD_TENTHS);
    struct flood_result result = flood_meter_result(meter);
    if (result.reached != crowd->count - 1) {
        fprintf(stderr, "bench_hops: a record reached %zu of %zu nodes\n", result.reached, crowd->count - 1);
        exit(1);
    }
    figures->hops[figures->count++] = result.hops;
    figures->useful += result.reached;
    figures->receptions += result.receptions;
    figures->neighbours += result.neighbours;
    figures->places += crowd->count;
    figures->too_often += result.too_often;
}

static int compare(const void *a, const void *b)
{
    unsigned ours = *(const unsigned *)a;
    unsigned theirs = *(const unsigned *)b;
    return (ours > theirs) - (ours < theirs);
}

static void show(struct figures *figures, int32_t presence_max, int64_t minutes)
{
    const unsigned *hops = figures->hops;
    qsort(figures->hops, figures->count, sizeof(figures->hops[0]), compare);
    if (presence_max == PRESENCE_OF_ALL)
        printf("%8s", "all");
    else
        printf("%8d", (int)presence_max);
    printf(" %7d %7u %4d %6u %11.2f %11.2f %10llu %4d %7.0f %%\n", (int)minutes, hops[figures->count / 2], HOPS_MAX,
           hops[figures->count - 1], (double)figures->receptions / (double)figures->places,
           (double)figures->neighbours / (double)figures->places, (unsigned long long)figures->too_often, 0,
           100.0 * (double)figures->useful / (double)figures->receptions);
    fflush(stdout);
}

static void measure(struct crowd *crowd, int32_t presence_max, size_t records)
{
    static struct figures figures;
    int64_t minutes = peer__sim_now_us(crowd->sim) / (HOUR / 60);
    struct flood_meter *meter = flood_meter_create(crowd->sim, crowd->count);
    if (meter == NULL)
        crowd_check(E_OUTOFMEMORY);
    figures = (struct figures){0};
    peer__sim_trace_to(crowd->sim, flood_meter_line, meter);
    for (size_t i = 0; i < records; i++)
        flood(crowd, meter, &figures);
    peer__sim_trace_to(crowd->sim, NULL, NULL);
    flood_meter_free(meter);
    show(&figures, presence_max, minutes);
}

static void run(size_t nodes, size_t records, int32_t presence_max)
{
    struct sim_options options;
    peer__sim_defaults(&options);
    options.group_chance = 0; /* as the runtime does: a commit as soon as the input pauses */
    struct crowd crowd = crowd_create(SEED, &options, nodes);
    gather(&crowd, nodes, presence_max);
    run_tenths(&crowd, YOUNG_TENTHS);
    measure(&crowd, presence_max, records);
    if (presence_max != PRESENCE_OF_ALL) {
        run_tenths(&crowd, OLD_TENTHS);
        measure(&crowd, presence_max, records);
    }
    crowd_free(&crowd);
}

int main(int argc, char **argv)
{
    size_t nodes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    size_t records = argc > 2 ? strtoul(argv[2], NULL, 10) : 41;
    if (nodes < 2 || records < 1 || records > RECORDS_MAX) {
        fprintf(stderr, "bench_hops: at least 2 nodes and 1 to %u records\n", RECORDS_MAX);
        return 2;
    }
    printf(
        "%zu records, one after the other, from anywhere in %zu nodes: hops to the last node; how often a node gets a\n"
        "record, and how many neighbours it has; nodes that got it more often than they have neighbours.\n\n",
        records, nodes);
    printf("%8s %7s %7s %4s %6s %11s %11s %10s %4s %9s\n", "presence", "minutes", "median", "max", "worst",
           "receptions", "neighbours", "too often", "max", "useful");
    run(nodes, records, PRESENCE_MAX);
    if (getenv("PEER_BENCH_LARGE") != NULL)
        run(nodes, records, PRESENCE_OF_ALL);
    return 0;
}
