/* Who cannot reach whom. A host remembers it only when there is something to remember: most networks are whole. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/internal.h"

int peer__sim_is_cut(const struct sim_host *from, const struct sim_host *to)
{
    return to->index < from->cut_count && from->cut_to[to->index];
}

static peer_status make_room(struct sim_host *host)
{
    size_t count = host->sim->host_capacity;
    if (host->cut_count >= host->sim->host_count)
        return PEER_OK;
    uint8_t *cut_to = peer__realloc_array(host->cut_to, count, 1);
    if (cut_to == NULL)
        return peer__out_of_memory();
    memset(cut_to + host->cut_count, 0, count - host->cut_count);
    host->cut_to = cut_to;
    host->cut_count = count;
    return PEER_OK;
}

static peer_status make_room_for(struct sim_host *const *hosts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        PEER_TRY(make_room(hosts[i]));
    return PEER_OK;
}

static void set_cuts(struct sim_host *const *from, size_t from_count, struct sim_host *const *to, size_t to_count,
                     int is_cut)
{
    for (size_t i = 0; i < from_count; i++) {
        for (size_t k = 0; k < to_count; k++) {
            if (from[i] != to[k] && to[k]->index < from[i]->cut_count)
                from[i]->cut_to[to[k]->index] = (uint8_t)is_cut;
        }
    }
}

static peer_status check_sets(struct sim_host *const *from, size_t from_count, struct sim_host *const *to,
                              size_t to_count)
{
    if (from_count == 0 || to_count == 0)
        return peer__fail(E_INVALIDARG, "a set of hosts is empty");
    for (size_t i = 0; i < to_count; i++) {
        if (to[i]->sim != from[0]->sim)
            return peer__fail(E_INVALIDARG, "the hosts \"%s\" and \"%s\" are of two networks", from[0]->name,
                              to[i]->name);
    }
    return PEER_OK;
}

peer_status peer__sim_cut_sets(struct sim_host *const *from, size_t from_count, struct sim_host *const *to,
                               size_t to_count, int is_cut)
{
    PEER_TRY(check_sets(from, from_count, to, to_count));
    if (is_cut)
        PEER_TRY(make_room_for(from, from_count));
    set_cuts(from, from_count, to, to_count, is_cut);
    peer__sim_note(from[0]->sim, is_cut ? "cut" : "mended");
    peer__sim_pipes_cut_changed(from[0]->sim);
    return PEER_OK;
}

peer_status peer__sim_cut(struct sim_host *from, struct sim_host *to, int is_cut)
{
    return peer__sim_cut_sets(&from, 1, &to, 1, is_cut);
}

peer_status peer__sim_partition(struct sim_host *const *left, size_t left_count, struct sim_host *const *right,
                                size_t right_count)
{
    PEER_TRY(check_sets(left, left_count, right, right_count));
    PEER_TRY(make_room_for(left, left_count));
    PEER_TRY(make_room_for(right, right_count));
    set_cuts(left, left_count, right, right_count, 1);
    set_cuts(right, right_count, left, left_count, 1);
    peer__sim_note(left[0]->sim, "partition");
    peer__sim_pipes_cut_changed(left[0]->sim);
    return PEER_OK;
}

void peer__sim_heal(struct sim *sim)
{
    if (sim->host_count == 0)
        return;
    for (size_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->cut_count != 0)
            memset(sim->hosts[i]->cut_to, 0, sim->hosts[i]->cut_count);
    }
    peer__sim_note(sim, "heal");
    peer__sim_pipes_cut_changed(sim);
}
