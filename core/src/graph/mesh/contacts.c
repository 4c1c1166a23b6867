/* Contacts: a few nodes whose records tell everyone how to reach them and which signature they see, so that two halves of
 * a graph that lost each other notice it and meet again (MS-PPGRH 1.3.2.2, 1.3.2.3, 3.1.7.12, 3.1.7.13; spec 14.2, 14.3). */
#include "base/text.h"
#include "graph/parts.h"

#include <string.h>

#define LIFETIME (900 * TICKS_PER_SECOND)
#define CONTACTS_MIN 5u
#define CONTACTS_SPAN 5u /* Cmax - Cmin */

/* D-27: max(5, floor(60 - log2 S)). */
static size_t contacts_min(uint64_t signature)
{
    unsigned log2 = 0;
    if (signature == 0)
        return 60;
    while (signature >> log2 > 1)
        log2++;
    unsigned ceiling = log2 + ((signature & (signature - 1)) != 0);
    return ceiling + CONTACTS_MIN < 60 ? 60 - ceiling : CONTACTS_MIN;
}

/* ------------------------------------------------------------------------------------------------------- publishing */

peer_status peer__graph_publish_contact(struct graph *graph)
{
    struct upkeep *upkeep = &graph->upkeep;
    struct contact contact = {.signature = upkeep->signature, .node_id = graph->node_id};
    struct buffer payload = {0};
    for (size_t i = 0; i < graph->listener->address_count && i < ROSTER_ADDRESSES_MAX; i++)
        contact.addresses[contact.address_count++] = graph->listener->addresses[i];
    peer__contact_encode(&payload, &contact);
    peer_status status = payload.failed ? peer__out_of_memory() : PEER_OK;
    if (status >= 0)
        status = peer__graph_publish(
            graph, &(struct publication){.type = &peer__type_contact,
                                         .id = upkeep->own_contact.live ? &upkeep->own_contact.id : NULL,
                                         .payload = {payload.data, payload.size},
                                         .lifetime = LIFETIME});
    peer__buffer_free(&payload);
    return status;
}

static int too_few(const struct graph *graph) /* only who listens can be reached */
{
    const struct upkeep *upkeep = &graph->upkeep;
    return !upkeep->own_contact.live && graph->listener != NULL && upkeep->has_signature &&
           upkeep->contacts.count < contacts_min(upkeep->signature);
}

static int too_many(const struct graph *graph)
{
    const struct upkeep *upkeep = &graph->upkeep;
    return upkeep->own_contact.live && upkeep->has_signature &&
           upkeep->contacts.count > contacts_min(upkeep->signature) + CONTACTS_SPAN;
}

void peer__graph_maintain_contacts(struct graph *graph)
{
    struct timer *timer = &graph->upkeep.contact_timer;
    if (peer__graph_takes_part(graph) && timer->place == 0 && (too_few(graph) || too_many(graph)))
        peer__engine_timer_set(graph->engine, timer, peer__graph_random_delay_us(graph, 10, 180));
}

void peer__graph_contact_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, upkeep.contact_timer);
    if (!peer__graph_takes_part(graph))
        return;
    if (graph->upkeep.contact_is_stale && graph->upkeep.own_contact.live)
        (void)peer__graph_publish_contact(graph);
    else if (too_many(graph))
        peer__graph_withdraw(graph, &graph->upkeep.own_contact, &peer__type_contact);
    else if (too_few(graph))
        (void)peer__graph_publish_contact(graph);
    graph->upkeep.contact_is_stale = 0;
    peer__graph_maintain_contacts(graph);
}

/* 1.3.2.2: a contact says which signature it sees. */
void peer__graph_signature_changed(struct graph *graph)
{
    struct upkeep *upkeep = &graph->upkeep;
    if (upkeep->own_contact.live) {
        upkeep->contact_is_stale = 1;
        peer__engine_timer_set(graph->engine, &upkeep->contact_timer, 0);
    }
    peer__graph_maintain_contacts(graph);
    peer__graph_detect_partition(graph);
}

/* ------------------------------------------------------------------------------------------------------- partitions */

static int differs(const struct graph *graph, const struct roster_entry *contact)
{
    return contact->node_id != graph->node_id && contact->signature != graph->upkeep.signature &&
           !peer__graph_is_neighbour(graph, contact->node_id);
}

static size_t count_differing(const struct graph *graph)
{
    size_t count = 0;
    for (size_t i = 0; i < graph->upkeep.contacts.count; i++)
        count += (size_t)differs(graph, &graph->upkeep.contacts.entries[i]);
    return count;
}

void peer__graph_detect_partition(struct graph *graph)
{
    struct timer *timer = &graph->upkeep.partition_timer;
    if (peer__graph_takes_part(graph) && graph->upkeep.has_signature && timer->place == 0 && count_differing(graph) > 0)
        peer__engine_timer_set(graph->engine, timer, peer__graph_random_delay_us(graph, 5, 30));
}

void peer__graph_partition_fire(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, upkeep.partition_timer);
    const struct roster *contacts = &graph->upkeep.contacts;
    size_t count = graph->upkeep.has_signature ? count_differing(graph) : 0;
    if (!peer__graph_takes_part(graph) || count == 0)
        return;
    size_t skip = (size_t)peer__engine_draw(graph->engine, count);
    for (size_t i = 0; i < contacts->count; i++) {
        if (differs(graph, &contacts->entries[i]) && skip-- == 0) {
            peer__graph_dial_node(graph, &contacts->entries[i]);
            break;
        }
    }
    peer__graph_detect_partition(graph);
}

/* ---------------------------------------------------------------------------------------------- what records tell us */

void peer__graph_note_contact(struct graph *graph, const struct record_fields *fields)
{
    struct upkeep *upkeep = &graph->upkeep;
    struct contact contact;
    if ((fields->flags & RECORD_FLAG_DELETED) != 0 || peer__contact_decode(fields->payload, &contact) < 0) {
        peer__graph_contact_gone(graph, &fields->id);
        return;
    }
    struct roster_entry entry = {.record_id = fields->id, .node_id = contact.node_id, .signature = contact.signature};
    for (size_t i = 0; i < contact.address_count && entry.address_count < ROSTER_ADDRESSES_MAX; i++)
        entry.addresses[entry.address_count++] = contact.addresses[i];
    if (peer__roster_put(&upkeep->contacts, &entry) && contact.node_id == graph->node_id)
        peer__graph_note_own(graph, &upkeep->own_contact, fields);
    peer__graph_maintain_contacts(graph);
    peer__graph_detect_partition(graph);
    peer__graph_seek(graph);
}

void peer__graph_contact_gone(struct graph *graph, const peer_guid *record_id)
{
    struct upkeep *upkeep = &graph->upkeep;
    peer__roster_remove(&upkeep->contacts, record_id);
    if (upkeep->own_contact.live && peer__guid_equal(&upkeep->own_contact.id, record_id))
        upkeep->own_contact.live = 0;
    peer__graph_maintain_contacts(graph);
}
