#include "graph/records/deferred_list.h"

#include <string.h>

#include "base/memory.h"

/** Of one record, beside its bytes. */
#define ENTRY_COST 256u

struct deferred_list *peer__deferred_list_create(uint64_t key)
{
    struct deferred_list *list = peer__calloc(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    list->key = key;
    list_init(&list->records);
    list_init(&list->undecided);
    list_init(&list->orphans);
    for (size_t i = 0; i < DEFERRED_BUCKETS; i++) {
        list_init(&list->numbers[i]);
        list_init(&list->ids[i]);
        list_init(&list->copies[i]);
    }
    return list;
}

void peer__deferred_list_free(struct deferred_list *list)
{
    if (list == NULL)
        return;
    LIST_FOR (node, following, &list->records)
        peer__deferred_drop(list, CONTAINER_OF(node, struct deferred, in_list));
    peer__free(list);
}

size_t peer__deferred_cost(const struct record *record)
{
    return record->wire_size + ENTRY_COST;
}

static struct list *bucket_of_id(struct deferred_list *list, const peer_guid *id)
{
    return &list->ids[peer__guid_hash(id, list->key) % DEFERRED_BUCKETS];
}

static uint64_t hash_bytes(uint64_t hash, struct span bytes)
{
    peer_guid block = {{0}};
    for (size_t at = 0; at < bytes.size; at += sizeof(block.bytes)) {
        size_t size = bytes.size - at < sizeof(block.bytes) ? bytes.size - at : sizeof(block.bytes);
        memcpy(block.bytes, bytes.data + at, size);
        hash = peer__guid_hash(&block, hash);
    }
    return hash;
}

/* Of all that peer__record_compare looks at. */
static struct list *bucket_of_copy(struct deferred_list *list, const struct record_fields *fields)
{
    peer_guid numbers;
    uint64_t words[2] = {fields->modified, fields->version};
    memcpy(numbers.bytes, words, sizeof(words));
    uint64_t hash = peer__guid_hash(&numbers, peer__guid_hash(&fields->id, list->key));
    hash = hash_bytes(hash_bytes(hash, fields->modifier_id), fields->security_data);
    return &list->copies[hash % DEFERRED_BUCKETS];
}

struct deferred *peer__deferred_add(struct deferred_list *list, struct record *record, int32_t change)
{
    struct deferred *deferred = peer__calloc(1, sizeof(*deferred));
    if (deferred == NULL)
        return NULL;
    deferred->number = ++list->last_number;
    deferred->record = peer__record_retain(record);
    deferred->change = change;
    list_append(&list->records, &deferred->in_list);
    list_append(&list->undecided, &deferred->in_undecided);
    list_append(&list->orphans, &deferred->in_owner);
    list_append(&list->numbers[deferred->number % DEFERRED_BUCKETS], &deferred->by_number);
    list_append(bucket_of_id(list, &record->fields.id), &deferred->by_id);
    list_append(bucket_of_copy(list, &record->fields), &deferred->by_copy);
    list->bytes += peer__deferred_cost(record);
    return deferred;
}

void peer__deferred_give(struct deferred_list *list, struct deferred *deferred, struct deferred_owner *owner,
                         uint64_t connection_id)
{
    size_t cost = peer__deferred_cost(deferred->record);
    if (deferred->owner != NULL)
        deferred->owner->bytes -= cost;
    list_remove(&deferred->in_owner);
    list_append(owner != NULL ? &owner->records : &list->orphans, &deferred->in_owner);
    if (owner != NULL)
        owner->bytes += cost;
    deferred->owner = owner;
    deferred->connection_id = connection_id;
}

void peer__deferred_disown(struct deferred_list *list, struct deferred_owner *owner)
{
    if (list == NULL)
        return;
    LIST_FOR (node, following, &owner->records) {
        struct deferred *deferred = CONTAINER_OF(node, struct deferred, in_owner);
        peer__deferred_give(list, deferred, NULL, deferred->connection_id);
    }
}

void peer__deferred_drop(struct deferred_list *list, struct deferred *deferred)
{
    size_t cost = peer__deferred_cost(deferred->record);
    list->bytes -= cost;
    if (deferred->owner != NULL)
        deferred->owner->bytes -= cost;
    list_remove(&deferred->in_list);
    list_remove(&deferred->in_undecided);
    list_remove(&deferred->in_owner);
    list_remove(&deferred->by_number);
    list_remove(&deferred->by_id);
    list_remove(&deferred->by_copy);
    peer__record_release(deferred->record);
    peer__free(deferred);
}

struct deferred *peer__deferred_find(struct deferred_list *list, uint64_t number)
{
    if (list == NULL)
        return NULL;
    LIST_FOR (node, following, &list->numbers[number % DEFERRED_BUCKETS]) {
        struct deferred *deferred = CONTAINER_OF(node, struct deferred, by_number);
        if (deferred->number == number)
            return deferred;
    }
    return NULL;
}

struct deferred *peer__deferred_next_of_id(struct deferred_list *list, const peer_guid *id, struct deferred *before)
{
    struct list *bucket = bucket_of_id(list, id);
    struct list *node = before != NULL ? before->by_id.next : bucket->next;
    for (; node != bucket; node = node->next) {
        struct deferred *deferred = CONTAINER_OF(node, struct deferred, by_id);
        if (peer__guid_equal(&deferred->record->fields.id, id))
            return deferred;
    }
    return NULL;
}

struct deferred *peer__deferred_find_record(struct deferred_list *list, const struct record_fields *fields)
{
    LIST_FOR (node, following, bucket_of_copy(list, fields)) {
        struct deferred *deferred = CONTAINER_OF(node, struct deferred, by_copy);
        const struct record_fields *held = &deferred->record->fields;
        if (peer__guid_equal(&held->id, &fields->id) && peer__record_compare(held, fields) == 0)
            return deferred;
    }
    return NULL;
}

struct deferred *peer__deferred_oldest_orphan(struct deferred_list *list)
{
    return list_is_empty(&list->orphans) ? NULL : CONTAINER_OF(list->orphans.next, struct deferred, in_owner);
}

struct deferred *peer__deferred_oldest_undecided(struct deferred_list *list)
{
    return list_is_empty(&list->undecided) ? NULL : CONTAINER_OF(list->undecided.next, struct deferred, in_undecided);
}
