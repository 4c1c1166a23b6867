/* A day on which a tenth of all nodes goes and comes back every minute, while all write. */
#include "scenario.h"

#define NODES_MAX 40
#define RECORDS_MAX 64
#define MINUTE_S 60

struct day {
    struct world *world;
    size_t nodes;
    int64_t now_s;
    int64_t back_s[NODES_MAX]; /* of who is down: when it starts again */
    peer_guid ids[RECORDS_MAX];
    size_t id_count; /* ever made; the oldest are forgotten */
};

static size_t draw(const struct day *day, size_t bound)
{
    return (size_t)peer__sim_draw(day->world->sim, bound);
}

static int is_up(const struct day *day, size_t node)
{
    return day->world->nodes[node].graph != NULL;
}

static size_t count_up(const struct day *day)
{
    size_t count = 0;
    for (size_t i = 0; i < day->nodes; i++)
        count += (size_t)is_up(day, i);
    return count;
}

static void goes_down(struct day *day, size_t node)
{
    struct world *world = day->world;
    size_t how = draw(day, 3);
    if (how == 0)
        world_close(world, node);
    else
        world_crash(world, node, how == 1 ? SIM_CRASH_PROCESS : SIM_CRASH_MACHINE);
    day->back_s[node] = day->now_s + 5 + (int64_t)draw(day, 4 * MINUTE_S);
}

static void comes_back(struct day *day, size_t node)
{
    struct world *world = day->world;
    if (peer__sim_host_engine(world->nodes[node].host) == NULL)
        world_restart(world, node);
    else
        assert_true(world_open(world, node) >= 0);
    world_listen(world, node);
}

/* Each node goes once in ten minutes; two are always left. */
static void comes_and_goes(struct day *day)
{
    for (size_t i = 0; i < day->nodes; i++) {
        if (!is_up(day, i) && day->now_s >= day->back_s[i])
            comes_back(day, i);
        else if (is_up(day, i) && draw(day, 10 * MINUTE_S) == 0 && count_up(day) > 2)
            goes_down(day, i);
    }
}

static void writes(struct day *day)
{
    struct world *world = day->world;
    size_t node = draw(day, day->nodes);
    peer_guid *id = &day->ids[draw(day, RECORDS_MAX)];
    if (!is_up(day, node) || draw(day, 10) != 0)
        return;
    switch (draw(day, 4)) {
    case 0:
    case 1:
        id = &day->ids[day->id_count++ % RECORDS_MAX];
        assert_status(world_add_bytes(world, node, &scenario_note, "n", 1, 600 + (int64_t)draw(day, HOUR_S), id),
                      PEER_OK);
        break;
    case 2:
        (void)world_update(world, node, id, "changed"); /* it may have ended, or not have come yet */
        break;
    default:
        (void)world_delete(world, node, id);
        break;
    }
}

static void spend(struct world *world, size_t nodes, int64_t minutes)
{
    static struct day day;
    day = (struct day){.world = world, .nodes = nodes};
    world_mesh(world, nodes);
    for (; day.now_s < minutes * MINUTE_S; day.now_s++) {
        comes_and_goes(&day);
        writes(&day);
        world_run(world, 1);
    }
    for (size_t i = 0; i < nodes; i++) {
        if (!is_up(&day, i))
            comes_back(&day, i);
    }
    world_run(world, 300);
    peer_guid id = world_add(world, 0, "good night");
    world_settle(world, 900);
    for (size_t i = 0; i < nodes; i++)
        assert_true(world_has(world, i, &id));
}

SCENARIO(half_an_hour_of_comings_and_goings)
{
    spend(world, 8, 30);
}

LARGE_SCENARIO(four_hours_of_comings_and_goings)
{
    spend(world, 12, 4 * 60);
}

HUGE_SCENARIO(a_day_of_comings_and_goings)
{
    spend(world, NODES_MAX, 24 * 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(half_an_hour_of_comings_and_goings),
        SCENARIO_TEST(four_hours_of_comings_and_goings),
        SCENARIO_TEST(a_day_of_comings_and_goings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
