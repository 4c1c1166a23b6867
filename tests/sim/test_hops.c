/* How a record spreads over many nodes at default settings; bench_hops measures the same over 1,000. */
#include "scenario.h"

#include <stdlib.h>

#include "support/flood_meter.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 50 /* what sanitizers look for does not need a crowd */
#else
#define MANY 200
#endif
#define RECORDS 11

static struct flood_meter *meter;

static int free_meter(void **state)
{
    flood_meter_free(meter);
    meter = NULL;
    return scenario_report(state);
}

static unsigned flood(struct world *world)
{
    size_t node = (size_t)peer__sim_draw(world->sim, world->count);
    peer_guid id = world_add(world, node, "to everyone");
    flood_meter_follow(meter, &id, node);
    world_run(world, 5);
    struct flood_result result = flood_meter_result(meter);
    assert_int_equal(result.reached, world->count - 1);
    assert_int_equal(result.too_often, 0);
    /* 12: once over each connection and way, and never back to the one from whom it came. */
    assert_in_range(result.receptions, world->count - 1, result.neighbours - (world->count - 1));
    return result.hops;
}

static int compare(const void *a, const void *b)
{
    unsigned ours = *(const unsigned *)a;
    unsigned theirs = *(const unsigned *)b;
    return (ours > theirs) - (ours < theirs);
}

static void spread(struct world *world, size_t nodes, unsigned hops_max)
{
    unsigned hops[RECORDS];
    world_mesh(world, nodes);
    world_run(world, 900); /* whoever has too many neighbours or too few has seen to it */
    meter = flood_meter_create(world->sim, nodes);
    assert_non_null(meter);
    world->observe = flood_meter_line;
    world->observer = meter;
    for (size_t i = 0; i < RECORDS; i++)
        hops[i] = flood(world);
    world->observe = NULL;
    flood_meter_free(meter);
    meter = NULL;
    qsort(hops, RECORDS, sizeof(hops[0]), compare);
    assert_in_range(hops[RECORDS / 2], 1, hops_max);
}

/* A host commits as soon as its input pauses, as the runtime does: then the first copy comes by a short way. */
static struct sim_options options_of_runtime(void)
{
    struct sim_options options;
    peer__sim_defaults(&options);
    options.group_chance = 0;
    return options;
}

/* A node passes a record on to two others or so: a network a fifth as large saves log2 5 = 2.3 hops of those below. */
static void few_hops_to_two_hundred(struct world *world)
{
    spread(world, MANY, 10);
}

/* So many are promised. */
static void few_hops_to_a_thousand(struct world *world)
{
    spread(world, 1000, 12);
}

static void run_few_hops_to_two_hundred(void **state)
{
    struct sim_options options = options_of_runtime();
    (void)state;
    scenario_run_large(few_hops_to_two_hundred, &options);
}

static void run_few_hops_to_a_thousand(void **state)
{
    struct sim_options options = options_of_runtime();
    (void)state;
    scenario_run_huge(few_hops_to_a_thousand, &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"few_hops_to_two_hundred", run_few_hops_to_two_hundred, NULL, free_meter, NULL},
        {"few_hops_to_a_thousand", run_few_hops_to_a_thousand, NULL, free_meter, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
