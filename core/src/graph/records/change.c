/* What the application changes: add, update, delete, and several of them at once (MS-PPGRH 3.1.4.3 to 3.1.4.5). */
#include "base/text.h"
#include "graph/parts.h"

#include <string.h>

/* The texts of an input in their wire form. */
struct wire_texts {
    struct buffer creator;
    struct buffer modifier;
    struct buffer attributes;
};

static void texts_free(struct wire_texts *texts)
{
    peer__buffer_free(&texts->creator);
    peer__buffer_free(&texts->modifier);
    peer__buffer_free(&texts->attributes);
}

static struct span span_of(const struct buffer *buffer)
{
    return (struct span){buffer->data, buffer->size};
}

static peer_status text_to_wire(const char *text, const char *otherwise, struct buffer *out)
{
    if (text == NULL)
        text = otherwise;
    if (text == NULL || *text == '\0')
        return PEER_OK;
    if (peer__utf16_append(out, text) < 0)
        return peer__fail(E_INVALIDARG, "text is not well-formed UTF-8");
    return out->failed ? peer__out_of_memory() : PEER_OK;
}

/* -------------------------------------------------------------------------------------------- rules that content obeys */

static peer_status check_type(const peer_guid *type)
{
    if (!peer__type_is_reserved(type) && !peer__guid_is_zero(type))
        return PEER_OK;
    char text[37];
    peer__guid_format(type, text);
    if (peer__guid_is_zero(type))
        return peer__fail(E_INVALIDARG, "the record's type is missing");
    return peer__fail(PEER_E_NOT_AUTHORIZED, "record type %s is reserved for the graph itself", text);
}

static peer_status check_size(const struct graph *graph, const peer_record_view *input)
{
    size_t attributes = input->attributes != NULL ? peer__utf16_units(input->attributes) : 0;
    if (attributes == SIZE_MAX)
        return peer__fail(PEER_E_INVALID_ATTRIBUTES, "the attributes are not well-formed UTF-8");
    size_t attribute_bytes = attributes > 0 ? 2 * (attributes + 1) : 0;
    if (input->size > graph->record_size_max || attribute_bytes > graph->record_size_max - input->size)
        return peer__fail(PEER_E_MAX_RECORD_SIZE_EXCEEDED,
                          "%zu bytes of data and %zu of attributes are more than the graph's maximum of %u",
                          input->size, attribute_bytes, graph->record_size_max);
    if (input->security_data_size > SECURITY_DATA_SIZE_MAX)
        return peer__fail(PEER_E_INVALID_RECORD, "%zu bytes of security data are more than %u",
                          input->security_data_size, SECURITY_DATA_SIZE_MAX);
    return PEER_OK;
}

static peer_status check_content(const struct graph *graph, const peer_record_view *input)
{
    PEER_TRY(check_size(graph, input));
    if (input->attributes == NULL || *input->attributes == '\0')
        return PEER_OK;
    return graph->engine->config.schema.check_attributes(input->attributes, strlen(input->attributes));
}

static peer_status check_expiration(const struct graph *graph, const peer_record_view *input)
{
    if (peer__ticks_from_us(input->expires_us) > peer__graph_now(graph))
        return PEER_OK;
    char expires[TIME_TEXT_SIZE];
    char now[TIME_TEXT_SIZE];
    return peer__fail(PEER_E_INVALID_RECORD_EXPIRATION, "expiration %s is not later than now, %s of peer time",
                      peer__time_text(input->expires_us, expires),
                      peer__time_text(peer__us_from_ticks(peer__graph_now(graph)), now));
}

peer_status peer__graph_prepare_update(struct graph *graph, const peer_record_view *input)
{
    PEER_TRY(peer__graph_require_ready(graph));
    PEER_TRY(check_type(&input->type));
    return check_content(graph, input);
}

peer_status peer__graph_prepare_add(struct graph *graph, const peer_record_view *input, peer_guid *id_out)
{
    PEER_TRY(peer__graph_require_ready(graph));
    PEER_TRY(check_type(&input->type));
    PEER_TRY(check_expiration(graph, input));
    PEER_TRY(check_content(graph, input));

    uint8_t random[16];
    struct buffer creator = {0};
    const struct engine_config *config = &graph->engine->config;
    peer_status status = text_to_wire(input->creator_id, graph->peer_id, &creator);
    if (status >= 0)
        status = config->random.fill(config->random.self, random, sizeof(random));
    if (status >= 0)
        status = peer__record_id_make(&config->crypto, span_of(&creator), random, id_out);
    peer__buffer_free(&creator);
    return status;
}

/* ------------------------------------------------------------------------------------------------- carrying them out */

/* D-30: the autorefresh flag is the publisher's own business and does not travel. */
static peer_status put_within_limits(struct graph *graph, struct record *record, const struct record *held,
                                     int32_t change, uint32_t flags)
{
    flags &= (uint32_t)PEER_RECORD_FLAG_AUTOREFRESH;
    PEER_TRY(peer__graph_check_limits(graph, record, held));
    if (flags != 0)
        PEER_TRY(peer__graph_expect_autorefresh(graph));
    return peer__graph_put_flagged(graph, record, change, 0, flags);
}

/* 13.1 */
static peer_status add(struct graph *graph, const peer_record_view *input, const struct wire_texts *texts)
{
    uint64_t now = peer__graph_now(graph);
    struct record_fields fields = {.type = input->type,
                                   .id = input->id,
                                   .version = 1,
                                   .creator_id = span_of(&texts->creator),
                                   .security_data = {input->security_data, input->security_data_size},
                                   .created = now,
                                   .modified = now,
                                   .expires = peer__ticks_from_us(input->expires_us),
                                   .graph_id = span_of(&graph->graph_id_wire),
                                   .protocol_version = 0x0100,
                                   .payload = {input->data, input->size},
                                   .attributes = span_of(&texts->attributes)};
    struct record *record;
    PEER_TRY(check_expiration(graph, input)); /* again: a batch may have taken its time */
    PEER_TRY(peer__record_encode(&fields, &record));
    peer_status status = put_within_limits(graph, record, NULL, PEER_RECORD_ADDED, input->flags);
    peer__record_release(record);
    return status;
}

static peer_status not_found(const peer_guid *id)
{
    char text[37];
    peer__guid_format(id, text);
    return peer__fail(PEER_E_RECORD_NOT_FOUND, "there is no record %s", text);
}

static peer_status find_visible(struct graph *graph, const peer_guid *id, struct held *held_out)
{
    PEER_TRY(peer__graph_find(graph, id, held_out));
    if (held_out->found && !peer__record_is_hidden(graph, &held_out->record->fields))
        return PEER_OK;
    peer__record_release(held_out->record);
    return not_found(id);
}

/* 13.6: the next version of a record. The modification time is later than both times before it, so that a clock that
 * stands still or was stepped back does not make the record invalid (6.8 rule 9) or older than it is. */
static struct record_fields next_version(const struct graph *graph, const struct record_fields *held,
                                         const struct wire_texts *texts)
{
    struct record_fields fields = *held;
    uint64_t now = peer__graph_now(graph);
    fields.version = held->version + 1;
    fields.modified = now > held->modified ? now : held->modified + 1;
    fields.modifier_id = span_of(&texts->modifier);
    return fields;
}

static peer_status put_next(struct graph *graph, const struct record_fields *fields, const struct record *held,
                            int32_t change, uint32_t flags)
{
    struct record *record;
    if (fields->version == 0)
        return peer__fail(PEER_E_INVALID_RECORD, "the record has reached its last version");
    char expires[TIME_TEXT_SIZE];
    if (fields->expires <= fields->modified)
        return peer__fail(PEER_E_INVALID_RECORD_EXPIRATION,
                          "the record's expiration, %s, is not later than its modification",
                          peer__time_text(peer__us_from_ticks(fields->expires), expires));
    PEER_TRY(peer__record_encode(fields, &record));
    peer_status status = put_within_limits(graph, record, held, change, flags);
    peer__record_release(record);
    return status;
}

static peer_status update_held(struct graph *graph, const peer_record_view *input, const struct wire_texts *texts,
                               const struct record *held_record)
{
    const struct record_fields *held = &held_record->fields;
    int64_t held_expires_us = peer__us_from_ticks(held->expires);
    char expires[TIME_TEXT_SIZE];
    char before[TIME_TEXT_SIZE];
    if (!peer__guid_equal(&held->type, &input->type))
        return peer__fail(PEER_E_INVALID_RECORD, "the type of a record cannot be changed");
    if (input->expires_us != 0 && input->expires_us < held_expires_us)
        return peer__fail(PEER_E_INVALID_RECORD_EXPIRATION, "expiration %s is earlier than before, %s",
                          peer__time_text(input->expires_us, expires), peer__time_text(held_expires_us, before));
    struct record_fields fields = next_version(graph, held, texts);
    if (input->expires_us > held_expires_us) /* within the same microsecond it has not shrunk (design.md 3) */
        fields.expires = peer__ticks_from_us(input->expires_us);
    fields.payload = (struct span){input->data, input->size};
    fields.attributes = span_of(&texts->attributes);
    fields.security_data = (struct span){input->security_data, input->security_data_size};
    return put_next(graph, &fields, held_record, PEER_RECORD_UPDATED, input->flags);
}

static peer_status update(struct graph *graph, const peer_record_view *input, const struct wire_texts *texts)
{
    struct held held;
    PEER_TRY(find_visible(graph, &input->id, &held));
    peer_status status = update_held(graph, input, texts, held.record);
    peer__record_release(held.record);
    return status;
}

/* 13.7: a tombstone is a next version without payload and attributes. */
static peer_status delete_held(struct graph *graph, const peer_record_view *input, const struct wire_texts *texts,
                               const struct record *held_record)
{
    const struct record_fields *held = &held_record->fields;
    if (peer__type_is_reserved(&held->type))
        return peer__fail(PEER_E_NOT_AUTHORIZED, "the record is one of the graph's own and cannot be deleted");
    struct record_fields fields = next_version(graph, held, texts);
    fields.flags |= RECORD_FLAG_DELETED;
    fields.payload = fields.attributes = (struct span){NULL, 0};
    fields.security_data = (struct span){input->security_data, input->security_data_size};
    return put_next(graph, &fields, held_record, PEER_RECORD_DELETED, 0);
}

static peer_status delete_record(struct graph *graph, const peer_record_view *input, const struct wire_texts *texts)
{
    struct held held;
    PEER_TRY(find_visible(graph, &input->id, &held));
    peer_status status = delete_held(graph, input, texts, held.record);
    peer__record_release(held.record);
    return status;
}

static peer_status carry_out(struct graph *graph, const struct graph_change *change)
{
    struct wire_texts texts = {0};
    const char *modifier = change->kind == CHANGE_ADD ? NULL : change->input.modifier_id;
    peer_status status = text_to_wire(change->input.creator_id, graph->peer_id, &texts.creator);
    if (status >= 0)
        status = text_to_wire(modifier, graph->peer_id, &texts.modifier);
    if (status >= 0)
        status = text_to_wire(change->input.attributes, NULL, &texts.attributes);
    if (status >= 0) {
        switch (change->kind) {
        case CHANGE_ADD:
            status = add(graph, &change->input, &texts);
            break;
        case CHANGE_UPDATE:
            status = update(graph, &change->input, &texts);
            break;
        case CHANGE_DELETE:
            status = delete_record(graph, &change->input, &texts);
            break;
        }
    }
    texts_free(&texts);
    return status;
}

static int only_deletes(const struct graph_change *changes, size_t change_count)
{
    size_t count = 0;
    while (count < change_count && changes[count].kind == CHANGE_DELETE)
        count++;
    return count == change_count;
}

static peer_status carry_out_all(struct graph *graph, const struct graph_change *changes, size_t change_count)
{
    peer_status status = PEER_OK;
    for (size_t i = 0; i < change_count && status >= 0; i++)
        status = carry_out(graph, &changes[i]);
    if (status >= 0)
        return peer__graph_commit(graph);
    if (status == PEER_E_DISK_FULL)
        peer__graph_set_storage_full(graph, STORAGE_DISK, 1);
    peer__graph_drop_effects(graph);
    return status;
}

peer_status peer__graph_apply(struct graph *graph, const struct graph_change *changes, size_t change_count)
{
    int deletes = only_deletes(changes, change_count);
    PEER_TRY(peer__graph_require_ready(graph));
    peer__engine_enter(graph->engine);
    (void)peer__graph_commit(graph); /* a call is a turn of its own (decisions.md 1); what fails here is not its own */
    peer_status status = deletes ? PEER_OK : peer__graph_require_room(graph);
    if (status >= 0)
        status = carry_out_all(graph, changes, change_count);
    if (deletes && status == PEER_E_DISK_FULL && peer__engine_make_room(graph->engine))
        status = carry_out_all(graph, changes, change_count);
    peer__engine_leave(graph->engine);
    return status;
}

peer_status peer__graph_add(struct graph *graph, const peer_record_view *input, peer_guid *id_out)
{
    struct graph_change change = {.kind = CHANGE_ADD, .input = *input};
    PEER_TRY(peer__graph_prepare_add(graph, input, &change.input.id));
    PEER_TRY(peer__graph_apply(graph, &change, 1));
    *id_out = change.input.id;
    return PEER_OK;
}

peer_status peer__graph_update(struct graph *graph, const peer_record_view *input)
{
    PEER_TRY(peer__graph_prepare_update(graph, input));
    return peer__graph_apply(graph, &(struct graph_change){.kind = CHANGE_UPDATE, .input = *input}, 1);
}

peer_status peer__graph_delete(struct graph *graph, const peer_record_view *input)
{
    PEER_TRY(peer__graph_require_ready(graph));
    return peer__graph_apply(graph, &(struct graph_change){.kind = CHANGE_DELETE, .input = *input}, 1);
}

static peer_status remove_here(struct graph *graph, const peer_guid *id)
{
    struct held held;
    PEER_TRY(find_visible(graph, id, &held));
    peer_guid type = held.record->fields.type;
    peer__record_release(held.record);
    if (peer__type_is_reserved(&type))
        return peer__fail(PEER_E_NOT_AUTHORIZED, "the record is one of the graph's own and cannot be deleted");
    peer_status status = graph->store->operations->remove(graph->store, id);
    if (status >= 0)
        status = graph->store->operations->commit(graph->store);
    if (status < 0) {
        graph->store->operations->rollback(graph->store);
        return status;
    }
    peer__graph_tell(graph, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                               .type = PEER_GRAPH_EVENT_RECORD_CHANGED,
                                               .change = PEER_RECORD_DELETED,
                                               .record_id = *id,
                                               .record_type = type});
    return PEER_OK;
}

/* It comes back with the next synchronization, and is judged then: only a judge can keep it out (graph-api.md 7.5). */
peer_status peer__graph_delete_here(struct graph *graph, const peer_guid *id)
{
    if (!peer__graph_is_judged_by_application(graph))
        return peer__fail(E_INVALIDARG,
                          "local is not 0, which is for graphs that were opened with PEER_GRAPH_OPTION_JUDGE");
    PEER_TRY(peer__graph_require_ready(graph));
    peer__engine_enter(graph->engine);
    (void)peer__graph_commit(graph);
    peer_status status = remove_here(graph, id);
    if (status == PEER_E_DISK_FULL && peer__engine_make_room(graph->engine))
        status = remove_here(graph, id);
    peer__engine_leave(graph->engine);
    return status;
}

/* ------------------------------------------------------------------------------------------------------------ reading */

/* What is not committed yet must not be shown: it could still be dropped. */
static void commit_if_pending(struct graph *graph, const peer_guid *id)
{
    for (size_t i = 0; i < graph->effects.count; i++) {
        if (peer__guid_equal(&graph->effects.items[i].record_id, id)) {
            (void)peer__graph_commit(graph); /* a failure drops it, and reading goes on without it */
            return;
        }
    }
}

peer_status peer__graph_get(struct graph *graph, const peer_guid *id, struct record **record_out,
                            uint32_t *local_flags_out)
{
    struct held held;
    PEER_TRY(peer__graph_require_ready(graph));
    peer__engine_enter(graph->engine);
    commit_if_pending(graph, id);
    peer__engine_leave(graph->engine);
    PEER_TRY(find_visible(graph, id, &held));
    *record_out = held.record;
    *local_flags_out = held.local_flags;
    return PEER_OK;
}
