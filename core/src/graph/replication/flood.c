/* Flooding (MS-PPGRH 1.3.5.3, 3.1.5.2.10, 3.1.7.27, 3.1.7.32, 3.1.7.33; spec parts 6.8, 6.9, 12). */
#include "base/text.h"
#include "graph/parts.h"

#include <string.h>

enum verdict { RECORD_INVALID, RECORD_REFUSED, RECORD_DEFERRED, RECORD_NEWER, RECORD_SAME, RECORD_OLDER };

/** Where a record comes from. */
struct source {
    struct link *link; /* NULL: it was deferred, and is judged now */
    uint64_t connection_id;
};

/* 6.8 rules 5 and 8, and D-11: what the graph decides. */
static int is_acceptable(const struct graph *graph, const struct record_fields *fields)
{
    struct span graph_id = {graph->graph_id_wire.data, graph->graph_id_wire.size};
    if (!peer__span_equal(fields->graph_id, graph_id))
        return 0;
    if (peer__record_counted_size(fields) > graph->record_size_max ||
        fields->security_data.size > SECURITY_DATA_SIZE_MAX)
        return 0;
    return fields->expires > peer__graph_now(graph) || peer__guid_equal(&fields->type, &peer__type_graph_info);
}

/* A failure is one of ours: the record was not judged, and may not be dropped as if it were invalid. */
static peer_status check_attributes(const struct graph *graph, struct span attributes, int *valid_out)
{
    *valid_out = 1;
    if (attributes.size == 0)
        return PEER_OK;
    char *text = peer__utf8_from_utf16(attributes);
    if (text == NULL)
        return peer__out_of_memory();
    peer_status status = graph->engine->config.schema.check_attributes(text, strlen(text));
    peer__free(text);
    *valid_out = status != PEER_E_INVALID_ATTRIBUTES;
    return *valid_out ? status : PEER_OK;
}

/* The graph's information must be readable and about this graph, or nobody could use what is stored. */
static int is_readable_info(const struct graph *graph, const struct record_fields *fields)
{
    struct graph_info info;
    if (!peer__guid_equal(&fields->type, &peer__type_graph_info))
        return 1;
    if (!peer__guid_equal(&fields->id, &peer__id_graph_info))
        return 0;
    if ((fields->flags & RECORD_FLAG_DELETED) != 0) /* with it nobody could join or come back any more */
        return 0;
    if (peer__graph_info_decode(fields->payload, &info) < 0)
        return 0;
    return peer__span_equal(info.graph_id, (struct span){graph->graph_id_wire.data, graph->graph_id_wire.size});
}

int32_t peer__graph_change_of(const struct graph *graph, const struct record_fields *fields, const struct held *held)
{
    int was_there = held->found && !peer__record_is_hidden(graph, &held->record->fields);
    if ((fields->flags & RECORD_FLAG_DELETED) != 0)
        return was_there ? PEER_RECORD_DELETED : 0;
    return was_there ? PEER_RECORD_UPDATED : PEER_RECORD_ADDED;
}

/* decisions.md 10: a losing copy lives longer than the tombstone that we published, so it would come back when that
 * expires: the tombstone's life is raised. */
static peer_status raise_tombstone(struct graph *graph, const struct record_fields *held, uint64_t expires)
{
    struct record_fields fields = *held;
    struct span self = {graph->peer_id_wire.data, graph->peer_id_wire.size};
    uint64_t now = peer__graph_now(graph);
    struct record *record;
    if ((held->flags & RECORD_FLAG_DELETED) == 0 || held->expires >= expires || held->version == UINT32_MAX ||
        !peer__span_equal(held->modifier_id, self))
        return PEER_OK;
    fields.version++;
    fields.modified = now > held->modified ? now : held->modified + 1;
    fields.expires = expires;
    if (fields.expires <= fields.modified)
        return PEER_OK;
    PEER_TRY(peer__record_encode(&fields, &record));
    peer_status status = peer__graph_put(graph, record, 0, 0);
    peer__record_release(record);
    return status;
}

/* PEER_E_DATABASE_FULL: the disk or the database has no room for it. */
static peer_status check_room(struct graph *graph, const struct record *record, const struct record *held)
{
    if (!peer__graph_has_room(graph))
        return PEER_E_DATABASE_FULL;
    peer_status status = peer__graph_check_limits(graph, record, held);
    if (status == PEER_E_DATABASE_FULL)
        peer__graph_note_shortage(graph, record);
    return status;
}

/* The graph's own records keep the graph alive; whoever else may judge them, the application does not. The deletion of what
 * is not here changes nothing yet, but would keep out what is still to come. */
static peer_status validate(struct graph *graph, struct record *record, int32_t change, const struct source *from,
                            enum verdict *verdict_out)
{
    const struct security *security = &graph->security;
    int rejected;
    int taken;
    if (change == 0)
        change = PEER_RECORD_DELETED;
    if (security->validate == NULL || from->link == NULL || peer__type_is_reserved(&record->fields.type))
        return PEER_OK;
    PEER_TRY(peer__graph_has_rejected(graph, record, &rejected));
    if (rejected) {
        *verdict_out = RECORD_INVALID;
        return PEER_OK;
    }
    peer_status status = security->validate(security->self, record, change);
    if (status == PEER_E_INVALID_RECORD) {
        *verdict_out = RECORD_INVALID;
        return PEER_OK;
    }
    if (status != PEER_E_DEFERRED_VALIDATION)
        return status;
    PEER_TRY(peer__graph_defer(from->link, record, change, &taken));
    *verdict_out = taken ? RECORD_DEFERRED : RECORD_REFUSED;
    return PEER_OK;
}

static peer_status take_newer(struct graph *graph, struct record *record, const struct held *held,
                              const struct source *from, enum verdict *verdict_out)
{
    int32_t change = peer__graph_change_of(graph, &record->fields, held);
    PEER_TRY(validate(graph, record, change, from, verdict_out));
    if (*verdict_out != RECORD_NEWER)
        return PEER_OK;
    peer_status status = check_room(graph, record, held->record);
    if (status == PEER_E_DATABASE_FULL) {
        *verdict_out = RECORD_REFUSED;
        return PEER_OK;
    }
    PEER_TRY(status);
    return peer__graph_put(graph, record, change, from->connection_id);
}

/* Type, creator and creation time of a record never change (3.1.7.8); a copy in which they differ would break that for
 * the application, but 6.9 must stay total: all nodes hold the same winner. So it is taken, and told as it stands. */
static peer_status classify(struct graph *graph, struct record *record, const struct source *from,
                            enum verdict *verdict_out)
{
    struct held held;
    PEER_TRY(peer__graph_find(graph, &record->fields.id, &held));
    int order = held.found ? peer__record_compare(&record->fields, &held.record->fields) : 1;
    peer_status status = PEER_OK;
    *verdict_out = order > 0 ? RECORD_NEWER : order == 0 ? RECORD_SAME : RECORD_OLDER;
    if (order > 0)
        status = take_newer(graph, record, &held, from, verdict_out);
    else if (order < 0 && peer__graph_has_room(graph))
        status = raise_tombstone(graph, &held.record->fields, record->fields.expires);
    peer__record_release(held.record);
    return status;
}

peer_status peer__graph_check_received(const struct graph *graph, const struct record_fields *fields, int *valid_out)
{
    *valid_out = 0;
    peer_status status = peer__record_check(fields, &graph->engine->config.crypto);
    if (status == PEER_E_INVALID_RECORD)
        return PEER_OK;
    PEER_TRY(status);
    if (!is_acceptable(graph, fields) || !is_readable_info(graph, fields))
        return PEER_OK;
    return check_attributes(graph, fields->attributes, valid_out);
}

static peer_status judge(struct graph *graph, struct record *record, const struct source *from,
                         enum verdict *verdict_out)
{
    int valid;
    *verdict_out = RECORD_INVALID;
    PEER_TRY(peer__graph_check_received(graph, &record->fields, &valid));
    return !valid ? PEER_OK : classify(graph, record, from, verdict_out);
}

static void count_usefulness(struct link *link, int useful) /* 3.1.7.33 */
{
    link->utility = link->utility * 31 / 32 + (useful ? 128 : 0);
}

static peer_status acknowledge(struct graph *graph, const struct record *record, uint64_t connection_id,
                               enum verdict verdict)
{
    struct effect effect = {.kind = EFFECT_ACK,
                            .connection_id = connection_id,
                            .record_id = record->fields.id,
                            .useful = verdict == RECORD_NEWER};
    PEER_TRY(peer__graph_add_effect(graph, &effect));
    if (verdict != RECORD_OLDER)
        return PEER_OK;
    effect.kind = EFFECT_ANSWER;
    return peer__graph_add_effect(graph, &effect);
}

static peer_status take_record(struct link *from, struct record *record)
{
    struct graph *graph = from->graph;
    enum verdict verdict;
    PEER_TRY(judge(graph, record, &(struct source){from, from->connection_id}, &verdict));
    if (verdict == RECORD_INVALID || verdict == RECORD_DEFERRED) /* 6.8: without a word, the connection stays */
        return PEER_OK;
    if (verdict == RECORD_REFUSED) { /* not acknowledged: it comes again when there is room (decisions.md 1, 6) */
        peer__link_note_refused(from);
        return PEER_OK;
    }
    count_usefulness(from, verdict == RECORD_NEWER);
    return acknowledge(graph, record, from->connection_id, verdict);
}

peer_status peer__graph_take_judged(struct graph *graph, struct record *record, uint64_t connection_id)
{
    enum verdict verdict;
    struct link *link = peer__graph_find_link(graph, connection_id);
    PEER_TRY(judge(graph, record, &(struct source){NULL, connection_id}, &verdict));
    if (verdict == RECORD_INVALID) /* it has expired while it waited, say */
        return PEER_OK;
    if (verdict == RECORD_REFUSED)
        return peer__fail(PEER_E_DATABASE_FULL, "there is no room for the record");
    if (link != NULL)
        count_usefulness(link, verdict == RECORD_NEWER);
    return acknowledge(graph, record, connection_id, verdict);
}

void peer__link_on_flood(struct link *link, const struct wire_flood *message)
{
    struct record *record;
    peer_status status = peer__record_decode(message->record, &record);
    if (status == PEER_E_INVALID_RECORD)
        return; /* 6.8 rule 1 */
    if (status >= 0) {
        status = take_record(link, record);
        peer__record_release(record);
    }
    if (status < 0) {
        /* The transaction is as it was before this record or broken altogether; either way what it holds so far must
         * be settled before the link goes. */
        char reason[256];
        strncpy(reason, peer__last_error(), sizeof(reason) - 1);
        reason[sizeof(reason) - 1] = '\0';
        if (status == PEER_E_DISK_FULL)
            peer__graph_set_storage_full(link->graph, STORAGE_DISK, 1);
        (void)peer__graph_commit(link->graph);
        peer__link_note_refused(link);
        peer__link_end(link, status, "a record from \"%s\" could not be stored: %s", link->address_text, reason);
    }
}

void peer__link_on_ack(struct link *link, const struct wire_ack *message)
{
    for (size_t i = 0; i < message->count; i++) {
        struct wire_ack_entry entry;
        peer__wire_ack_entry(message, i, &entry);
        count_usefulness(link, entry.useful);
    }
}
