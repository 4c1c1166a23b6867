/* A graph from create or open to close (MS-PPGRH 3.1.4.1, 3.1.4.2, 3.1.4.12). */
#include "base/text.h"
#include "graph/parts.h"

#include <string.h>

#define GRAPH_TIMERS 12u

/* ------------------------------------------------------------------------------------------------------------- making */

static void graph_free(struct graph *graph)
{
    struct engine *engine = graph->engine;
    peer__timer_cancel(&engine->timers, &graph->expiry);
    peer__timer_cancel(&engine->timers, &graph->relief);
    peer__timer_cancel(&engine->timers, &graph->room);
    peer__timer_cancel(&engine->timers, &graph->deferred_timer);
    peer__timer_cancel(&engine->timers, &graph->dialler.retry);
    peer__timer_cancel(&engine->timers, &graph->dialler.maintenance);
    peer__timer_cancel(&engine->timers, &graph->upkeep.signature_timer);
    peer__timer_cancel(&engine->timers, &graph->upkeep.contact_timer);
    peer__timer_cancel(&engine->timers, &graph->upkeep.partition_timer);
    peer__timer_cancel(&engine->timers, &graph->upkeep.presence_timer);
    peer__timer_cancel(&engine->timers, &graph->upkeep.refresh);
    peer__timer_cancel(&engine->timers, &graph->upkeep.autorefresh);
    peer__deferred_list_free(graph->deferred);
    peer__free(graph->rejections);
    peer__timers_release(&engine->timers, GRAPH_TIMERS);
    list_remove(&graph->in_engine);
    if (graph->store != NULL)
        graph->store->operations->close(graph->store);
    for (size_t i = 0; i < graph->effects.count; i++)
        peer__record_release(graph->effects.items[i].record);
    peer__free(graph->effects.items);
    peer__journal_free(&graph->journal);
    peer__roster_free(&graph->upkeep.contacts);
    peer__roster_free(&graph->upkeep.present);
    peer__free(graph->upkeep.attributes);
    peer__record_release(graph->info_record);
    peer__buffer_free(&graph->graph_id_wire);
    peer__buffer_free(&graph->peer_id_wire);
    peer__buffer_free(&graph->shortage.creator_id);
    peer__free(graph->graph_id);
    peer__free(graph->peer_id);
    peer__free(graph->database_name);
    peer__free(graph->precedence);
    peer__free(graph);
}

static peer_status name_graph(struct graph *graph, const char *graph_id, const char *peer_id, const char *database_name)
{
    graph->graph_id = peer__strdup(graph_id);
    graph->peer_id = peer__strdup(peer_id);
    graph->database_name = peer__strdup(database_name);
    if (graph->graph_id == NULL || graph->peer_id == NULL || graph->database_name == NULL)
        return peer__out_of_memory();
    if (peer__utf16_append(&graph->graph_id_wire, graph_id) < 0 ||
        peer__utf16_append(&graph->peer_id_wire, peer_id) < 0)
        return peer__fail(E_INVALIDARG, "graph id or peer id is not well-formed UTF-8");
    return graph->graph_id_wire.failed || graph->peer_id_wire.failed ? peer__out_of_memory() : PEER_OK;
}

/* A random 64-bit number, new at every create and open (1.1); 0 means "this node" in the API. */
static peer_status draw_node_id(struct graph *graph)
{
    const struct random *random = &graph->engine->config.random;
    while (graph->node_id == 0)
        PEER_TRY(random->fill(random->self, &graph->node_id, sizeof(graph->node_id)));
    return PEER_OK;
}

static void init_timers(struct graph *graph)
{
    peer__timer_init(&graph->expiry, peer__graph_expiry_fire);
    peer__timer_init(&graph->relief, peer__graph_relieve);
    peer__timer_init(&graph->room, peer__graph_room_fire);
    peer__timer_init(&graph->deferred_timer, peer__graph_deferred_fire);
    peer__timer_init(&graph->dialler.retry, peer__graph_retry);
    peer__timer_init(&graph->dialler.maintenance, peer__graph_maintain_by_timer);
    peer__timer_init(&graph->upkeep.signature_timer, peer__graph_signature_fire);
    peer__timer_init(&graph->upkeep.contact_timer, peer__graph_contact_fire);
    peer__timer_init(&graph->upkeep.partition_timer, peer__graph_partition_fire);
    peer__timer_init(&graph->upkeep.presence_timer, peer__graph_presence_fire);
    peer__timer_init(&graph->upkeep.refresh, peer__graph_refresh_fire);
    peer__timer_init(&graph->upkeep.autorefresh, peer__graph_autorefresh_fire);
    graph->upkeep.own_contact.half_life = 1;
}

static peer_status graph_make(struct engine *engine, const char *graph_id, const char *peer_id,
                              const char *database_name, uint32_t options, struct graph **graph_out)
{
    PEER_TRY(peer__timers_reserve(&engine->timers, GRAPH_TIMERS));
    struct graph *graph = peer__calloc(1, sizeof(*graph));
    if (graph == NULL) {
        peer__timers_release(&engine->timers, GRAPH_TIMERS);
        return peer__out_of_memory();
    }
    graph->engine = engine;
    graph->record_size_max = RECORD_SIZE_MAX;
    peer__graph_set_limits(graph, &(struct graph_limits){0});
    graph->dialler.manual = (options & PEER_GRAPH_OPTION_MANUAL) != 0;
    if ((options & PEER_GRAPH_OPTION_JUDGE) != 0)
        peer__graph_let_application_judge(graph);
    graph->started_us = peer__engine_now_us(engine);
    graph->time_confirmed_us = -1;
    graph->clock_offset_us = peer__engine_clock_offset_us(engine);
    list_init(&graph->in_engine);
    list_init(&graph->links);
    list_init(&graph->subscriptions);
    init_timers(graph);
    peer_status status = peer__journal_create(&graph->journal);
    if (status >= 0)
        status = name_graph(graph, graph_id, peer_id, database_name);
    if (status >= 0)
        status = draw_node_id(graph);
    if (status < 0) {
        graph_free(graph);
        return status;
    }
    *graph_out = graph;
    return PEER_OK;
}

/* Into the engine's list, with timers on their way: from here on the graph lives. */
static void graph_begin(struct graph *graph)
{
    list_append(&graph->engine->graphs, &graph->in_engine);
    (void)peer__graph_has_room(graph);
    graph->status_told = peer__graph_status(graph);
    graph->expired_through = peer__graph_now(graph); /* what expired while we were away is no news */
    peer__graph_expiry_now(graph);
}

static int is_open(const struct engine *engine, const char *graph_id, const char *peer_id, const char *database_name)
{
    LIST_FOR (node, following, &engine->graphs) {
        const struct graph *graph = CONTAINER_OF(node, struct graph, in_engine);
        if (strcmp(graph->graph_id, graph_id) == 0 && (peer_id == NULL || strcmp(graph->peer_id, peer_id) == 0) &&
            (database_name == NULL || strcmp(graph->database_name, database_name) == 0))
            return 1;
    }
    return 0;
}

static uint32_t store_flags(uint32_t options)
{
    return (options & PEER_GRAPH_OPTION_DURABLE) != 0 ? STORE_DURABLE : 0;
}

/* ------------------------------------------------------------------------------------------------------------- create */

static peer_status create_in_store(struct graph *graph, const peer_graph_properties_view *properties, uint32_t options)
{
    int is_new;
    const struct store_factory *stores = &graph->engine->config.stores;
    PEER_TRY(peer__graph_require_room(graph));
    PEER_TRY(stores->open(stores->self, graph->graph_id, graph->peer_id, graph->database_name,
                          STORE_CREATE | store_flags(options), &is_new, &graph->store));
    graph->ready = 1; /* D-20: the creator is synchronized by nature */
    graph->was_created = 1;
    peer__graph_note_time(graph);
    peer_status status = peer__graph_make_searchable(graph);
    if (status >= 0)
        status = peer__setting_put_u64(graph->store, "ready", 1);
    if (status >= 0)
        status = peer__graph_publish_info(graph, properties);
    if (status >= 0)
        status = peer__graph_commit(graph);
    if (status < 0) { /* nothing is left behind */
        graph->store->operations->rollback(graph->store);
        graph->store->operations->close(graph->store);
        graph->store = NULL;
        (void)stores->remove(stores->self, graph->graph_id, graph->peer_id, graph->database_name);
    }
    return status;
}

peer_status peer__graph_create(struct engine *engine, const peer_graph_properties_view *properties,
                               const char *database_name, uint32_t options, struct graph **graph_out)
{
    struct graph *graph;
    if (is_open(engine, properties->graph_id, NULL, NULL))
        return peer__fail(PEER_E_DUPLICATE_GRAPH, "graph \"%s\" is open already", properties->graph_id);
    PEER_TRY(graph_make(engine, properties->graph_id, properties->creator_id, database_name, options, &graph));
    peer_status status = create_in_store(graph, properties, options);
    if (status < 0) {
        graph_free(graph);
        return status;
    }
    graph_begin(graph);
    *graph_out = graph;
    return PEER_OK;
}

/* --------------------------------------------------------------------------------------------------------------- open */

static int collect_id(void *context, const struct store_row *row)
{
    peer__buffer_guid(context, &row->id);
    return ((struct buffer *)context)->failed;
}

static peer_status remove_type(struct graph *graph, const peer_guid *type)
{
    struct store *store = graph->store;
    const struct store_scan scan = {.type = type, .seq_max = UINT64_MAX};
    struct store_position position = {0};
    struct buffer ids = {0};
    int end = 0;
    peer_status status = PEER_OK;
    while (status >= 0 && !end && !ids.failed)
        status = store->operations->scan(store, &scan, &position, 0, SIZE_MAX, collect_id, &ids, &end);
    if (status >= 0 && ids.failed)
        status = peer__out_of_memory();
    for (size_t i = 0; i < ids.size / sizeof(peer_guid) && status >= 0; i++)
        status = store->operations->remove(store, &((const peer_guid *)(const void *)ids.data)[i]);
    peer__buffer_free(&ids);
    return status;
}

/* 3.1.4.2: a persisted database is loaded without what only described those who were there. */
static peer_status load(struct graph *graph)
{
    struct held info;
    uint64_t ready;
    PEER_TRY(remove_type(graph, &peer__type_presence));
    PEER_TRY(remove_type(graph, &peer__type_signature));
    PEER_TRY(remove_type(graph, &peer__type_contact));
    PEER_TRY(graph->store->operations->commit(graph->store));
    PEER_TRY(peer__graph_make_searchable(graph));
    PEER_TRY(peer__setting_get_u64(graph->store, "ready", &ready));
    PEER_TRY(peer__graph_load_time(graph));
    PEER_TRY(peer__setting_get_u64(graph->store, "left", &graph->left));
    PEER_TRY(graph->store->operations->last_seq(graph->store, &graph->last_seq));
    PEER_TRY(peer__address_book_load(&graph->dialler.book, graph->store));
    PEER_TRY(peer__graph_load_autorefresh(graph));
    graph->journal.first = graph->last_seq + 1;
    graph->journal.last = graph->last_seq;
    PEER_TRY(peer__graph_find(graph, &peer__id_graph_info, &info));
    if (info.found)
        peer__graph_take_info(graph, info.record, 0);
    peer__record_release(info.record);
    graph->ready = ready != 0 && graph->info_record != NULL;
    return PEER_OK;
}

static peer_status copy_precedence(struct graph *graph, uint32_t count, const peer_guid *precedence)
{
    if (count == 0)
        return PEER_OK;
    graph->precedence = peer__calloc(count, sizeof(*precedence));
    if (graph->precedence == NULL)
        return peer__out_of_memory();
    memcpy(graph->precedence, precedence, count * sizeof(*precedence));
    graph->precedence_count = count;
    return PEER_OK;
}

static peer_status open_in_store(struct graph *graph, uint32_t options)
{
    int is_new;
    const struct store_factory *stores = &graph->engine->config.stores;
    PEER_TRY(stores->open(stores->self, graph->graph_id, graph->peer_id, graph->database_name, store_flags(options),
                          &is_new, &graph->store));
    return load(graph);
}

peer_status peer__graph_open(struct engine *engine, const char *graph_id, const char *peer_id,
                             const char *database_name, uint32_t options, uint32_t precedence_count,
                             const peer_guid *precedence, struct graph **graph_out)
{
    struct graph *graph;
    if (is_open(engine, graph_id, peer_id, database_name))
        return peer__fail(PEER_E_DUPLICATE_GRAPH, "\"%s\" is open as \"%s\" already", graph_id, peer_id);
    if (is_open(engine, graph_id, peer_id, NULL))
        return peer__fail(PEER_E_DBNAME_CHANGED, "\"%s\" is open as \"%s\" with another database than \"%s\"", graph_id,
                          peer_id, database_name);
    PEER_TRY(graph_make(engine, graph_id, peer_id, database_name, options, &graph));
    peer_status status = copy_precedence(graph, precedence_count, precedence);
    if (status >= 0)
        status = open_in_store(graph, options);
    if (status == PEER_E_DISK_FULL && peer__engine_make_room(engine)) { /* what is there can be read and deleted */
        if (graph->store != NULL)
            graph->store->operations->close(graph->store);
        graph->store = NULL;
        status = open_in_store(graph, options);
    }
    if (status < 0) {
        graph_free(graph);
        return status;
    }
    graph_begin(graph);
    *graph_out = graph;
    return graph->ready ? PEER_OK : PEER_S_GRAPH_DATA_CREATED;
}

peer_status peer__graph_delete_data(struct engine *engine, const char *graph_id, const char *peer_id,
                                    const char *database_name)
{
    const struct store_factory *stores = &engine->config.stores;
    if (is_open(engine, graph_id, peer_id, database_name))
        return peer__fail(PEER_E_GRAPH_IN_USE, "\"%s\" is open as \"%s\"; close it first", graph_id, peer_id);
    return stores->remove(stores->self, graph_id, peer_id, database_name);
}

/* -------------------------------------------------------------------------------------------------------------- close */

static void say_goodbye(struct graph *graph)
{
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (link->state == LINK_CONNECTED)
            peer__link_say_disconnect(link, DISCONNECT_LEAVING);
        peer__link_end(link, PEER_E_GRAPH_SHUTTING_DOWN, "the graph is being closed");
    }
}

struct store *peer__graph_end(struct graph *graph, peer_status reason, const char *message)
{
    struct engine *engine = graph->engine;
    peer__engine_enter(engine);
    graph->dialler.online = 0;
    peer__graph_import_drop(graph, PEER_E_GRAPH_SHUTTING_DOWN);
    (void)peer__graph_commit(graph);
    peer__graph_withdraw_all(graph);
    (void)peer__graph_note_presence(graph, 1);
    peer__graph_save_book(graph);
    (void)graph->store->operations->commit(graph->store);
    peer__graph_unlisten(graph);
    say_goodbye(graph);
    (void)graph->store->operations->commit(graph->store);
    LIST_FOR (node, following, &graph->subscriptions) {
        struct event_queue *queue = CONTAINER_OF(node, struct event_queue, subscription);
        peer__event_queue_close(queue, reason, message);
        peer__graph_unsubscribe(graph, queue);
    }
    peer__engine_leave(engine); /* frees the links that have ended; none of them knows the graph any more */
    struct store *store = graph->store;
    graph->store = NULL;
    graph_free(graph);
    return store;
}

void peer__graph_close(struct graph *graph, peer_status reason, const char *message)
{
    struct store *store = peer__graph_end(graph, reason, message);
    store->operations->close(store);
}

/* ------------------------------------------------------------------------------------------------------------ queries */

peer_status peer__graph_require_ready(const struct graph *graph)
{
    if (graph->ready)
        return PEER_OK;
    return peer__fail(PEER_E_GRAPH_NOT_READY, "graph \"%s\" was never synchronized; connect to a node that has it",
                      graph->graph_id);
}
