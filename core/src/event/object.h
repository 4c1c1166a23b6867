/** What every object that is handed out begins with: its kind and its owners. */
#ifndef PEER_EVENT_OBJECT_H
#define PEER_EVENT_OBJECT_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    OBJECT_RECORD = 1,
    OBJECT_EVENT,
    OBJECT_NODE_INFO,
    OBJECT_PROPERTIES,
    OBJECT_ATTRIBUTES,
    OBJECT_ARRAY,
};

/** First member of each object. The owners are counted without a lock, so that a forked child may release them. */
struct object {
    uint32_t magic;
    uint32_t kind;
    atomic_uint references;
    void (*destroy)(struct object *object); /* frees the object and all it holds */
};

/** Makes an object with one owner. */
void peer__object_init(struct object *object, uint32_t kind, void (*destroy)(struct object *object));

/** The object, or NULL and an error line if `data` is NULL, no object, or of another kind. */
struct object *peer__object_check(const void *data, uint32_t kind);

/** One more owner. -1, without an error line, if `data` is NULL or no object. */
int peer__object_retain(const void *data);

/** One owner less; the last one destroys. NULL and what is no object are left alone. */
void peer__object_release(const void *data);

#endif
