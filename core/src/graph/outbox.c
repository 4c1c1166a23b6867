/*
 * What a neighbour is owed is a place in the order of arrival and a place in the store, not a queue of bytes
 * (decisions.md 7): records are read when the transport has room, in the version that is current then.
 */
#include "graph/state.h"

#define ROWS_A_TURN 64u
#define ACKS_A_MESSAGE 1024u

int peer__link_has_room(const struct link *link)
{
    const struct transport *transport = &link->engine->config.transport;
    return link->state == LINK_CONNECTED && !link->broken &&
           transport->queued(transport->self, link->connection) < TRANSPORT_HIGH_WATER;
}

static void send_flood(struct link *link, struct span wire)
{
    peer__encode_flood(&link->engine->message, wire);
    peer__link_send(link);
}

static void send_acks(struct link *link)
{
    const struct wire_ack_entry *entries = (const struct wire_ack_entry *)(const void *)link->acks.data;
    size_t left = link->acks.size / sizeof(*entries);
    while (left > 0 && link->state == LINK_CONNECTED) {
        size_t count = left < ACKS_A_MESSAGE ? left : ACKS_A_MESSAGE;
        peer__encode_ack(&link->engine->message, entries, count);
        peer__link_send(link);
        entries += count;
        left -= count;
    }
    peer__buffer_clear(&link->acks);
}

static int send_row(void *context, const struct store_row *row)
{
    struct link *link = context;
    if (!peer__time_is_expired(link->graph, &row->type, row->expires)) /* 1.3.5.2: expired ones are never sent */
        send_flood(link, row->wire);
    return !peer__link_has_room(link);
}

/* ------------------------------------------------------------------------------------------------------------ flooding */

static int flood_from_journal(struct link *link, const struct journal_entry *entry)
{
    link->next_seq++;
    if (entry->source == link->connection_id) /* 12: every neighbour except the one it came from */
        return 1;
    const struct record_fields *fields = &entry->record->fields;
    if (!peer__time_is_expired(link->graph, &fields->type, fields->expires))
        send_flood(link, (struct span){entry->record->wire, entry->record->wire_size});
    return 1;
}

/* A neighbour that lags behind what the journal keeps is served from the store. */
static peer_status flood_from_store(struct link *link)
{
    struct graph *graph = link->graph;
    struct store_scan scan = {.seq_max = graph->journal.first - 1};
    struct store_position position = {.seq = link->next_seq - 1, .started = 1};
    int end = 0;
    PEER_TRY(graph->store->operations->scan(graph->store, &scan, &position, 1, ROWS_A_TURN, send_row, link, &end));
    link->next_seq = end ? graph->journal.first : position.seq + 1;
    return PEER_OK;
}

static peer_status pump_flood(struct link *link)
{
    while (link->next_seq <= link->graph->last_seq && peer__link_has_room(link)) {
        const struct journal_entry *entry = peer__journal_find(&link->graph->journal, link->next_seq);
        if (entry != NULL)
            flood_from_journal(link, entry);
        else
            PEER_TRY(flood_from_store(link));
    }
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------------------- answers */

void peer__link_answer_free(struct answer *answer)
{
    peer__free(answer->excluded);
    peer__buffer_free(&answer->ids);
    *answer = (struct answer){.kind = ANSWER_NONE};
}

static void end_answer(struct link *link)
{
    int says_end = link->answer.kind != ANSWER_PUSH;
    peer__link_answer_free(&link->answer);
    if (!says_end)
        return;
    link->answered = SYNC_NONE;
    peer__encode_sync_end(&link->engine->message);
    peer__link_send(link);
}

static int is_excluded(const struct answer *answer, const peer_guid *type)
{
    for (size_t i = 0; i < answer->excluded_count; i++) {
        if (peer__guid_equal(&answer->excluded[i], type))
            return 1;
    }
    return 0;
}

static int answer_row(void *context, const struct store_row *row)
{
    struct link *link = context;
    return is_excluded(&link->answer, &row->type) ? 0 : send_row(link, row);
}

static peer_status answer_scan(struct link *link)
{
    struct graph *graph = link->graph;
    struct answer *answer = &link->answer;
    struct store_scan scan = {.type = answer->has_type ? &answer->type : NULL,
                              .by_modified = answer->by_modified,
                              .since = answer->since,
                              .seq_max = answer->seq_max};
    int end = 0;
    PEER_TRY(graph->store->operations->scan(graph->store, &scan, &answer->position, 1, ROWS_A_TURN, answer_row, link,
                                            &end));
    if (end)
        end_answer(link);
    return PEER_OK;
}

static peer_status answer_ids(struct link *link)
{
    struct answer *answer = &link->answer;
    const struct wire_abstract *wanted = (const void *)answer->ids.data;
    size_t count = answer->ids.size / sizeof(*wanted);
    for (; answer->ids_at < count; answer->ids_at++) {
        if (!peer__link_has_room(link))
            return PEER_OK;
        peer_status status = link->graph->store->operations->get(
            link->graph->store, &wanted[answer->ids_at].record_id, 1, send_row, link);
        if (status < 0 && status != PEER_E_RECORD_NOT_FOUND) /* what is no longer held is skipped */
            return status;
    }
    end_answer(link);
    return PEER_OK;
}

static peer_status pump_answer(struct link *link)
{
    while (link->answer.kind != ANSWER_NONE && peer__link_has_room(link))
        PEER_TRY(link->answer.kind == ANSWER_SCAN ? answer_scan(link) : answer_ids(link));
    return PEER_OK;
}

/* Live changes go first, so that they arrive in between a long synchronization. */
void peer__link_pump(struct link *link)
{
    if (!peer__link_is_neighbour(link))
        return;
    if (link->acks.failed) {
        peer__link_out_of_memory(link);
        return;
    }
    send_acks(link);
    peer_status status = pump_flood(link);
    if (status >= 0 && link->state == LINK_CONNECTED)
        status = pump_answer(link);
    if (status < 0)
        peer__link_end(link, status, "records for \"%s\" could not be read: %s", link->address_text,
                       peer__last_error());
}

void peer__graph_pump(struct graph *graph)
{
    LIST_FOR(node, following, &graph->links)
        peer__link_pump(CONTAINER_OF(node, struct link, in_graph));
}
