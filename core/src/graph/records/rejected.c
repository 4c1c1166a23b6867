#include "graph/records/rejected.h"

#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"

struct rejections *peer__rejections_create(uint64_t key)
{
    struct rejections *rejections = peer__calloc(1, sizeof(*rejections));
    if (rejections == NULL)
        return NULL;
    rejections->key = key;
    for (size_t i = 0; i < REJECTED_BUCKETS; i++)
        list_init(&rejections->buckets[i]);
    return rejections;
}

static struct list *bucket_of(struct rejections *rejections, const peer_guid *id)
{
    return &rejections->buckets[peer__guid_hash(id, rejections->key) % REJECTED_BUCKETS];
}

static void put(struct rejections *rejections, size_t place, const struct rejected *rejected)
{
    struct rejected *entry = &rejections->entries[place];
    *entry = *rejected;
    list_init(&entry->in_bucket);
    list_append(bucket_of(rejections, &entry->id), &entry->in_bucket);
}

/* The last one takes its place. */
static void drop(struct rejections *rejections, struct rejected *entry)
{
    struct rejected *last = &rejections->entries[--rejections->count];
    list_remove(&entry->in_bucket);
    if (entry == last)
        return;
    list_remove(&last->in_bucket);
    put(rejections, (size_t)(entry - rejections->entries), last);
}

void peer__rejections_add(struct rejections *rejections, const struct rejected *rejected, uint64_t chance)
{
    if (peer__rejections_have(rejections, &rejected->id, rejected->version, rejected->element,
                              sizeof(rejected->element)))
        return;
    if (rejections->count == REJECTED_MAX)
        drop(rejections, &rejections->entries[chance % REJECTED_MAX]);
    put(rejections, rejections->count++, rejected);
}

int peer__rejections_have(struct rejections *rejections, const peer_guid *id, uint32_t version, const uint8_t *element,
                          size_t size)
{
    if (rejections == NULL)
        return 0;
    LIST_FOR (node, following, bucket_of(rejections, id)) {
        const struct rejected *entry = CONTAINER_OF(node, struct rejected, in_bucket);
        if (entry->version == version && peer__guid_equal(&entry->id, id) &&
            (size == 0 || memcmp(entry->element, element, size) == 0))
            return 1;
    }
    return 0;
}

int peer__rejections_forget(struct rejections *rejections, const peer_guid *id)
{
    int any = 0;
    struct list *bucket;
    if (rejections == NULL)
        return 0;
    bucket = bucket_of(rejections, id);
    for (struct list *node = bucket->next; node != bucket;) {
        struct rejected *entry = CONTAINER_OF(node, struct rejected, in_bucket);
        if (!peer__guid_equal(&entry->id, id)) {
            node = node->next;
            continue;
        }
        any = 1;
        drop(rejections, entry);
        node = bucket->next; /* another entry may stand in its place now, in whatever bucket */
    }
    return any;
}
