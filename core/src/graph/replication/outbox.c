/*
 * What a neighbour is owed is a place in the order of arrival and a place in the store, not a queue of bytes
 * (decisions.md 7): records are read when the transport has room, in the version that is current then.
 */
#include "graph/parts.h"

#include <stdlib.h>

#define ROWS_A_TURN 64u
#define ROUNDS_A_TURN 8u
#define LOOKUPS_A_TURN 512u
#define ACKS_A_MESSAGE 1024u
/** Acknowledgements feed the utility of a connection (3.1.7.33) and nothing else: who does not read them, misses them. */
#define ACKS_MAX (64u * 1024)
#define OWED_TIDY_MIN 1024u
/** Ids that are put in order in one turn. */
#define OWED_MAX 16384u

int peer__link_has_room(const struct link *link)
{
    const struct transport *transport = &link->engine->config.transport;
    return link->state == LINK_CONNECTED && !link->broken &&
           transport->queued(transport->self, link->connection) <= TRANSPORT_HIGH_WATER;
}

static void send_flood(struct link *link, struct span wire)
{
    peer__encode_flood(&link->engine->message, wire);
    peer__link_send(link);
}

static void go_on_later(struct link *link)
{
    peer__engine_timer_set(link->engine, &link->step, 0);
}

void peer__link_acknowledge(struct link *link, const peer_guid *id, int useful)
{
    struct wire_ack_entry entry = {.record_id = *id, .useful = (uint8_t)useful};
    if (link->acks.size / sizeof(entry) < ACKS_MAX)
        peer__buffer_append(&link->acks, &entry, sizeof(entry));
}

static void send_acks(struct link *link)
{
    const struct wire_ack_entry *entries = (const struct wire_ack_entry *)(const void *)link->acks.data;
    size_t left = link->acks.size / sizeof(*entries);
    size_t sent = 0;
    while (left > 0 && peer__link_has_room(link)) {
        size_t count = left < ACKS_A_MESSAGE ? left : ACKS_A_MESSAGE;
        peer__encode_ack(&link->engine->message, entries + sent, count);
        peer__link_send(link);
        sent += count;
        left -= count;
    }
    peer__buffer_consume(&link->acks, sent * sizeof(*entries));
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

/* ---------------------------------------------------------------------------------------------------------- newer copies */

static int compare_guids(const void *a, const void *b)
{
    return peer__guid_compare(a, b);
}

/* Each id once: however often a neighbour sends an old copy, what it is owed is no more than the database. */
static void tidy_owed(struct owed *owed)
{
    peer__buffer_consume(&owed->ids, owed->at * sizeof(peer_guid));
    owed->at = 0;
    peer_guid *ids = (void *)owed->ids.data;
    size_t count = owed->ids.size / sizeof(*ids);
    size_t kept = count > 0;
    if (count > 1)
        qsort(ids, count, sizeof(*ids), compare_guids);
    for (size_t i = 1; i < count; i++) {
        if (!peer__guid_equal(&ids[i], &ids[kept - 1]))
            ids[kept++] = ids[i];
    }
    owed->ids.size = kept * sizeof(*ids);
    owed->tidy_at = kept > OWED_TIDY_MIN / 2 ? 2 * kept : OWED_TIDY_MIN;
    if (owed->tidy_at > OWED_MAX)
        owed->tidy_at = OWED_MAX;
}

void peer__link_owe(struct link *link, const peer_guid *id)
{
    struct owed *owed = &link->owed;
    if (owed->overflowed)
        return;
    peer__buffer_append(&owed->ids, id, sizeof(*id));
    if (owed->ids.size / sizeof(*id) >= owed->tidy_at)
        tidy_owed(owed);
    owed->overflowed = owed->ids.size / sizeof(*id) >= OWED_MAX;
}

/* Whoever was owed more than is kept in mind gets the rest by a comparison (decisions.md 7). */
static void compare_if_overflowed(struct link *link)
{
    if (!link->owed.overflowed || link->sync.type != SYNC_NONE || link->push.kind != ANSWER_NONE)
        return;
    link->owed.overflowed = 0;
    peer__sync_compare(link);
}

static peer_status send_record(struct link *link, const peer_guid *id)
{
    struct store *store = link->graph->store;
    peer_status status = store->operations->get(store, id, 1, send_row, link);
    return status == PEER_E_RECORD_NOT_FOUND ? PEER_OK : status; /* what is no longer held is skipped */
}

static peer_status pump_owed(struct link *link)
{
    struct owed *owed = &link->owed;
    if (!peer__link_has_room(link))
        return PEER_OK;
    if (owed->ids.size == 0) {
        compare_if_overflowed(link);
        return PEER_OK;
    }
    if (owed->at == 0)
        tidy_owed(owed);
    const peer_guid *ids = (const void *)owed->ids.data;
    size_t count = owed->ids.size / sizeof(*ids);
    for (size_t sent = 0; owed->at < count && peer__link_has_room(link); sent++) {
        if (sent == LOOKUPS_A_TURN) {
            go_on_later(link);
            return PEER_OK;
        }
        PEER_TRY(send_record(link, &ids[owed->at++]));
    }
    if (owed->at == count) {
        peer__buffer_free(&owed->ids);
        owed->at = 0;
        compare_if_overflowed(link);
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

static void end_answer(struct link *link, struct answer *answer)
{
    int says_end = answer->kind != ANSWER_PUSH;
    peer__link_answer_free(answer);
    if (!says_end) {
        peer__reconcile_pushed(link);
        return;
    }
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
    PEER_TRY(
        graph->store->operations->scan(graph->store, &scan, &answer->position, 1, ROWS_A_TURN, answer_row, link, &end));
    if (end)
        end_answer(link, answer);
    return PEER_OK;
}

static peer_status answer_ids(struct link *link, struct answer *answer)
{
    const struct wire_abstract *wanted = (const void *)answer->ids.data;
    size_t count = answer->ids.size / sizeof(*wanted);
    for (size_t i = 0; i < ROWS_A_TURN && answer->ids_at < count; i++) {
        if (!peer__link_has_room(link))
            return PEER_OK;
        PEER_TRY(send_record(link, &wanted[answer->ids_at++].record_id));
    }
    if (answer->ids_at == count)
        end_answer(link, answer);
    return PEER_OK;
}

/* A round may find nothing to send and still have looked at thousands of rows, so their number is what is bounded. */
static peer_status pump_answer(struct link *link, struct answer *answer)
{
    for (size_t round = 0; answer->kind != ANSWER_NONE && peer__link_has_room(link); round++) {
        if (round == ROUNDS_A_TURN) {
            go_on_later(link);
            break;
        }
        PEER_TRY(answer->kind == ANSWER_SCAN ? answer_scan(link) : answer_ids(link, answer));
    }
    return PEER_OK;
}

/* Live changes go first, so that they arrive in between a long synchronization. */
void peer__link_pump(struct link *link)
{
    if (!peer__link_is_neighbour(link))
        return;
    if (link->acks.failed || link->owed.ids.failed || link->push.ids.failed) {
        peer__link_out_of_memory(link);
        return;
    }
    send_acks(link);
    peer_status status = pump_flood(link);
    if (status >= 0 && link->state == LINK_CONNECTED)
        status = pump_owed(link);
    if (status >= 0 && link->state == LINK_CONNECTED)
        status = pump_answer(link, &link->answer);
    if (status >= 0 && link->state == LINK_CONNECTED)
        status = pump_answer(link, &link->push);
    if (status < 0)
        peer__link_end(link, status, "records for \"%s\" could not be read: %s", link->address_text,
                       peer__last_error());
}

void peer__graph_pump(struct graph *graph)
{
    LIST_FOR (node, following, &graph->links)
        peer__link_pump(CONTAINER_OF(node, struct link, in_graph));
}
