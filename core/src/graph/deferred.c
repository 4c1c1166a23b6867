/*
 * The deferred list (3.1.1, 3.1.4.10): records that wait for a judgement, of the application as a rule. They are neither
 * stored nor acknowledged nor forwarded meanwhile. A connection that fills the list is not read until it has drained, or
 * for 30 s; what is dropped then is asked for again later (decisions.md 18).
 */
#include "graph/state.h"

/** Of one connection: it is not read any more, and what comes all the same is dropped. */
#define LINK_HIGH (2u * 1024 * 1024)
#define LINK_MAX (4u * 1024 * 1024)
/** Of all connections of a graph, and of those that have gone. */
#define GRAPH_MAX (32u * 1024 * 1024)
#define ENTRY_COST 256u
#define PATIENCE_US INT64_C(30000000)

struct deferred {
    struct list in_graph;
    uint64_t id;
    uint64_t connection_id;
    struct record *record; /* retained */
    int32_t change;
    int undecided; /* asked about, and not answered yet; else it was deferred by the judge */
};

static size_t cost_of(const struct deferred *deferred)
{
    return deferred->record->wire_size + ENTRY_COST;
}

static struct deferred *at(struct list *node)
{
    return CONTAINER_OF(node, struct deferred, in_graph);
}

/* --------------------------------------------------------------------------------------------------------- connections */

static void look_again(struct graph *graph, int64_t delay_us)
{
    if (graph->deferred_timer.place == 0)
        peer__engine_timer_set(graph->engine, &graph->deferred_timer, delay_us);
}

static void stop_reading(struct link *link)
{
    if (link->deferral.full_us != 0)
        return;
    link->deferral.full_us = peer__engine_now_us(link->engine);
    link->deferral.is_full = 1;
    peer__link_update_reading(link);
    look_again(link->graph, PATIENCE_US);
}

static void read_on(struct link *link)
{
    if (!link->deferral.is_full)
        return;
    link->deferral.is_full = 0;
    peer__link_update_reading(link);
}

/* A synchronization is complete when all that it brought is judged. */
static void finish_if_judged(struct link *link)
{
    if (!link->deferral.finish_waits || link->deferral.undecided > 0)
        return;
    link->deferral.finish_waits = 0;
    peer__sync_finish(link);
}

int peer__link_awaits_judgement(struct link *link)
{
    if (link->deferral.undecided == 0 || link->deferral.gave_up)
        return 0;
    if (!link->deferral.finish_waits)
        link->deferral.waits_us = peer__engine_now_us(link->engine);
    link->deferral.finish_waits = 1;
    look_again(link->graph, PATIENCE_US);
    return 1;
}

/* Nobody judges: the connection goes on, and what is missing is asked for later. */
static void lose_patience(struct link *link, int64_t now_us)
{
    if (link->deferral.is_full && now_us - link->deferral.full_us >= PATIENCE_US)
        read_on(link);
    if (!link->deferral.finish_waits || now_us - link->deferral.waits_us < PATIENCE_US)
        return;
    link->deferral.finish_waits = 0;
    link->deferral.gave_up = 1;
    peer__link_note_refused(link);
    peer__sync_finish(link);
    link->deferral.gave_up = 0;
}

void peer__graph_deferred_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, deferred_timer);
    int64_t now_us = peer__engine_now_us(graph->engine);
    int waits = 0;
    (void)peer__graph_commit(graph);
    LIST_FOR (node, following, &graph->links)
        lose_patience(CONTAINER_OF(node, struct link, in_graph), now_us);
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        waits |= link->deferral.is_full || link->deferral.finish_waits;
    }
    if (waits)
        look_again(graph, PATIENCE_US / 30);
}

/* ------------------------------------------------------------------------------------------------------------ the list */

static void decided(struct graph *graph, struct deferred *deferred)
{
    struct link *link = peer__graph_find_link(graph, deferred->connection_id);
    if (!deferred->undecided)
        return;
    deferred->undecided = 0;
    if (link == NULL)
        return;
    link->deferral.undecided--;
    finish_if_judged(link);
}

static void drop(struct graph *graph, struct deferred *deferred)
{
    struct link *link = peer__graph_find_link(graph, deferred->connection_id);
    graph->deferred_bytes -= cost_of(deferred);
    if (link != NULL) {
        link->deferral.bytes -= cost_of(deferred);
        if (link->deferral.bytes <= LINK_HIGH / 2) {
            read_on(link);
            link->deferral.full_us = 0;
        }
    }
    list_remove(&deferred->in_graph);
    peer__record_release(deferred->record);
    peer__free(deferred);
}

static struct deferred *find(struct graph *graph, uint64_t id)
{
    LIST_FOR (node, following, &graph->deferred) {
        if (at(node)->id == id)
            return at(node);
    }
    return NULL;
}

static int is_listed(struct graph *graph, const struct record *record)
{
    LIST_FOR (node, following, &graph->deferred) {
        const struct record_fields *fields = &at(node)->record->fields;
        if (peer__guid_equal(&fields->id, &record->fields.id) && peer__record_compare(fields, &record->fields) == 0)
            return 1;
    }
    return 0;
}

static void ask(struct graph *graph, const struct deferred *deferred)
{
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_EVENT_VALIDATION,
                                               .change = deferred->change,
                                               .record_id = deferred->record->fields.id,
                                               .record_type = deferred->record->fields.type,
                                               .validation_id = deferred->id});
}

peer_status peer__graph_defer(struct link *from, struct record *record, int32_t change, int *taken_out)
{
    struct graph *graph = from->graph;
    size_t cost = record->wire_size + ENTRY_COST;
    *taken_out = 1;
    if (is_listed(graph, record)) /* from another neighbour, or once more from this one */
        return PEER_OK;
    *taken_out = from->deferral.bytes + cost <= LINK_MAX && graph->deferred_bytes + cost <= GRAPH_MAX;
    if (!*taken_out && from->deferral.bytes > 0)
        return PEER_OK;
    *taken_out = 1; /* one is taken however large it is */
    struct deferred *deferred = peer__calloc(1, sizeof(*deferred));
    if (deferred == NULL)
        return peer__out_of_memory();
    *deferred = (struct deferred){.id = ++graph->last_deferred_id,
                                  .connection_id = from->connection_id,
                                  .record = peer__record_retain(record),
                                  .change = change,
                                  .undecided = 1};
    list_append(&graph->deferred, &deferred->in_graph);
    graph->deferred_bytes += cost;
    from->deferral.bytes += cost;
    from->deferral.undecided++;
    ask(graph, deferred);
    if (from->deferral.bytes > LINK_HIGH)
        stop_reading(from);
    return PEER_OK;
}

void peer__graph_deferred_free(struct graph *graph)
{
    LIST_FOR (node, following, &graph->deferred) {
        peer__record_release(at(node)->record);
        peer__free(at(node));
    }
    list_init(&graph->deferred);
}

/* ---------------------------------------------------------------------------------------------------- the application's */

/* The application as the judge: it always has to be asked. */
static peer_status ask_application(void *self, const struct record *record, int32_t change)
{
    (void)self;
    (void)record;
    (void)change;
    return PEER_E_DEFERRED_VALIDATION;
}

static const struct security application = {.validate = ask_application};

void peer__graph_let_application_judge(struct graph *graph)
{
    graph->security = application;
}

int peer__graph_is_judged_by_application(const struct graph *graph)
{
    return graph->security.validate == ask_application;
}

static peer_status no_such(uint64_t id)
{
    return peer__fail(PEER_E_RECORD_NOT_FOUND, "no record waits under the number %llu", (unsigned long long)id);
}

peer_status peer__graph_get_deferred(struct graph *graph, uint64_t id, struct record **record_out)
{
    struct deferred *deferred = find(graph, id);
    if (deferred == NULL)
        return no_such(id);
    *record_out = peer__record_retain(deferred->record);
    return PEER_OK;
}

static peer_status take(struct graph *graph, struct deferred *deferred)
{
    struct record *record = peer__record_retain(deferred->record);
    peer_status status = peer__graph_take_judged(graph, record, deferred->connection_id);
    peer__record_release(record);
    if (status >= 0)
        status = peer__graph_commit(graph);
    else
        peer__graph_drop_effects(graph);
    return status;
}

peer_status peer__graph_judge(struct graph *graph, uint64_t id, peer_status verdict)
{
    struct deferred *deferred = find(graph, id);
    peer_status status = PEER_OK;
    if (deferred == NULL)
        return no_such(id);
    peer__engine_enter(graph->engine);
    (void)peer__graph_commit(graph); /* a call is a turn of its own (decisions.md 1) */
    if (verdict == PEER_OK)
        status = take(graph, deferred);
    if (status >= 0) { /* else it waits on: the disk may be full */
        decided(graph, deferred);
        if (verdict != PEER_E_DEFERRED_VALIDATION)
            drop(graph, deferred);
    }
    peer__engine_leave(graph->engine);
    return status;
}

static int is_meant(const struct deferred *deferred, size_t count, const peer_guid *ids)
{
    for (size_t i = 0; i < count; i++) {
        if (peer__guid_equal(&ids[i], &deferred->record->fields.id))
            return 1;
    }
    return count == 0;
}

void peer__graph_ask_again(struct graph *graph, size_t count, const peer_guid *ids)
{
    peer__engine_enter(graph->engine);
    LIST_FOR (node, following, &graph->deferred) {
        if (is_meant(at(node), count, ids))
            ask(graph, at(node));
    }
    peer__engine_leave(graph->engine);
}
