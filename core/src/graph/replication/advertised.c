/*
 * What an ADVERTISE lists, kept as it came and found by (id, version, range). It may hold millions of entries, so that
 * nothing here takes a turn longer than copying them: the table is filled as they are walked through. The key is ours
 * alone, so that no neighbour can choose entries that collide.
 */
#include "graph/parts.h"

#include <string.h>

#define ABSTRACT_SIZE 20u

void peer__advertised_free(struct advertised *advertised)
{
    peer__buffer_free(&advertised->abstracts);
    peer__free(advertised->slots);
    *advertised = (struct advertised){0};
}

peer_status peer__advertised_take(struct advertised *advertised, const struct wire_advertise *message,
                                  const struct random *random)
{
    size_t slot_count = 16;
    while (slot_count < 2 * (size_t)message->abstract_count)
        slot_count *= 2;
    PEER_TRY(random->fill(random->self, advertised->key, sizeof(advertised->key)));
    advertised->slots = peer__calloc(slot_count, sizeof(*advertised->slots));
    advertised->mask = slot_count - 1;
    advertised->count = message->abstract_count;
    peer__buffer_append(&advertised->abstracts, message->abstracts, advertised->count * ABSTRACT_SIZE);
    return advertised->slots == NULL || advertised->abstracts.failed ? peer__out_of_memory() : PEER_OK;
}

void peer__advertised_at(const struct advertised *advertised, size_t index, struct wire_abstract *abstract_out)
{
    peer__wire_abstract(advertised->abstracts.data, index, abstract_out);
}

static uint64_t mix(uint64_t state, uint64_t value)
{
    state = (state ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return state ^ state >> 29;
}

static size_t place(const struct advertised *advertised, const struct wire_abstract *abstract, size_t range)
{
    uint64_t halves[2];
    memcpy(halves, abstract->record_id.bytes, sizeof(halves));
    uint64_t state = mix(advertised->key[0], halves[0]);
    state = mix(state ^ advertised->key[1], halves[1]);
    return (size_t)mix(state, (uint64_t)range << 32 | abstract->version) & advertised->mask;
}

/* The slot of an entry, or the free one where it belongs. Each says index + 1 and the range. */
static struct advertised_slot *find(const struct advertised *advertised, const struct wire_abstract *abstract,
                                    size_t range)
{
    for (size_t at = place(advertised, abstract, range);; at = (at + 1) & advertised->mask) {
        struct advertised_slot *slot = &advertised->slots[at];
        struct wire_abstract there;
        if (slot->number == 0)
            return slot;
        if (slot->range != range)
            continue;
        peer__advertised_at(advertised, slot->number - 1, &there);
        if (there.version == abstract->version && peer__guid_equal(&there.record_id, &abstract->record_id))
            return slot;
    }
}

void peer__advertised_note(struct advertised *advertised, size_t index, size_t range)
{
    struct wire_abstract abstract;
    peer__advertised_at(advertised, index, &abstract);
    *find(advertised, &abstract, range) =
        (struct advertised_slot){.number = (uint32_t)index + 1, .range = (uint32_t)range};
}

int peer__advertised_has(const struct advertised *advertised, const struct wire_abstract *abstract, size_t range)
{
    return find(advertised, abstract, range)->number != 0;
}
