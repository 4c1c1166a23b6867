/**
 * What the application has judged invalid, so that it is not asked again about the same copy, which neighbours go on to
 * bring (3.1.4.10, decisions.md 18). A copy is known by id, version and element: another one of the same version is judged
 * by itself. When it is full, chance decides what is forgotten: of more than fit, which come again in one order, the oldest
 * would always be what comes next. Who fills it has had a question asked for each, and causes no more than one other.
 */
#ifndef PEER_GRAPH_REJECTED_H
#define PEER_GRAPH_REJECTED_H

#include <stdint.h>

#include "base/list.h"
#include "base/store.h"

#define REJECTED_MAX 4096u
#define REJECTED_BUCKETS 1024u

struct rejected {
    struct list in_bucket; /* of its id */
    peer_guid id;
    uint32_t version;
    uint8_t element[STORE_ELEMENT_SIZE];
};

struct rejections {
    size_t count;
    uint64_t key; /* others choose the ids of records: it keeps them out of one bucket */
    struct list buckets[REJECTED_BUCKETS];
    struct rejected entries[REJECTED_MAX];
};

/** NULL: memory is out. Freed with peer__free. */
struct rejections *peer__rejections_create(uint64_t key);
/** `chance` is a random number. */
void peer__rejections_add(struct rejections *rejections, const struct rejected *rejected, uint64_t chance);
/** Whether such a copy was rejected, of whose element `size` bytes are known; 0: any copy of that version. `rejections` may
 *  be NULL: nothing ever was. */
int peer__rejections_have(struct rejections *rejections, const peer_guid *id, uint32_t version, const uint8_t *element,
                          size_t size);
/** All copies and versions of it. 1: there were some. */
int peer__rejections_forget(struct rejections *rejections, const peer_guid *id);

#endif
