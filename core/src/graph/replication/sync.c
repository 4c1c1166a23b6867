/* Sync All and time-based synchronization (MS-PPGRH 3.1.7.29, 3.1.7.30, 3.1.5.2.5, 3.1.5.2.6, 3.1.5.2.11; spec 11.1 to 11.3). */
#include "graph/parts.h"

#include <string.h>

/* The types that are solicited one by one, before all others. */
static size_t stage_count(const struct graph *graph)
{
    return 2 + graph->precedence_count;
}

static const peer_guid *stage_type(const struct graph *graph, size_t stage)
{
    if (stage == 0)
        return &peer__type_graph_info;
    return stage == 1 ? &peer__type_presence : &graph->precedence[stage - 2];
}

/* ----------------------------------------------------------------------------------------------------------- initiator */

static void solicit(struct link *link)
{
    peer_guid types[2 + PRECEDENCE_MAX];
    const struct graph *graph = link->graph;
    struct sync *sync = &link->sync;
    size_t inclusion = sync->stage < stage_count(graph) ? 1 : 0;
    size_t exclusion = inclusion ? 0 : stage_count(graph);
    if (inclusion)
        types[0] = *stage_type(graph, sync->stage);
    for (size_t i = 0; i < exclusion; i++)
        types[i] = *stage_type(graph, i);
    if (sync->type == SYNC_NEW)
        peer__encode_solicit_new(&link->engine->message, inclusion, exclusion, types);
    else
        peer__encode_solicit_time(&link->engine->message, inclusion, exclusion, types, sync->since);
    peer__link_send(link);
}

void peer__sync_compare(struct link *link)
{
    if (peer__link_reconciles(link))
        peer__reconcile_start(link);
    else
        peer__sync_hash_start(link);
}

/* D-19: everything for a node that was never in the graph; what changed since it left and then a comparison for one that
 * comes back; a comparison alone for a further neighbour. */
void peer__sync_start(struct link *link)
{
    struct graph *graph = link->graph;
    struct sync *sync = &link->sync;
    if (graph->ready && graph->neighbour_count > 1) {
        peer__sync_compare(link);
        return;
    }
    sync->type = graph->ready ? SYNC_TIME : SYNC_NEW;
    sync->refused_before = graph->refused_count;
    sync->stage = 0;
    sync->then_compare = graph->ready;
    /* Clocks of a graph differ, and a record may have been under way when we left. */
    sync->since = peer__ticks_add(graph->left, -SYNC_MARGIN);
    solicit(link);
}

static void tell_synchronized(struct graph *graph, const peer_guid *type)
{
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_GRAPH_EVENT_SYNCHRONIZED,
                                               .record_type = *type});
}

static void become_ready(struct link *link)
{
    struct graph *graph = link->graph;
    if (graph->info_record == NULL) {
        peer__link_end(link, PEER_E_GRAPH_NOT_READY, "\"%s\" has no information about the graph itself",
                       link->address_text);
        return;
    }
    peer_status status = peer__setting_put_u64(graph->store, "ready", 1);
    if (status >= 0)
        status = peer__graph_commit(graph);
    if (status < 0) {
        peer__link_end(link, status, "that the graph is synchronized could not be stored: %s", peer__last_error());
        return;
    }
    graph->ready = 1;
    peer__graph_tell_status(graph);
    peer__graph_maintain(graph); /* it may have more than one neighbour from now on (14.4, 3) */
}

void peer__sync_finish(struct link *link)
{
    struct graph *graph = link->graph;
    if (peer__link_awaits_judgement(link))
        return;
    int then_compare = link->sync.then_compare;
    uint64_t refused_before = link->sync.refused_before;
    peer__sync_free(link);
    if (!graph->ready)
        become_ready(link);
    if (link->state != LINK_CONNECTED)
        return;
    if (then_compare) {
        peer__sync_compare(link);
        return;
    }
    peer__link_note_synchronized(link, refused_before);
    peer__graph_expiry_now(graph);
    (void)peer__graph_note_presence(graph, 1);
    (void)peer__graph_commit(graph);
}

static void on_stage_end(struct link *link)
{
    struct graph *graph = link->graph;
    int is_told = link->sync.stage >= 2 && link->sync.stage < stage_count(graph);
    if (is_told && peer__link_awaits_judgement(link)) /* SYNCHRONIZED never overtakes records (decisions.md 17) */
        return;
    size_t stage = link->sync.stage++; /* D-21: past the graph info too, which is asked for once */
    if (is_told)
        tell_synchronized(graph, stage_type(graph, stage));
    if (stage < stage_count(graph))
        solicit(link);
    else
        peer__sync_finish(link);
}

/* 11.4: FLOOD each of RecordsToSend. What an earlier synchronization left to send is not lost. */
void peer__sync_push(struct link *link)
{
    struct buffer *send = &link->sync.send;
    if (send->size == 0)
        return;
    if (link->push.kind == ANSWER_NONE) {
        link->push = (struct answer){.kind = ANSWER_PUSH, .ids = *send};
        *send = (struct buffer){0};
        return;
    }
    peer__buffer_append(&link->push.ids, send->data, send->size);
    peer__buffer_free(send);
}

void peer__sync_on_end(struct link *link)
{
    struct sync *sync = &link->sync;
    if (sync->type == SYNC_NEW || sync->type == SYNC_TIME) {
        on_stage_end(link);
        return;
    }
    if (sync->type == SYNC_RECONCILE) {
        peer__reconcile_on_end(link);
        return;
    }
    if (sync->type != SYNC_HASH || link->walk.kind != WALK_NONE)
        return; /* 5.12: ignored */
    peer__sync_push(link);
    sync->then_compare = 0;
    peer__sync_finish(link);
    peer__link_pump(link);
}

void peer__sync_free(struct link *link)
{
    peer__buffer_free(&link->sync.send);
    link->sync = (struct sync){.type = SYNC_NONE};
    link->deferral.gave_up = 0;
    peer__sync_walk_free(&link->walk);
    peer__asking_free(link);
}

/* ----------------------------------------------------------------------------------------------------------- responder */

static int copy_exclusions(struct answer *answer, const struct wire_solicit *message)
{
    answer->excluded = peer__calloc(message->exclusion_count, sizeof(*answer->excluded));
    if (answer->excluded == NULL)
        return 0;
    answer->excluded_count = message->exclusion_count;
    for (size_t i = 0; i < answer->excluded_count; i++)
        peer__wire_type(message, i, &answer->excluded[i]);
    return 1;
}

int peer__sync_is_answering(const struct link *link)
{
    return link->answer.kind != ANSWER_NONE || link->answer_walk.kind != WALK_NONE || link->answering != NULL;
}

void peer__sync_on_solicit(struct link *link, uint8_t type, const struct wire_solicit *message)
{
    struct answer *answer = &link->answer;
    if (peer__sync_is_answering(link)) {
        peer__link_violation(link, "a second SOLICIT before the first was answered");
        return;
    }
    *answer = (struct answer){.kind = ANSWER_SCAN,
                              .by_modified = type == MESSAGE_SOLICIT_TIME,
                              .since = type == MESSAGE_SOLICIT_TIME ? message->since : 0,
                              .seq_max = link->graph->last_seq}; /* what comes later is flooded anyway */
    if (message->inclusion_count > 0) {
        answer->has_type = 1;
        peer__wire_type(message, 0, &answer->type);
    } else if (message->exclusion_count > 0 && !copy_exclusions(answer, message)) {
        peer__link_out_of_memory(link);
        return;
    }
    peer__link_pump(link);
}
