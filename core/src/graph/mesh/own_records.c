/* Records that a node publishes about itself and the graph: signature, contact, presence (MS-PPGRH 3.1.7.3 to 3.1.7.6),
 * and how they are kept alive (3.1.6.8; spec 13.5, D-24). */
#include "graph/parts.h"

#define REFRESH_BEFORE (60 * TICKS_PER_SECOND) /* D-24 */
#define REFRESH_DELAY_MIN_US INT64_C(4000000)  /* 7.2 */
#define RETRY_US INT64_C(30000000)             /* after a full disk, say */

/* ------------------------------------------------------------------------------------------------------- publishing */

static peer_status draw_id(struct graph *graph, peer_guid *id_out)
{
    uint8_t random[16];
    const struct engine_config *config = &graph->engine->config;
    PEER_TRY(config->random.fill(config->random.self, random, sizeof(random)));
    return peer__record_id_make(&config->crypto, (struct span){graph->peer_id_wire.data, graph->peer_id_wire.size},
                                random, id_out);
}

/* A new record, or one that takes the place of the held one as if it were new: its version goes on (D-25). */
static struct record_fields fresh_fields(const struct graph *graph, const struct publication *publication,
                                         const struct held *held)
{
    uint64_t now = peer__graph_now(graph);
    if (held->found && now <= held->record->fields.modified)
        now = held->record->fields.modified + 1;
    return (struct record_fields){.type = *publication->type,
                                  .version = held->found ? held->record->fields.version + 1 : 1,
                                  .creator_id = {graph->peer_id_wire.data, graph->peer_id_wire.size},
                                  .created = now,
                                  .modified = now,
                                  .expires = peer__ticks_add(now, (int64_t)publication->lifetime),
                                  .graph_id = {graph->graph_id_wire.data, graph->graph_id_wire.size},
                                  .protocol_version = 0x0100,
                                  .payload = publication->payload};
}

static struct record_fields next_fields(const struct graph *graph, const struct publication *publication,
                                        const struct record_fields *held)
{
    struct record_fields fields = *held;
    uint64_t now = peer__graph_now(graph);
    fields.version++;
    fields.modified = now > held->modified ? now : held->modified + 1;
    fields.modifier_id = (struct span){graph->peer_id_wire.data, graph->peer_id_wire.size};
    fields.payload = publication->payload;
    if (publication->lifetime == 0)
        fields.flags |= RECORD_FLAG_DELETED;
    else
        fields.expires = peer__ticks_add(fields.modified, (int64_t)publication->lifetime);
    return fields;
}

static peer_status put(struct graph *graph, const struct publication *publication, const struct held *held)
{
    struct record *record;
    struct record_fields fields;
    if (held->found && !publication->fresh)
        fields = next_fields(graph, publication, &held->record->fields);
    else
        fields = fresh_fields(graph, publication, held);
    if (publication->id != NULL)
        fields.id = *publication->id;
    else
        PEER_TRY(draw_id(graph, &fields.id));
    if (fields.version == 0 || fields.expires <= fields.modified)
        return PEER_E_INVALID_RECORD; /* the last version, or a tombstone that nobody needs any more */
    PEER_TRY(peer__record_encode(&fields, &record));
    peer_status status = peer__graph_put(graph, record, 0, 0);
    peer__record_release(record);
    return status;
}

peer_status peer__graph_publish(struct graph *graph, const struct publication *publication)
{
    struct held held = {0};
    if (publication->lifetime != 0)
        PEER_TRY(peer__graph_require_room(graph)); /* what is kept for deletions is not for this */
    (void)peer__graph_commit(graph);               /* what is under way from the network shall not fail with this */
    peer_status status = PEER_OK;
    if (publication->id != NULL)
        status = peer__graph_find(graph, publication->id, &held);
    if (status >= 0)
        status = put(graph, publication, &held);
    if (status >= 0)
        status = peer__graph_commit(graph);
    else
        peer__graph_drop_effects(graph);
    peer__record_release(held.record);
    return status;
}

void peer__graph_withdraw(struct graph *graph, const struct own_record *own, const peer_guid *type)
{
    if (own->live)
        (void)peer__graph_publish(graph, &(struct publication){.type = type, .id = &own->id});
}

/* ------------------------------------------------------------------------------------------------------- refreshing */

static int64_t delay_of(const struct graph *graph, const struct own_record *own)
{
    uint64_t now = peer__graph_now(graph);
    uint64_t due = peer__ticks_add(own->expires, -(int64_t)REFRESH_BEFORE);
    if (own->half_life)
        due = own->modified + (own->expires - own->modified) / 2;
    int64_t delay_us = due > now ? (int64_t)((due - now) / TICKS_PER_US) : 0;
    return delay_us > REFRESH_DELAY_MIN_US ? delay_us : REFRESH_DELAY_MIN_US;
}

static void schedule(struct graph *graph, const struct own_record *own)
{
    struct timer *timer = &graph->upkeep.refresh;
    if (!own->live)
        return;
    int64_t deadline_us = peer__engine_now_us(graph->engine) + delay_of(graph, own);
    if (timer->place == 0 || deadline_us < timer->deadline_us)
        peer__timer_set(&graph->engine->timers, timer, deadline_us);
}

static int is_due(const struct graph *graph, const struct own_record *own)
{
    return own->live && delay_of(graph, own) <= REFRESH_DELAY_MIN_US;
}

void peer__graph_refresh_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, upkeep.refresh);
    struct upkeep *upkeep = &graph->upkeep;
    int stale = upkeep->addresses_are_stale && graph->listener != NULL;
    peer_status status = PEER_OK;
    if (is_due(graph, &upkeep->own_signature))
        status = peer__graph_publish_signature(graph);
    if (status >= 0 && (is_due(graph, &upkeep->own_contact) || (stale && upkeep->own_contact.live)))
        status = peer__graph_publish_contact(graph);
    if (status >= 0 && (is_due(graph, &upkeep->own_presence) || (stale && upkeep->own_presence.live)))
        status = peer__graph_refresh_presence(graph);
    if (status < 0) {
        peer__engine_timer_set(graph->engine, timer, RETRY_US);
        return;
    }
    upkeep->addresses_are_stale = 0;
    schedule(graph, &upkeep->own_signature);
    schedule(graph, &upkeep->own_contact);
    schedule(graph, &upkeep->own_presence);
}

void peer__graph_refresh_now(struct graph *graph)
{
    graph->upkeep.addresses_are_stale = 1;
    peer__engine_timer_set(graph->engine, &graph->upkeep.refresh, 0);
}

/* One of our own records was stored, in whichever version, by us or, rarely, by somebody else. */
void peer__graph_note_own(struct graph *graph, struct own_record *own, const struct record_fields *fields)
{
    own->live = (fields->flags & RECORD_FLAG_DELETED) == 0;
    own->id = fields->id;
    own->modified = fields->modified;
    own->expires = fields->expires;
    schedule(graph, own);
}

/* --------------------------------------------------------------------------------------- per-type processing (13.3) */

void peer__graph_note_internal(struct graph *graph, const struct record_fields *fields)
{
    if (peer__guid_equal(&fields->type, &peer__type_signature))
        peer__graph_note_signature(graph, fields);
    else if (peer__guid_equal(&fields->type, &peer__type_contact))
        peer__graph_note_contact(graph, fields);
    else if (peer__guid_equal(&fields->type, &peer__type_presence))
        peer__graph_note_presence_of(graph, fields);
}

void peer__graph_note_internal_expired(struct graph *graph, const peer_guid *type, const peer_guid *id)
{
    if (peer__guid_equal(type, &peer__type_signature))
        peer__graph_signature_expired(graph);
    else if (peer__guid_equal(type, &peer__type_contact))
        peer__graph_contact_gone(graph, id);
    else if (peer__guid_equal(type, &peer__type_presence))
        peer__graph_presence_gone(graph, id);
}

/* 3.1.4.12 */
void peer__graph_withdraw_all(struct graph *graph)
{
    struct upkeep *upkeep = &graph->upkeep;
    peer__graph_withdraw(graph, &upkeep->own_contact, &peer__type_contact);
    peer__graph_withdraw(graph, &upkeep->own_presence, &peer__type_presence);
    peer__graph_withdraw(graph, &upkeep->own_signature, &peer__type_signature);
}

/* A manual graph takes no part in what keeps the mesh together, but it shows who is there. */
int peer__graph_takes_part(const struct graph *graph)
{
    return graph->ready && graph->dialler.online && !graph->dialler.manual;
}

int64_t peer__graph_random_delay_us(struct graph *graph, unsigned least_s, unsigned most_s)
{
    uint64_t span_us = (uint64_t)(most_s - least_s) * 1000000 + 1;
    return (int64_t)least_s * 1000000 + (int64_t)peer__engine_draw(graph->engine, span_us);
}
