#include "store/memory_index.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define BUCKETS_FIRST 64u

/* Ids are chance for the most part; multiplication brings whatever differs into the upper half (Fibonacci hashing). */
static struct row **bucket_of(const struct row_index *index, const peer_guid *id)
{
    uint64_t halves[2];

    memcpy(halves, id->bytes, sizeof(halves));
    uint64_t mixed = (halves[0] ^ halves[1] * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);
    return &index->buckets[(mixed >> 32) & (index->bucket_count - 1)];
}

static void link_row(struct row_index *index, struct row *row)
{
    struct row **bucket = bucket_of(index, &row->record.id);

    row->next = *bucket;
    *bucket = row;
}

peer_status peer__index_reserve(struct row_index *index)
{
    struct row_index larger = {.count = index->count};

    if (index->count < index->bucket_count)
        return PEER_OK;
    larger.bucket_count = index->bucket_count != 0 ? 2 * index->bucket_count : BUCKETS_FIRST;
    larger.buckets = peer__calloc(larger.bucket_count, sizeof(struct row *));
    if (larger.buckets == NULL)
        return peer__out_of_memory();
    for (size_t i = 0; i < index->bucket_count; i++) {
        for (struct row *row; (row = index->buckets[i]) != NULL;) {
            index->buckets[i] = row->next;
            link_row(&larger, row);
        }
    }
    peer__free(index->buckets);
    *index = larger;
    return PEER_OK;
}

void peer__index_add(struct row_index *index, struct row *row)
{
    assert(index->bucket_count != 0);
    link_row(index, row);
    index->count++;
}

void peer__index_remove(struct row_index *index, struct row *row)
{
    struct row **place = bucket_of(index, &row->record.id);

    while (*place != row) {
        assert(*place != NULL);
        place = &(*place)->next;
    }
    *place = row->next;
    index->count--;
}

struct row *peer__index_find(const struct row_index *index, const peer_guid *id)
{
    struct row *row = index->bucket_count != 0 ? *bucket_of(index, id) : NULL;

    while (row != NULL && !peer__guid_equal(&row->record.id, id))
        row = row->next;
    return row;
}

void peer__index_free(struct row_index *index)
{
    peer__free(index->buckets);
    *index = (struct row_index){0};
}
