/* Links: how long bytes take from one host to another. A host remembers links of their own only where there are some. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/pipe.h"

#define PACKET_SIZE 1440u
#define RETRANSMISSION_US 200000 /* the shortest time-out of TCP on Linux; it doubles each time (RFC 6298 5.5) */
#define RETRANSMISSIONS_MAX 8u

const struct sim_link *peer__sim_link_to(const struct sim_host *from, const struct sim_host *to)
{
    if (to == NULL || to->index >= from->link_count || from->links_to[to->index] == NULL)
        return &from->sim->link;
    return from->links_to[to->index];
}

int peer__sim_strikes(struct sim *sim, uint32_t ppm)
{
    return peer__sim_random_below(&sim->random, 1000000) < ppm;
}

static int64_t retransmission_us(struct sim *sim, const struct sim_link *link)
{
    int64_t round_trip_us = 2 * (link->latency_us + link->jitter_us);
    int64_t wait_us = round_trip_us > RETRANSMISSION_US ? round_trip_us : RETRANSMISSION_US;
    int64_t sum_us = 0;
    for (unsigned i = 0; i < RETRANSMISSIONS_MAX && peer__sim_strikes(sim, link->loss_ppm); i++) {
        sum_us += wait_us;
        wait_us *= 2;
    }
    return sum_us;
}

/* Packets that are lost together are sent again together. */
static int64_t loss_us(struct sim *sim, const struct sim_link *link, size_t size)
{
    int64_t most_us = 0;
    for (size_t packet = 0; packet <= size / PACKET_SIZE; packet++) {
        int64_t delay_us = retransmission_us(sim, link);
        if (delay_us > most_us)
            most_us = delay_us;
    }
    return most_us;
}

int64_t peer__sim_delay(struct sim *sim, const struct sim_link *link, size_t size)
{
    int64_t delay_us = link->latency_us;
    if (link->jitter_us > 0)
        delay_us += (int64_t)peer__sim_random_below(&sim->random, (uint64_t)link->jitter_us + 1);
    if (link->loss_ppm != 0)
        delay_us += loss_us(sim, link, size);
    if (link->stall_ppm != 0 && peer__sim_strikes(sim, link->stall_ppm))
        delay_us += link->stall_us;
    return delay_us;
}

/* ---------------------------------------------------------------------------------------------- links of their own */

void peer__sim_way_choose_link(struct way *way)
{
    way->link = peer__sim_link_to(way->from->host, way->to->host);
}

static void choose_links(struct sim *sim)
{
    LIST_FOR (node, following, &sim->pipes) {
        struct pipe *pipe = CONTAINER_OF(node, struct pipe, in_sim);
        for (int i = 0; i < 2 && pipe->ends[1].host != NULL; i++)
            peer__sim_way_choose_link(&pipe->ways[i]);
    }
}

static peer_status make_room(struct sim_host *host)
{
    size_t count = host->sim->host_capacity;
    if (host->link_count >= host->sim->host_count)
        return PEER_OK;
    struct sim_link **links = peer__realloc_array(host->links_to, count, sizeof(struct sim_link *));
    if (links == NULL)
        return peer__out_of_memory();
    memset(links + host->link_count, 0, (count - host->link_count) * sizeof(struct sim_link *));
    host->links_to = links;
    host->link_count = count;
    return PEER_OK;
}

/* A link keeps its place in memory when it changes: connections refer to it. */
static peer_status set_one(struct sim_host *from, const struct sim_host *to, const struct sim_link *link)
{
    PEER_TRY(make_room(from));
    struct sim_link **place = &from->links_to[to->index];
    if (*place == NULL)
        *place = peer__malloc(sizeof(**place));
    if (*place == NULL)
        return peer__out_of_memory();
    **place = *link;
    return PEER_OK;
}

static void unset_one(struct sim_host *from, const struct sim_host *to)
{
    struct sim *sim = from->sim;
    if (to->index >= from->link_count || from->links_to[to->index] == NULL)
        return;
    struct sim_link *link = from->links_to[to->index];
    from->links_to[to->index] = NULL;
    choose_links(sim);
    peer__free(link);
}

static peer_status set_or_unset(struct sim_host *from, struct sim_host *to, const struct sim_link *link)
{
    if (link != NULL)
        return set_one(from, to, link);
    unset_one(from, to);
    return PEER_OK;
}

static void set_for_all(struct sim *sim, const struct sim_link *link)
{
    struct sim_options defaults;
    peer__sim_defaults(&defaults);
    sim->link =
        link != NULL ? *link : (struct sim_link){.latency_us = defaults.latency_us, .jitter_us = defaults.jitter_us};
}

peer_status peer__sim_set_link(struct sim *sim, struct sim_host *from, struct sim_host *to, const struct sim_link *link)
{
    peer_status status = PEER_OK;
    peer__sim_note(sim, "link");
    if (from == NULL && to == NULL)
        set_for_all(sim, link);
    else if (from != NULL && to != NULL)
        status = set_or_unset(from, to, link);
    for (size_t i = 0; i < sim->host_count && (from == NULL) != (to == NULL) && status >= 0; i++) {
        struct sim_host *other = sim->hosts[i];
        if (other != from && other != to)
            status = from != NULL ? set_or_unset(from, other, link) : set_or_unset(other, to, link);
    }
    choose_links(sim);
    return status;
}

void peer__sim_links_free(struct sim_host *host)
{
    for (size_t i = 0; i < host->link_count; i++)
        peer__free(host->links_to[i]);
    peer__free(host->links_to);
}
