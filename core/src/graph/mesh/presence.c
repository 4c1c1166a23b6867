/* Presence: who is there (MS-PPGRH 3.1.7.4, 3.1.7.17, 3.1.6.9; spec 14.6). */
#include "base/text.h"
#include "graph/parts.h"

#include <string.h>

#define HYSTERESIS 10u

/* -------------------------------------------------------------------------------------------------------- publishing */

/* Without regard to how many there are. D-32: -1 is everyone, as 2.2.3.1 says, whatever PPSEC writes. */
static int is_wanted(const struct graph *graph)
{
    return graph->upkeep.presence_forced || graph->info.presence_max == PRESENCE_MAX_ALL;
}

static uint64_t lifetime(const struct graph *graph)
{
    uint32_t seconds = graph->info.presence_lifetime_s;
    return (seconds != 0 ? seconds : PRESENCE_LIFETIME_MIN_S) * TICKS_PER_SECOND;
}

static peer_status publish(struct graph *graph)
{
    struct upkeep *upkeep = &graph->upkeep;
    struct presence presence = {.node_id = graph->node_id};
    struct buffer attributes = {0};
    struct buffer payload = {0};
    if (upkeep->attributes != NULL && *upkeep->attributes != '\0')
        (void)peer__utf16_append(&attributes, upkeep->attributes); /* was checked when it was set */
    presence.attributes = (struct span){attributes.data, attributes.size};
    for (size_t i = 0; i < graph->listener->address_count && i < ROSTER_ADDRESSES_MAX; i++)
        presence.addresses[presence.address_count++] = graph->listener->addresses[i];
    peer__presence_encode(&payload, &presence);
    peer_status status = payload.failed || attributes.failed ? peer__out_of_memory() : PEER_OK;
    if (status >= 0)
        status = peer__graph_publish(
            graph, &(struct publication){.type = &peer__type_presence,
                                         .id = upkeep->own_presence.live ? &upkeep->own_presence.id : NULL,
                                         .payload = {payload.data, payload.size},
                                         .lifetime = lifetime(graph)});
    peer__buffer_free(&payload);
    peer__buffer_free(&attributes);
    return status;
}

/* What is no longer wanted ends by itself (graph-api.md 12: SetPresence FALSE). D-29: while forced it is refreshed. */
peer_status peer__graph_refresh_presence(struct graph *graph)
{
    if (!is_wanted(graph) && graph->info.presence_max == 0) {
        graph->upkeep.own_presence.live = 0;
        return PEER_OK;
    }
    return publish(graph);
}

static int too_few(const struct graph *graph)
{
    const struct upkeep *upkeep = &graph->upkeep;
    if (upkeep->own_presence.live || graph->listener == NULL || !graph->ready)
        return 0;
    return is_wanted(graph) || upkeep->present.count < graph->info.presence_max;
}

static int too_many(const struct graph *graph)
{
    const struct upkeep *upkeep = &graph->upkeep;
    uint32_t max = graph->info.presence_max;
    return upkeep->own_presence.live && !is_wanted(graph) && max != 0 &&
           upkeep->present.count > (size_t)max + HYSTERESIS;
}

void peer__graph_maintain_presence(struct graph *graph)
{
    struct timer *timer = &graph->upkeep.presence_timer;
    if (too_few(graph) && is_wanted(graph))
        peer__engine_timer_set(graph->engine, timer, 0);
    else if (timer->place == 0 && (too_few(graph) || too_many(graph)))
        peer__engine_timer_set(graph->engine, timer, peer__graph_random_delay_us(graph, 30, 180));
}

void peer__graph_presence_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, upkeep.presence_timer);
    peer_status status = PEER_OK;
    if (too_many(graph))
        peer__graph_withdraw(graph, &graph->upkeep.own_presence, &peer__type_presence);
    else if (too_few(graph))
        status = publish(graph);
    if (status < 0) /* a full disk; refreshes try again in the same way */
        peer__engine_timer_set(graph->engine, timer, peer__graph_random_delay_us(graph, 30, 180));
}

/* ---------------------------------------------------------------------------------------------- what records tell us */

static void tell(struct graph *graph, const struct roster_entry *entry, int32_t change)
{
    int is_self = entry->node_id == graph->node_id;
    if (is_self && change != PEER_NODE_CHANGE_UPDATED)
        return; /* what-callers-rely-on.md 7: nobody arrives or leaves for himself */
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_GRAPH_EVENT_NODE_CHANGED,
                                               .change = change,
                                               .node_id = is_self ? 0 : entry->node_id,
                                               .peer_id = is_self ? graph->peer_id : entry->peer_id});
}

static int says_the_same(const struct roster_entry *a, const struct roster_entry *b)
{
    if (a->address_count != b->address_count)
        return 0;
    for (size_t i = 0; i < a->address_count; i++) {
        if (!peer__address_equal(&a->addresses[i], &b->addresses[i]))
            return 0;
    }
    return strcmp(a->attributes != NULL ? a->attributes : "", b->attributes != NULL ? b->attributes : "") == 0;
}

static struct roster_entry read_entry(const struct record_fields *fields, const struct presence *presence)
{
    struct roster_entry entry = {
        .record_id = fields->id, .node_id = presence->node_id, .peer_id = peer__utf8_from_utf16(fields->creator_id)};
    if (presence->attributes.size > 0)
        entry.attributes = peer__utf8_from_utf16(presence->attributes);
    for (size_t i = 0; i < presence->address_count && entry.address_count < ROSTER_ADDRESSES_MAX; i++)
        entry.addresses[entry.address_count++] = presence->addresses[i];
    return entry;
}

static void take(struct graph *graph, struct roster_entry *entry)
{
    struct roster *present = &graph->upkeep.present;
    const struct roster_entry *held = peer__roster_find(present, &entry->record_id);
    int32_t change = 0;
    if (held == NULL)
        change = peer__roster_find_node(present, entry->node_id, NULL) == NULL ? PEER_NODE_CHANGE_CONNECTED
                                                                               : PEER_NODE_CHANGE_UPDATED;
    else if (!says_the_same(held, entry))
        change = PEER_NODE_CHANGE_UPDATED;
    if (!peer__roster_put(present, entry))
        peer__roster_entry_free(entry);
    else if (change != 0)
        tell(graph, entry, change);
}

void peer__graph_note_presence_of(struct graph *graph, const struct record_fields *fields)
{
    struct presence presence;
    if ((fields->flags & RECORD_FLAG_DELETED) != 0 || peer__presence_decode(fields->payload, &presence) < 0) {
        peer__graph_presence_gone(graph, &fields->id);
        return;
    }
    struct roster_entry entry = read_entry(fields, &presence);
    take(graph, &entry);
    if (presence.node_id == graph->node_id)
        peer__graph_note_own(graph, &graph->upkeep.own_presence, fields);
    peer__graph_maintain_presence(graph);
    peer__graph_seek(graph);
}

void peer__graph_presence_gone(struct graph *graph, const peer_guid *record_id)
{
    struct upkeep *upkeep = &graph->upkeep;
    const struct roster_entry *entry = peer__roster_find(&upkeep->present, record_id);
    if (entry != NULL && peer__roster_find_node(&upkeep->present, entry->node_id, record_id) == NULL)
        tell(graph, entry, PEER_NODE_CHANGE_DISCONNECTED);
    peer__roster_remove(&upkeep->present, record_id);
    if (upkeep->own_presence.live && peer__guid_equal(&upkeep->own_presence.id, record_id))
        upkeep->own_presence.live = 0;
    peer__graph_maintain_presence(graph);
}

/* ------------------------------------------------------------------------------------------------- the application's */

void peer__graph_set_presence(struct graph *graph, int forced)
{
    graph->upkeep.presence_forced = forced;
    peer__graph_maintain_presence(graph);
}

peer_status peer__graph_set_attributes(struct graph *graph, const char *attributes)
{
    char *copy = NULL;
    if (attributes != NULL && (copy = peer__strdup(attributes)) == NULL)
        return peer__out_of_memory();
    peer__free(graph->upkeep.attributes);
    graph->upkeep.attributes = copy;
    if (!graph->upkeep.own_presence.live || graph->listener == NULL)
        return PEER_OK;
    peer__engine_enter(graph->engine);
    peer_status status = publish(graph);
    peer__engine_leave(graph->engine);
    return status;
}
