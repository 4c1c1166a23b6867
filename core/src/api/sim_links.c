/* What lies between the hosts of a simulated network: cuts, links, connections. */
#include <inttypes.h>
#include <stdio.h>

#include "api/input.h"
#include "api/sim.h"
#include "base/error.h"
#include "base/memory.h"
#include "event/object.h"
#include "event/view.h"

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

/* --- links ------------------------------------------------------------------------------------------------------------ */

#define PPM_MAX 1000000u
#define DELAY_MAX_US INT64_C(1000000000000)

static peer_status check_chance(const char *name, uint32_t ppm)
{
    if (ppm > PPM_MAX)
        return peer__fail(E_INVALIDARG, "link.%s is %" PRIu32 ", more than %u", name, ppm, PPM_MAX);
    return PEER_OK;
}

static peer_status check_delay(const char *name, int64_t delay_us)
{
    if (delay_us < 0 || delay_us > DELAY_MAX_US)
        return peer__fail(E_INVALIDARG, "link.%s is %" PRId64 ", not within 0 and 10^12", name, delay_us);
    return PEER_OK;
}

static peer_status read_link(const peer_sim_link_input *input, struct sim_link *link)
{
    peer_sim_link_input copy;
    PEER_TRY(peer__input_struct("link", input, sizeof(copy), &copy, sizeof(copy)));
    PEER_TRY(check_chance("loss_ppm", copy.loss_ppm));
    PEER_TRY(check_chance("stall_ppm", copy.stall_ppm));
    PEER_TRY(check_chance("reset_ppm", copy.reset_ppm));
    PEER_TRY(check_delay("stall_us", copy.stall_us));
    PEER_TRY(check_delay("latency_us", copy.latency_us));
    PEER_TRY(check_delay("jitter_us", copy.jitter_us));
    *link = (struct sim_link){.latency_us = copy.latency_us,
                              .jitter_us = copy.jitter_us,
                              .bandwidth = copy.bandwidth,
                              .stall_us = copy.stall_us,
                              .loss_ppm = copy.loss_ppm,
                              .stall_ppm = copy.stall_ppm,
                              .reset_ppm = copy.reset_ppm};
    return PEER_OK;
}

static peer_status set_link(struct sim *sim, uint32_t from, uint32_t to, const struct sim_link *link)
{
    struct sim_host *sender;
    struct sim_host *receiver;
    PEER_TRY(peer__sim_any_host_of(sim, "from", from, &sender));
    PEER_TRY(peer__sim_any_host_of(sim, "to", to, &receiver));
    return peer__sim_set_link(sim, sender, receiver, link);
}

peer_status peer_sim_set_link(peer_sim *handle, uint32_t from, uint32_t to, const peer_sim_link_input *input)
{
    struct call call;
    struct sim *sim;
    struct sim_link link;
    PEER_TRY(peer__check_process());
    if (input != NULL)
        PEER_TRY(read_link(input, &link));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, set_link(sim, from, to, input != NULL ? &link : NULL));
}

/* --- connections ------------------------------------------------------------------------------------------------------ */

static void fill_views(const struct sim_connection *connections, size_t count, char *views, size_t view_size)
{
    for (size_t i = 0; i < count; i++) {
        const struct sim_connection *connection = &connections[i];
        peer_sim_connection_view view = {
            .struct_size = sizeof(view),
            .flags = (connection->is_neighbour ? (uint32_t)PEER_SIM_CONNECTION_NEIGHBOR : 0) |
                     (connection->is_cut ? (uint32_t)PEER_SIM_CONNECTION_CUT : 0),
            .connection_id = connection->id,
            .from = peer__sim_number_of(connection->from),
            .to = peer__sim_number_of(connection->to),
            .since_us = connection->since_us,
        };
        peer__view_copy(views + i * view_size, view_size, &view, sizeof(view));
    }
}

static peer_status get_connections(struct sim *sim, size_t view_size, uint32_t *count_out,
                                   const peer_sim_connection_view **views_out)
{
    size_t count = peer__sim_list_connections(sim, NULL, 0);
    *count_out = 0;
    *views_out = NULL;
    if (count == 0)
        return PEER_S_NO_EVENT_DATA;
    struct sim_connection *connections = peer__calloc(count, sizeof(*connections));
    char *views = connections != NULL ? peer__object_create_array(count * view_size, 0) : NULL;
    if (views != NULL) {
        peer__sim_list_connections(sim, connections, count);
        fill_views(connections, count, views, view_size);
        *count_out = (uint32_t)count;
        *views_out = (const peer_sim_connection_view *)(void *)views;
    }
    peer__free(connections);
    return views != NULL ? PEER_OK : peer__out_of_memory();
}

peer_status peer_sim_get_connections(peer_sim *handle, size_t view_size, uint32_t *count_out,
                                     const peer_sim_connection_view **views_out)
{
    struct call call;
    struct sim *sim;
    uint32_t count;
    const peer_sim_connection_view *views;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__view_check_size(view_size, sizeof(peer_sim_connection_view)));
    PEER_TRY(peer__input_not_null("count_out", count_out));
    PEER_TRY(peer__input_not_null("views_out", views_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = get_connections(sim, view_size, &count, &views);
    if (status >= 0) {
        *count_out = count;
        *views_out = views;
    }
    return peer__leave(&call, status);
}
