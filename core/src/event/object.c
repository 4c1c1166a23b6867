#include "event/object.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/memory.h"

/* Marks what is ours, and what was: reading a freed object stays undefined, but is mostly told from a live one. */
#define MAGIC_ALIVE 0x70656f62u
#define MAGIC_DEAD 0x64656164u
#define ALIGNMENT 16u

struct object {
    uint32_t magic;
    uint32_t kind;
    atomic_uint references;
    uint32_t owned_count;
    const void **owned; /* arrays: behind their data */
    void (*destroy)(void *data);
};

#define HEADER_SIZE ((sizeof(struct object) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

static void *data_of(struct object *object)
{
    return (char *)object + HEADER_SIZE;
}

static struct object *alive(const void *data)
{
    if (data == NULL || (uintptr_t)data % ALIGNMENT != 0)
        return NULL;
    struct object *object = (struct object *)((uintptr_t)data - HEADER_SIZE);
    return object->magic == MAGIC_ALIVE ? object : NULL;
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {
        "object",
        [OBJECT_RECORD] = "record",
        [OBJECT_EVENT] = "event",
        [OBJECT_NODE_INFO] = "node info",
        [OBJECT_PROPERTIES] = "graph properties",
        [OBJECT_ATTRIBUTES] = "attributes",
        [OBJECT_ARRAY] = "array",
        [OBJECT_CONNECTION_INFO] = "connection info",
        [OBJECT_QUERY] = "query",
    };
    return names[kind < sizeof(names) / sizeof(names[0]) ? kind : 0];
}

void *peer__object_create(size_t size, uint32_t kind, void (*destroy)(void *data))
{
    if (size > SIZE_MAX - HEADER_SIZE)
        return NULL;
    struct object *object = peer__calloc(1, HEADER_SIZE + size);
    if (object == NULL)
        return NULL;
    object->magic = MAGIC_ALIVE;
    object->kind = kind;
    atomic_init(&object->references, 1);
    object->destroy = destroy;
    return data_of(object);
}

void *peer__object_create_array(size_t size, size_t owned_max)
{
    if (size > SIZE_MAX / 2 || owned_max > SIZE_MAX / 4 / sizeof(void *) || owned_max > UINT32_MAX)
        return NULL;
    size_t aligned = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *data = peer__object_create(aligned + owned_max * sizeof(void *), OBJECT_ARRAY, NULL);
    if (data != NULL)
        alive(data)->owned = (const void **)(void *)((char *)data + aligned);
    return data;
}

void peer__object_array_own(void *array, const void *data)
{
    struct object *object = alive(array);
    assert(object != NULL && object->kind == OBJECT_ARRAY);
    object->owned[object->owned_count++] = data;
}

peer_status peer__object_check(const void *data, uint32_t kind)
{
    const struct object *object = alive(data);
    if (object != NULL && object->kind == kind)
        return PEER_OK;
    if (data == NULL)
        return peer__fail(E_INVALIDARG, "the object (%s) is NULL", kind_name(kind));
    if (object == NULL)
        return peer__fail(E_INVALIDARG, "an object (%s) is wanted, this is none, or it was freed", kind_name(kind));
    return peer__fail(E_INVALIDARG, "an object (%s) is wanted, this is another (%s)", kind_name(kind),
                      kind_name(object->kind));
}

int peer__object_retain(const void *data)
{
    struct object *object = alive(data);
    if (object == NULL)
        return -1;
    atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
    return 0;
}

void peer__object_release(const void *data)
{
    struct object *object = alive(data);
    /* Acquire and release: what other owners did to the object happened before it is destroyed. */
    if (object == NULL || atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) != 1)
        return;
    object->magic = MAGIC_DEAD;
    for (uint32_t i = 0; i < object->owned_count; i++)
        peer__object_release(object->owned[i]);
    if (object->destroy != NULL)
        object->destroy(data_of(object));
    peer__free(object);
}
