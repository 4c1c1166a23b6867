/* What lies between the hosts of a simulated network: cuts and resets. */
#include <inttypes.h>
#include <stdio.h>

#include "api/input.h"
#include "api/sim.h"
#include "base/error.h"
#include "base/memory.h"

/* --- sets of hosts ---------------------------------------------------------------------------------------------------- */

struct host_set {
    struct sim_host **hosts;
    size_t count;
};

static peer_status read_set(const struct sim *sim, const char *name, uint32_t count, const uint32_t *numbers,
                            struct host_set *set)
{
    char entry[32];
    set->hosts = peer__calloc(count, sizeof(struct sim_host *));
    if (set->hosts == NULL)
        return peer__out_of_memory();
    for (; set->count < count; set->count++) {
        snprintf(entry, sizeof(entry), "%s[%zu]", name, set->count);
        PEER_TRY(peer__sim_host_of(sim, entry, numbers[set->count], &set->hosts[set->count]));
    }
    return PEER_OK;
}

static peer_status check_set(const char *name, uint32_t count, const uint32_t *numbers)
{
    if (count == 0)
        return peer__fail(E_INVALIDARG, "%s is empty", name);
    return peer__input_not_null(name, numbers);
}

/* Two sets as a caller gives them, and what to do with them. */
struct pair_of_sets {
    const char *names[2];
    uint32_t counts[2];
    const uint32_t *numbers[2];
    peer_status (*apply)(const struct host_set sets[2]);
};

static peer_status for_sets(peer_sim *handle, const struct pair_of_sets *pair)
{
    struct call call;
    struct sim *sim;
    struct host_set sets[2] = {{0}, {0}};
    PEER_TRY(peer__check_process());
    for (int i = 0; i < 2; i++)
        PEER_TRY(check_set(pair->names[i], pair->counts[i], pair->numbers[i]));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = PEER_OK;
    for (int i = 0; i < 2 && status >= 0; i++)
        status = read_set(sim, pair->names[i], pair->counts[i], pair->numbers[i], &sets[i]);
    if (status >= 0)
        status = pair->apply(sets);
    peer__free(sets[0].hosts);
    peer__free(sets[1].hosts);
    return peer__leave(&call, status);
}

/* --- cuts ------------------------------------------------------------------------------------------------------------- */

static peer_status apply_cut(const struct host_set sets[2])
{
    return peer__sim_cut_sets(sets[0].hosts, sets[0].count, sets[1].hosts, sets[1].count, 1);
}

static peer_status apply_mend(const struct host_set sets[2])
{
    return peer__sim_cut_sets(sets[0].hosts, sets[0].count, sets[1].hosts, sets[1].count, 0);
}

static peer_status apply_partition(const struct host_set sets[2])
{
    return peer__sim_partition(sets[0].hosts, sets[0].count, sets[1].hosts, sets[1].count);
}

peer_status peer_sim_cut(peer_sim *sim, uint32_t from_count, const uint32_t *from, uint32_t to_count,
                         const uint32_t *to)
{
    struct pair_of_sets pair = {{"from", "to"}, {from_count, to_count}, {from, to}, apply_cut};
    return for_sets(sim, &pair);
}

peer_status peer_sim_mend(peer_sim *sim, uint32_t from_count, const uint32_t *from, uint32_t to_count,
                          const uint32_t *to)
{
    struct pair_of_sets pair = {{"from", "to"}, {from_count, to_count}, {from, to}, apply_mend};
    return for_sets(sim, &pair);
}

peer_status peer_sim_partition(peer_sim *sim, uint32_t left_count, const uint32_t *left, uint32_t right_count,
                               const uint32_t *right)
{
    struct pair_of_sets pair = {{"left", "right"}, {left_count, right_count}, {left, right}, apply_partition};
    return for_sets(sim, &pair);
}

peer_status peer_sim_heal(peer_sim *handle)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer__sim_heal(sim);
    return peer__leave(&call, PEER_OK);
}

/* --- resets ----------------------------------------------------------------------------------------------------------- */

static peer_status reset(const struct sim *sim, uint32_t a, uint32_t b, uint32_t *count_out)
{
    struct sim_host *first;
    struct sim_host *second;
    PEER_TRY(peer__sim_host_of(sim, "a", a, &first));
    PEER_TRY(peer__sim_any_host_of(sim, "b", b, &second));
    size_t count = peer__sim_reset(first, second);
    if (count_out != NULL)
        *count_out = (uint32_t)count;
    return PEER_OK;
}

peer_status peer_sim_reset_connections(peer_sim *handle, uint32_t a, uint32_t b, uint32_t *count_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, reset(sim, a, b, count_out));
}
