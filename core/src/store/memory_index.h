/** The rows of the memory store by id: a hash table, as nobody asks for the ids in their order. */
#ifndef PEER_STORE_MEMORY_INDEX_H
#define PEER_STORE_MEMORY_INDEX_H

#include "store/memory_tree.h"

/** Zero-initialise. */
struct row_index {
    struct row **buckets;
    size_t bucket_count; /* a power of 2, or 0 */
    size_t count;
};

/** Room for one more row, so that adding it cannot fail. */
peer_status peer__index_reserve(struct row_index *index);
void peer__index_add(struct row_index *index, struct row *row);
void peer__index_remove(struct row_index *index, struct row *row);
/** NULL if there is none. */
struct row *peer__index_find(const struct row_index *index, const peer_guid *id);
/** The rows are not freed. */
void peer__index_free(struct row_index *index);

#endif
