/*
 * What waits for a judgement (3.1.4.10), of the application as a rule: it is neither stored nor acknowledged nor forwarded
 * meanwhile. A connection that brings too much is not read until it has drained, or for 30 s; what is dropped then is asked
 * for again later (decisions.md 18). What connections that ended have left makes way for what others bring.
 */
#include "graph/parts.h"

/** Of one connection: it is not read any more, and what comes all the same is dropped. */
#define LINK_HIGH (2u * 1024 * 1024)
#define LINK_MAX (4u * 1024 * 1024)
/** Of all connections of a graph, and of those that have gone; one record more, however large, of a connection that has
 * nothing else there. */
#define GRAPH_MAX (32u * 1024 * 1024)
#define PATIENCE_US INT64_C(30000000)
#define LOOK_PERIOD_US INT64_C(1000000)

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

static int is_undecided_through(const struct graph *graph, uint64_t number)
{
    const struct deferred *oldest = graph->deferred != NULL ? peer__deferred_oldest_undecided(graph->deferred) : NULL;
    return oldest != NULL && oldest->number <= number;
}

/* What comes later than the end of what was asked for is not waited for: there may be something at any time. */
int peer__link_awaits_judgement(struct link *link)
{
    struct deferral *deferral = &link->deferral;
    if (deferral->finish_waits)
        return 1;
    if (deferral->goes_on || deferral->gave_up || !is_undecided_through(link->graph, deferral->last_number))
        return 0;
    deferral->finish_waits = 1;
    deferral->waits_through = deferral->last_number;
    deferral->waits_us = peer__engine_now_us(link->engine);
    look_again(link->graph, PATIENCE_US);
    return 1;
}

static void go_on(struct link *link)
{
    link->deferral.finish_waits = 0;
    link->deferral.goes_on = 1;
    peer__sync_on_end(link);
    link->deferral.goes_on = 0;
}

static int is_judged(const struct link *link, int64_t now_us)
{
    (void)now_us;
    return !is_undecided_through(link->graph, link->deferral.waits_through);
}

/* Nobody judges. */
static int has_waited_long(const struct link *link, int64_t now_us)
{
    return now_us - link->deferral.waits_us >= PATIENCE_US;
}

static struct link *find_waiting(struct graph *graph, int (*is_over)(const struct link *link, int64_t now_us))
{
    int64_t now_us = peer__engine_now_us(graph->engine);
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (link->deferral.finish_waits && is_over(link, now_us))
            return link;
    }
    return NULL;
}

/* Synchronizations that waited for no more than was judged by now. Each may end any connection, so the list is looked
 * through anew. */
static void finish_judged(struct graph *graph)
{
    struct link *link;
    while ((link = find_waiting(graph, is_judged)) != NULL)
        go_on(link);
}

/* What is missing then is asked for later. */
static void finish_impatient(struct graph *graph)
{
    struct link *link;
    while ((link = find_waiting(graph, has_waited_long)) != NULL) {
        link->deferral.gave_up = 1;
        peer__link_note_refused(link);
        go_on(link);
    }
}

void peer__graph_deferred_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, deferred_timer);
    int64_t now_us = peer__engine_now_us(graph->engine);
    int waits = 0;
    (void)peer__graph_commit(graph);
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (now_us - link->deferral.full_us >= PATIENCE_US)
            read_on(link);
    }
    finish_judged(graph);
    finish_impatient(graph);
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        waits |= link->deferral.is_full || link->deferral.finish_waits;
    }
    if (waits)
        look_again(graph, LOOK_PERIOD_US);
}

/* ------------------------------------------------------------------------------------------------------------ the list */

static void read_on_if_drained(struct link *link)
{
    if (link->deferral.brought.bytes > LINK_HIGH / 2)
        return;
    read_on(link);
    link->deferral.full_us = 0;
}

static void drop(struct graph *graph, struct deferred *deferred)
{
    struct link *link = NULL;
    if (deferred->owner != NULL)
        link = CONTAINER_OF(deferred->owner, struct link, deferral.brought);
    peer__deferred_drop(graph->deferred, deferred);
    if (link != NULL)
        read_on_if_drained(link);
}

void peer__link_leaves_deferred(struct link *link)
{
    if (link->graph != NULL)
        peer__deferred_disown(link->graph->deferred, &link->deferral.brought);
}

static void ask(struct graph *graph, const struct deferred *deferred)
{
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_EVENT_VALIDATION,
                                               .change = deferred->change,
                                               .record_id = deferred->record->fields.id,
                                               .record_type = deferred->record->fields.type,
                                               .validation_id = deferred->number});
}

/* Who of them has it is not known: it is nobody's any more, or was rejected. */
static void ask_neighbours(struct graph *graph)
{
    peer__graph_note_missing(graph);
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        link->refused |= peer__link_is_neighbour(link);
    }
}

/* Neighbours are few enough for what each of them may bring; the rest was left by connections that ended. */
static void make_way(struct graph *graph, size_t cost)
{
    struct deferred *orphan;
    while (graph->deferred->bytes + cost > GRAPH_MAX &&
           (orphan = peer__deferred_oldest_orphan(graph->deferred)) != NULL) {
        peer__deferred_drop(graph->deferred, orphan);
        ask_neighbours(graph);
    }
}

static int has_place(const struct link *link, size_t cost)
{
    size_t brought = link->deferral.brought.bytes;
    size_t all = link->graph->deferred->bytes;
    if (brought == 0) /* one is taken however large it is */
        return all <= GRAPH_MAX;
    return brought + cost <= LINK_MAX && all + cost <= GRAPH_MAX;
}

static void give(struct graph *graph, struct deferred *deferred, struct link *link)
{
    peer__deferred_give(graph->deferred, deferred, &link->deferral.brought, link->connection_id);
    if (link->deferral.brought.bytes > LINK_HIGH)
        stop_reading(link);
}

/* From another neighbour, over a connection that has ended, or once more over this one. */
static void bring_again(struct link *from, struct deferred *deferred)
{
    if (deferred->number > from->deferral.last_number)
        from->deferral.last_number = deferred->number;
    if (deferred->owner == NULL && has_place(from, peer__deferred_cost(deferred->record)))
        give(from->graph, deferred, from);
}

peer_status peer__graph_defer(struct link *from, struct record *record, int32_t change, int *taken_out)
{
    struct graph *graph = from->graph;
    struct deferred *deferred;
    *taken_out = 1;
    if (graph->deferred == NULL)
        graph->deferred = peer__deferred_list_create(peer__engine_draw(graph->engine, UINT64_MAX));
    if (graph->deferred == NULL)
        return peer__out_of_memory();
    if ((deferred = peer__deferred_find_record(graph->deferred, &record->fields)) != NULL) {
        bring_again(from, deferred);
        return PEER_OK;
    }
    if (from->deferral.brought.bytes + peer__deferred_cost(record) <= LINK_MAX || from->deferral.brought.bytes == 0)
        make_way(graph, peer__deferred_cost(record));
    *taken_out = has_place(from, peer__deferred_cost(record));
    if (!*taken_out)
        return PEER_OK;
    deferred = peer__deferred_add(graph->deferred, record, change);
    if (deferred == NULL)
        return peer__out_of_memory();
    from->deferral.last_number = deferred->number;
    give(graph, deferred, from);
    ask(graph, deferred);
    peer__graph_expiry_schedule(graph, record->fields.expires);
    return PEER_OK;
}

/* What a judge who waits for something leaves there would else hold its connection back for ever. */
uint64_t peer__graph_expire_deferred(struct graph *graph, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    if (graph->deferred == NULL)
        return next;
    LIST_FOR (node, following, &graph->deferred->records) {
        struct deferred *deferred = CONTAINER_OF(node, struct deferred, in_list);
        uint64_t expires = deferred->record->fields.expires;
        if (expires <= now)
            drop(graph, deferred);
        else if (expires < next)
            next = expires;
    }
    finish_judged(graph);
    return next;
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
    const struct deferred *deferred = peer__deferred_find(graph->deferred, id);
    if (deferred == NULL)
        return no_such(id);
    *record_out = peer__record_retain(deferred->record);
    return PEER_OK;
}

static peer_status take(struct graph *graph, const struct deferred *deferred)
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

peer_status peer__graph_has_rejected(struct graph *graph, const struct record *record, int *rejected_out)
{
    const struct record_fields *fields = &record->fields;
    uint8_t element[STORE_ELEMENT_SIZE];
    *rejected_out = 0;
    if (!peer__rejections_have(graph->rejections, &fields->id, fields->version, NULL, 0))
        return PEER_OK;
    PEER_TRY(
        peer__record_element(&graph->engine->config.crypto, (struct span){record->wire, record->wire_size}, element));
    *rejected_out = peer__rejections_have(graph->rejections, &fields->id, fields->version, element, sizeof(element));
    return PEER_OK;
}

/* What cannot be remembered is asked about again. */
static void remember(struct graph *graph, const struct record *record)
{
    struct rejected rejected = {.id = record->fields.id, .version = record->fields.version};
    struct span wire = {record->wire, record->wire_size};
    if (graph->rejections == NULL)
        graph->rejections = peer__rejections_create(peer__engine_draw(graph->engine, UINT64_MAX));
    if (graph->rejections != NULL && peer__record_element(&graph->engine->config.crypto, wire, rejected.element) >= 0)
        peer__rejections_add(graph->rejections, &rejected, peer__engine_draw(graph->engine, UINT64_MAX));
}

peer_status peer__graph_judge(struct graph *graph, uint64_t id, peer_status verdict)
{
    struct deferred *deferred = peer__deferred_find(graph->deferred, id);
    peer_status status = PEER_OK;
    if (deferred == NULL)
        return no_such(id);
    peer__engine_enter(graph->engine);
    (void)peer__graph_commit(graph); /* a call is a turn of its own (decisions.md 1) */
    if (verdict == PEER_OK)
        status = take(graph, deferred);
    if (status >= 0) { /* else it waits on: the disk may be full */
        list_remove(&deferred->in_undecided);
        if (verdict == PEER_E_INVALID_RECORD)
            remember(graph, deferred->record);
        if (verdict != PEER_E_DEFERRED_VALIDATION)
            drop(graph, deferred);
        finish_judged(graph);
    }
    peer__engine_leave(graph->engine);
    return status;
}

/* An id that comes a thousand times costs hardly more than one. */
static void mean_all_of(struct deferred_list *list, const peer_guid *id)
{
    struct deferred *deferred = peer__deferred_next_of_id(list, id, NULL);
    if (deferred == NULL || deferred->is_meant)
        return;
    for (; deferred != NULL; deferred = peer__deferred_next_of_id(list, id, deferred))
        deferred->is_meant = 1;
}

void peer__graph_ask_again(struct graph *graph, size_t count, const peer_guid *ids)
{
    int any_forgotten = 0;
    for (size_t i = 0; i < count; i++) {
        any_forgotten |= peer__rejections_forget(graph->rejections, &ids[i]);
        if (graph->deferred != NULL)
            mean_all_of(graph->deferred, &ids[i]);
    }
    if (any_forgotten)
        ask_neighbours(graph);
    if (graph->deferred == NULL)
        return;
    LIST_FOR (node, following, &graph->deferred->records) {
        struct deferred *deferred = CONTAINER_OF(node, struct deferred, in_list);
        if (count == 0 || deferred->is_meant)
            ask(graph, deferred);
        deferred->is_meant = 0;
    }
}
