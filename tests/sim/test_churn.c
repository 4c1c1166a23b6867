/* Thirty nodes that look after their connections by themselves while processes and machines die, come back, and the
 * network falls apart and heals. What must hold is asked every second. */
#include "scenario.h"

#define NODES 30
/** Two nodes that dial each other at once have two connections for a moment, a full node has one that it refuses. */
#define MOMENT_S 5
/** Whoever can reach a node that it knows has a neighbour within two minutes. */
#define ALONE_MAX_S 120

struct churn {
    struct world *world;
    int64_t now_s;
    int64_t back_s[NODES];         /* of who is down: when it starts again */
    int64_t alone_s[NODES];        /* since when it has no neighbour, although it could */
    int64_t crowded_s[NODES];      /* since when it has more than seven connections */
    int64_t twice_s[NODES][NODES]; /* since when two nodes have two connections */
    int met[NODES][NODES];         /* who was a neighbour at some time */
    size_t links[NODES][NODES];    /* connections between two nodes, at this moment */
    int side[NODES];
    int is_cut;
    int64_t heal_s;
};

static int is_up(const struct churn *churn, size_t node)
{
    return churn->world->nodes[node].graph != NULL;
}

static int can_reach(const struct churn *churn, size_t a, size_t b)
{
    return a != b && is_up(churn, a) && is_up(churn, b) && (!churn->is_cut || churn->side[a] == churn->side[b]);
}

static size_t draw(const struct churn *churn, size_t bound)
{
    return (size_t)peer__sim_draw(churn->world->sim, bound);
}

/* ------------------------------------------------------------------------------------------------------ what happens */

static void goes_down(struct churn *churn, size_t node)
{
    struct world *world = churn->world;
    size_t how = draw(churn, 3);
    if (how == 0)
        world_close(world, node);
    else
        world_crash(world, node, how == 1 ? SIM_CRASH_PROCESS : SIM_CRASH_MACHINE);
    churn->back_s[node] = churn->now_s + 2 + (int64_t)draw(churn, draw(churn, 4) == 0 ? 1800 : 60);
}

static void comes_back(struct churn *churn, size_t node)
{
    struct world *world = churn->world;
    if (peer__sim_host_engine(world->nodes[node].host) == NULL)
        world_restart(world, node);
    else
        assert_true(world_open(world, node) >= 0);
    world_listen(world, node);
    churn->alone_s[node] = churn->now_s;
}

static void falls_apart(struct churn *churn)
{
    struct sim_host *sides[2][NODES];
    size_t counts[2] = {0, 0};
    for (size_t i = 0; i < NODES; i++) {
        churn->side[i] = (int)draw(churn, 2);
        sides[churn->side[i]][counts[churn->side[i]]++] = churn->world->nodes[i].host;
        churn->alone_s[i] = churn->now_s;
    }
    assert_status(peer__sim_partition(sides[0], counts[0], sides[1], counts[1]), PEER_OK);
    churn->is_cut = 1;
    churn->heal_s = churn->now_s + 30 + (int64_t)draw(churn, 900);
}

static void heals(struct churn *churn)
{
    peer__sim_heal(churn->world->sim);
    churn->is_cut = 0;
}

static void something_happens(struct churn *churn)
{
    size_t node = draw(churn, NODES);
    for (size_t i = 0; i < NODES; i++) {
        if (!is_up(churn, i) && churn->now_s >= churn->back_s[i])
            comes_back(churn, i);
    }
    if (churn->is_cut && churn->now_s >= churn->heal_s)
        heals(churn);
    switch (draw(churn, 300)) {
    case 0:
        if (!churn->is_cut)
            falls_apart(churn);
        break;
    case 1:
    case 2:
        if (is_up(churn, node))
            peer__sim_reset(churn->world->nodes[node].host, NULL);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        if (is_up(churn, node))
            goes_down(churn, node);
        break;
    case 7:
        if (is_up(churn, node))
            world_add(churn->world, node, "news");
        break;
    default:
        break;
    }
}

/* -------------------------------------------------------------------------------------------------- what must hold */

static size_t index_of(const struct churn *churn, const struct sim_host *host)
{
    size_t node = 0;
    while (churn->world->nodes[node].host != host)
        node++;
    return node;
}

static void see_connections(struct churn *churn)
{
    static struct sim_connection connections[NODES * NODES];
    size_t count = peer__sim_list_connections(churn->world->sim, connections, NODES * NODES);
    assert_true(count <= NODES * NODES);
    memset(churn->links, 0, sizeof(churn->links));
    for (size_t i = 0; i < count; i++) {
        size_t from = index_of(churn, connections[i].from);
        size_t to = index_of(churn, connections[i].to);
        churn->links[from][to]++;
        churn->links[to][from]++;
    }
}

static void note(int64_t *since_s, int holds, int64_t now_s)
{
    if (!holds)
        *since_s = now_s;
}

static void check_node(struct churn *churn, size_t node)
{
    int company = 0;
    size_t count = 0;
    for (size_t other = 0; other < NODES; other++) {
        count += churn->links[node][other];
        churn->met[node][other] |= churn->links[node][other] > 0;
        company |= can_reach(churn, node, other) && churn->met[node][other];
        note(&churn->twice_s[node][other], other != node && churn->links[node][other] > 1, churn->now_s);
        if (churn->now_s - churn->twice_s[node][other] > MOMENT_S)
            fail_msg("seed %u: p%zu and p%zu have two connections", (unsigned)churn->world->seed, node + 1, other + 1);
    }
    note(&churn->crowded_s[node], count > 7, churn->now_s);
    if (churn->now_s - churn->crowded_s[node] > MOMENT_S)
        fail_msg("seed %u: p%zu has %zu connections", (unsigned)churn->world->seed, node + 1, count);
    note(&churn->alone_s[node], company && count == 0, churn->now_s);
    if (churn->now_s - churn->alone_s[node] > ALONE_MAX_S)
        fail_msg("seed %u, %d s: p%zu is alone", (unsigned)churn->world->seed, (int)churn->now_s, node + 1);
}

static void check(struct churn *churn)
{
    see_connections(churn);
    for (size_t i = 0; i < NODES; i++)
        check_node(churn, i);
}

static void begin(struct churn *churn, struct world *world)
{
    churn->world = world;
    world->automatic = 1;
    size_t first = world_host(world);
    world_create(world, first);
    world_listen(world, first);
    while (world->count < NODES) {
        size_t known = draw(churn, world->count);
        world_join(world, world_host(world), known);
    }
    world_run(world, 60);
}

static void passes(struct churn *churn, int64_t seconds, int calm)
{
    for (int64_t end_s = churn->now_s + seconds; churn->now_s < end_s; churn->now_s++) {
        if (!calm)
            something_happens(churn);
        world_run(churn->world, 1);
        check(churn);
    }
}

LARGE_SCENARIO(two_hours_of_churn)
{
    static struct churn churn;
    churn = (struct churn){0};
    begin(&churn, world);
    passes(&churn, 2 * HOUR_S, 0);
    if (churn.is_cut)
        heals(&churn);
    for (size_t i = 0; i < NODES; i++) {
        if (!is_up(&churn, i))
            comes_back(&churn, i);
    }
    passes(&churn, 600, 1);
    /* Who lost each other for good meets by the address book, which is tried half an hour after they met. */
    world_settle(world, 1800 + 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(two_hours_of_churn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
