#include "event/ready.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/memory.h"

struct ready_set {
    atomic_uint references;
    pthread_mutex_t mutex;
    struct list entries;
};

void peer__ready_entry_init(struct ready_entry *entry)
{
    list_init(&entry->in_set);
}

peer_status peer__ready_set_create(struct ready_set **set_out)
{
    struct ready_set *set = peer__calloc(1, sizeof(*set));
    if (set == NULL)
        return peer__out_of_memory();
    atomic_init(&set->references, 1);
    pthread_mutex_init(&set->mutex, NULL);
    list_init(&set->entries);
    *set_out = set;
    return PEER_OK;
}

struct ready_set *peer__ready_set_retain(struct ready_set *set)
{
    atomic_fetch_add_explicit(&set->references, 1, memory_order_relaxed);
    return set;
}

void peer__ready_set_release(struct ready_set *set)
{
    if (atomic_fetch_sub_explicit(&set->references, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_destroy(&set->mutex);
    peer__free(set);
}

void peer__ready_set_add(struct ready_set *set, struct ready_entry *entry)
{
    pthread_mutex_lock(&set->mutex);
    if (list_is_empty(&entry->in_set))
        list_append(&set->entries, &entry->in_set);
    pthread_mutex_unlock(&set->mutex);
}

void peer__ready_set_remove(struct ready_set *set, struct ready_entry *entry)
{
    pthread_mutex_lock(&set->mutex);
    list_remove(&entry->in_set);
    pthread_mutex_unlock(&set->mutex);
}

uintptr_t peer__ready_set_take(struct ready_set *set)
{
    uintptr_t mark = 0;
    pthread_mutex_lock(&set->mutex);
    if (!list_is_empty(&set->entries)) {
        struct ready_entry *entry = CONTAINER_OF(set->entries.next, struct ready_entry, in_set);
        mark = entry->mark;
        list_remove(&entry->in_set);
    }
    pthread_mutex_unlock(&set->mutex);
    return mark;
}

int peer__ready_set_is_empty(struct ready_set *set)
{
    pthread_mutex_lock(&set->mutex);
    int is_empty = list_is_empty(&set->entries);
    pthread_mutex_unlock(&set->mutex);
    return is_empty;
}
