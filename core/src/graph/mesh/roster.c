#include "graph/mesh/roster.h"

#include "base/bytes.h"
#include "base/memory.h"

#include <string.h>

/* Where it stands, or would stand. */
static size_t place_of(const struct roster *roster, const peer_guid *record_id)
{
    size_t low = 0;
    size_t high = roster->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (peer__guid_compare(&roster->entries[middle].record_id, record_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int stands_at(const struct roster *roster, size_t place, const peer_guid *record_id)
{
    return place < roster->count && peer__guid_equal(&roster->entries[place].record_id, record_id);
}

struct roster_entry *peer__roster_find(const struct roster *roster, const peer_guid *record_id)
{
    size_t place = place_of(roster, record_id);
    return stands_at(roster, place, record_id) ? &roster->entries[place] : NULL;
}

struct roster_entry *peer__roster_find_node(const struct roster *roster, uint64_t node_id, const peer_guid *record_id)
{
    for (size_t i = 0; i < roster->count; i++) {
        struct roster_entry *entry = &roster->entries[i];
        if (entry->node_id == node_id && (record_id == NULL || !peer__guid_equal(&entry->record_id, record_id)))
            return entry;
    }
    return NULL;
}

static int make_room(struct roster *roster)
{
    size_t capacity = roster->capacity == 0 ? 8 : 2 * roster->capacity;
    if (roster->count < roster->capacity)
        return 1;
    if (roster->count == ROSTER_MAX)
        return 0;
    struct roster_entry *entries = peer__realloc(roster->entries, capacity * sizeof(*entries));
    if (entries == NULL)
        return 0;
    roster->entries = entries;
    roster->capacity = capacity;
    return 1;
}

int peer__roster_put(struct roster *roster, const struct roster_entry *entry)
{
    size_t place = place_of(roster, &entry->record_id);
    if (stands_at(roster, place, &entry->record_id)) {
        peer__roster_entry_free(&roster->entries[place]);
    } else {
        if (!make_room(roster))
            return 0;
        memmove(&roster->entries[place + 1], &roster->entries[place],
                (roster->count - place) * sizeof(roster->entries[0]));
        roster->count++;
    }
    roster->entries[place] = *entry;
    return 1;
}

void peer__roster_remove(struct roster *roster, const peer_guid *record_id)
{
    size_t place = place_of(roster, record_id);
    if (!stands_at(roster, place, record_id))
        return;
    peer__roster_entry_free(&roster->entries[place]);
    roster->count--;
    memmove(&roster->entries[place], &roster->entries[place + 1], (roster->count - place) * sizeof(roster->entries[0]));
}

void peer__roster_entry_free(struct roster_entry *entry)
{
    peer__free(entry->peer_id);
    peer__free(entry->attributes);
    entry->peer_id = entry->attributes = NULL;
}

void peer__roster_free(struct roster *roster)
{
    for (size_t i = 0; i < roster->count; i++)
        peer__roster_entry_free(&roster->entries[i]);
    peer__free(roster->entries);
    *roster = (struct roster){0};
}
