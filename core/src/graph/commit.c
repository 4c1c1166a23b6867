/*
 * Effects and the commit that lets them out (decisions.md 1): what was acknowledged is stored, what could not be stored
 * was never acknowledged, forwarded or announced.
 */
#include "graph/parts.h"

#include <stdio.h>

/** How often a graph whose store is behind asks whether it has caught up. */
#define RELIEF_PERIOD_US 5000

peer_status peer__graph_reserve_effect(struct graph *graph)
{
    struct effects *effects = &graph->effects;
    if (effects->count < effects->capacity)
        return PEER_OK;
    size_t capacity = effects->capacity == 0 ? 64 : effects->capacity * 2;
    struct effect *items = peer__realloc_array(effects->items, capacity, sizeof(*items));
    if (items == NULL)
        return peer__out_of_memory();
    effects->items = items;
    effects->capacity = capacity;
    return PEER_OK;
}

peer_status peer__graph_add_effect(struct graph *graph, const struct effect *effect)
{
    struct effects *effects = &graph->effects;
    PEER_TRY(peer__graph_reserve_effect(graph));
    if (effects->count == 0)
        effects->since_us = peer__engine_now_us(graph->engine);
    effects->items[effects->count] = *effect;
    if (effect->record != NULL)
        peer__record_retain(effect->record);
    effects->count++;
    return PEER_OK;
}

static void release_records(const struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++)
        peer__record_release(effects->items[i].record);
}

static void clear_effects(struct graph *graph)
{
    release_records(&graph->effects);
    graph->effects.count = 0;
}

/* That there are records to be refreshed may have been taken back with the first of them: it is written again. */
static void roll_back(struct graph *graph)
{
    graph->store->operations->rollback(graph->store);
    graph->upkeep.has_autorefresh = 0;
}

void peer__graph_drop_effects(struct graph *graph)
{
    roll_back(graph);
    clear_effects(graph);
}

/* The neighbours whose records could not be stored send them again after they have connected anew. The end of a link may
 * do anything: end others, or commit, which must not find these effects. So they are no longer the graph's, and each link
 * is looked for by itself: one that has ended is not found. */
static void end_sources(struct graph *graph, const struct effects *lost, peer_status status, const char *reason)
{
    for (size_t i = 0; i < lost->count; i++) {
        struct link *link = peer__graph_find_link(graph, lost->items[i].connection_id);
        if (link == NULL)
            continue;
        peer__link_note_refused(link);
        peer__link_end(link, status, "what \"%s\" sent could not be stored: %s", link->address_text, reason);
    }
}

/* `status` and its line are the caller's, whatever happens here. */
static peer_status lose_effects(struct graph *graph, peer_status status)
{
    struct effects lost = graph->effects;
    char reason[512];
    snprintf(reason, sizeof(reason), "%s", peer__last_error());
    graph->effects = (struct effects){0};
    roll_back(graph);
    if (status == PEER_E_DISK_FULL)
        peer__graph_set_storage_full(graph, STORAGE_DISK, 1);
    end_sources(graph, &lost, status, reason);
    release_records(&lost);
    peer__free(lost.items);
    return peer__fail(status, "%s", reason);
}

static void apply_stored(struct graph *graph, const struct effect *effect)
{
    graph->last_seq = effect->seq;
    peer__journal_append(&graph->journal, effect->seq, effect->record, effect->connection_id);
    peer__graph_expiry_schedule(graph, effect->record->fields.expires);
    if (effect->change != 0)
        peer__graph_tell_record(graph, effect->record, effect->change);
    if (peer__guid_equal(&effect->record->fields.type, &peer__type_graph_info))
        peer__graph_take_info(graph, effect->record, 1);
    else if (peer__type_is_reserved(&effect->record->fields.type))
        peer__graph_note_internal(graph, &effect->record->fields);
}

static void apply(struct graph *graph, const struct effect *effect)
{
    if (effect->kind == EFFECT_STORED) {
        apply_stored(graph, effect);
        return;
    }
    struct link *link = peer__graph_find_link(graph, effect->connection_id);
    if (link == NULL || !peer__link_is_neighbour(link))
        return;
    if (effect->kind == EFFECT_ANSWER)
        peer__link_owe(link, &effect->record_id);
    else
        peer__link_acknowledge(link, &effect->record_id, effect->useful);
}

/* Reading stops on every link of the graph, so that TCP holds the senders back; calls of the application go on. */
static void hold_back(struct graph *graph, int held_back)
{
    graph->held_back = held_back;
    LIST_FOR (node, following, &graph->links)
        peer__link_update_reading(CONTAINER_OF(node, struct link, in_graph));
    if (held_back)
        peer__engine_timer_set(graph->engine, &graph->relief, RELIEF_PERIOD_US);
}

void peer__graph_relieve(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, relief);
    hold_back(graph, graph->store->operations->is_behind(graph->store));
}

static void maintain(struct graph *graph)
{
    struct job *job = graph->store->operations->maintenance(graph->store);
    if (job != NULL)
        graph->engine->config.jobs.submit(graph->engine->config.jobs.self, job);
    if (!graph->held_back && graph->store->operations->is_behind(graph->store))
        hold_back(graph, 1);
}

void peer__graph_maintain_store(struct graph *graph)
{
    maintain(graph);
}

peer_status peer__graph_commit(struct graph *graph)
{
    peer_status status = PEER_OK;
    if (graph->effects.count > 0)
        status = peer__graph_note_presence(graph, 0);
    if (status >= 0)
        status = graph->store->operations->commit(graph->store);
    if (status < 0)
        return lose_effects(graph, status);
    if (graph->effects.count == 0)
        return PEER_OK;
    for (size_t i = 0; i < graph->effects.count; i++)
        apply(graph, &graph->effects.items[i]);
    clear_effects(graph);
    peer__graph_pump(graph);
    maintain(graph);
    return PEER_OK;
}
