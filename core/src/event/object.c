#include "event/object.h"

#include <stddef.h>

#include "base/error.h"

/* Marks what is ours, and what was: reading a freed object stays undefined, but is mostly told from a live one. */
#define MAGIC_ALIVE 0x70656f62u
#define MAGIC_DEAD 0x64656164u

static struct object *alive(const void *data)
{
    if (data == NULL || (uintptr_t)data % _Alignof(struct object) != 0)
        return NULL;
    struct object *object = (struct object *)(uintptr_t)data;
    return object->magic == MAGIC_ALIVE ? object : NULL;
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"object",           "record",     "event", "node info",
                                        "graph properties", "attributes", "array"};
    return names[kind < sizeof(names) / sizeof(names[0]) ? kind : 0];
}

void peer__object_init(struct object *object, uint32_t kind, void (*destroy)(struct object *object))
{
    object->magic = MAGIC_ALIVE;
    object->kind = kind;
    atomic_init(&object->references, 1);
    object->destroy = destroy;
}

struct object *peer__object_check(const void *data, uint32_t kind)
{
    struct object *object = alive(data);
    if (object != NULL && object->kind == kind)
        return object;
    if (data == NULL)
        peer__fail(E_INVALIDARG, "the object (%s) is NULL", kind_name(kind));
    else if (object == NULL)
        peer__fail(E_INVALIDARG, "an object (%s) is wanted, this is none, or it was freed", kind_name(kind));
    else
        peer__fail(E_INVALIDARG, "an object (%s) is wanted, this is another (%s)", kind_name(kind),
                   kind_name(object->kind));
    return NULL;
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
    object->destroy(object);
}
