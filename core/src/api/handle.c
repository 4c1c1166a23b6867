#include "api/handle.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "api/batch.h"
#include "api/library.h"
#include "api/search.h"
#include "base/error.h"
#include "base/memory.h"
#include "event/ready.h"
#include "graph/graph.h"
#include "runtime/runtime.h"

/* A value is kind, generation, slot from the top: 47 bits, or 31 where a pointer has 32. */
#define KIND_BITS 4u
#if UINTPTR_MAX > UINT32_MAX
#define GENERATION_BITS 23u
#define SLOT_BITS 20u
#else
#define GENERATION_BITS 15u
#define SLOT_BITS 12u
#endif
#define GENERATION_MAX ((1u << GENERATION_BITS) - 1)
#define SLOT_MAX (1u << SLOT_BITS)
/* A slot rests until so many others are free too, so that its generations last longer. */
#define FREE_SLOTS_KEPT 64u
#define NO_SLOT UINT32_MAX

struct slot {
    struct thing *thing; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t unpinned;
    struct slot *slots;
    uint32_t slot_count;
    uint32_t first_free, last_free; /* first freed, first used again */
    uint32_t free_count;
} table = {.mutex = PTHREAD_MUTEX_INITIALIZER,
           .unpinned = PTHREAD_COND_INITIALIZER,
           .first_free = NO_SLOT,
           .last_free = NO_SLOT};

static atomic_uint live_runtimes;

/* --- the table; under its mutex -------------------------------------------------------------------------------------- */

static uintptr_t value_of(enum handle_kind kind, uint32_t slot)
{
    return ((uintptr_t)kind << (GENERATION_BITS + SLOT_BITS)) | ((uintptr_t)table.slots[slot].generation << SLOT_BITS) |
           slot;
}

static struct thing *find(enum handle_kind kind, const void *handle)
{
    uintptr_t value = (uintptr_t)handle;
    uint32_t slot = (uint32_t)(value & (SLOT_MAX - 1));
    if (slot >= table.slot_count || table.slots[slot].thing == NULL || value_of(kind, slot) != value)
        return NULL;
    return table.slots[slot].thing->kind == kind ? table.slots[slot].thing : NULL;
}

static void free_slot(uint32_t slot)
{
    struct slot *freed = &table.slots[slot];
    freed->thing = NULL;
    freed->generation = freed->generation < GENERATION_MAX ? freed->generation + 1 : 1;
    freed->next_free = NO_SLOT;
    if (table.last_free != NO_SLOT)
        table.slots[table.last_free].next_free = slot;
    else
        table.first_free = slot;
    table.last_free = slot;
    table.free_count++;
}

static peer_status grow(void)
{
    uint32_t count = table.slot_count == 0 ? 2 * FREE_SLOTS_KEPT : table.slot_count * 2;
    struct slot *slots = peer__realloc_array(table.slots, count, sizeof(*slots));
    if (slots == NULL)
        return peer__out_of_memory();
    table.slots = slots;
    for (uint32_t slot = table.slot_count; slot < count; slot++) {
        slots[slot].generation = 0;
        free_slot(slot);
    }
    table.slot_count = count;
    return PEER_OK;
}

static peer_status take_slot(uint32_t *slot_out)
{
    if (table.free_count <= FREE_SLOTS_KEPT && table.slot_count < SLOT_MAX)
        PEER_TRY(grow());
    if (table.free_count == 0)
        return peer__fail(E_OUTOFMEMORY, "%u handles are open, more cannot be", SLOT_MAX);
    uint32_t slot = table.first_free;
    table.first_free = table.slots[slot].next_free;
    if (table.first_free == NO_SLOT)
        table.last_free = NO_SLOT;
    table.free_count--;
    *slot_out = slot;
    return PEER_OK;
}

/* --- things ----------------------------------------------------------------------------------------------------------- */

void *peer__thing_create(enum handle_kind kind, size_t size)
{
    struct thing *thing = peer__calloc(1, size);
    if (thing == NULL)
        return NULL;
    thing->kind = kind;
    thing->references = 1;
    list_init(&thing->children);
    list_init(&thing->sibling);
    return thing;
}

static void destroy(struct thing *thing)
{
    if (thing->kind == HANDLE_QUEUE) {
        struct event_queue *queue = ((struct api_queue *)thing)->queue;
        if (queue != NULL)
            peer__event_queue_release(queue);
    }
    if (thing->kind == HANDLE_ENUM) {
        peer__search_release(((struct api_enum *)thing)->search);
        peer__free(((struct api_enum *)thing)->ids);
    }
    if (thing->kind == HANDLE_BATCH)
        peer__batch_free_changes((struct api_batch *)thing);
    if (thing->kind == HANDLE_SIM && ((struct api_sim *)thing)->ready != NULL)
        peer__ready_set_release(((struct api_sim *)thing)->ready);
    peer__free(thing);
}

/* Under the mutex; what is to be freed goes to `dead` and is freed without it. */
static void release(struct thing *thing, struct list *dead)
{
    while (thing != NULL && --thing->references == 0) {
        assert(list_is_empty(&thing->children) && list_is_empty(&thing->sibling));
        list_append(dead, &thing->sibling);
        thing = thing->parent;
    }
}

static void free_dead(struct list *dead)
{
    LIST_FOR (node, following, dead) {
        list_remove(node);
        destroy(CONTAINER_OF(node, struct thing, sibling));
    }
}

void peer__thing_release(void *thing)
{
    struct list dead;
    list_init(&dead);
    pthread_mutex_lock(&table.mutex);
    release(thing, &dead);
    pthread_mutex_unlock(&table.mutex);
    free_dead(&dead);
}

static int has_driver(enum handle_kind kind)
{
    return kind == HANDLE_RUNTIME || kind == HANDLE_SIM;
}

static struct api_runtime *runtime_of(struct thing *thing)
{
    while (!has_driver(thing->kind))
        thing = thing->parent;
    return (struct api_runtime *)thing;
}

struct api_sim *peer__network_of(struct api_runtime *runtime)
{
    return (struct api_sim *)runtime->thing.parent;
}

/* Under the mutex. A network outlives the calls for its runtimes. */
static void pin(struct api_runtime *runtime)
{
    struct api_sim *network = peer__network_of(runtime);
    runtime->pins++;
    if (network != NULL)
        network->base.pins++;
}

static void unpin_one(struct api_runtime *runtime)
{
    if (--runtime->pins == 0 && runtime->stopping)
        pthread_cond_broadcast(&table.unpinned);
}

static void unpin(struct api_runtime *runtime)
{
    struct api_sim *network = peer__network_of(runtime);
    unpin_one(runtime);
    if (network != NULL)
        unpin_one(&network->base);
}

static int is_stopping(struct api_runtime *runtime)
{
    struct api_sim *network = peer__network_of(runtime);
    return runtime->stopping || (network != NULL && network->base.stopping);
}

static const char *name_of(enum handle_kind kind)
{
    static const char *const names[] = {"", "runtime", "graph", "queue", "enumeration", "batch", "network"};
    return names[kind];
}

static peer_status status_of(enum handle_kind kind)
{
    return kind == HANDLE_RUNTIME ? PEER_E_NOT_INITIALIZED : kind == HANDLE_GRAPH ? PEER_E_INVALID_GRAPH : E_INVALIDARG;
}

static peer_status is_none(enum handle_kind kind, const void *handle)
{
    if (handle == NULL)
        return peer__fail(status_of(kind), "%s is NULL", name_of(kind));
    return peer__fail(status_of(kind), "the %s was closed or ended, or never was one (handle %p)", name_of(kind),
                      handle);
}

peer_status peer__has_ended(enum handle_kind kind)
{
    return peer__fail(status_of(kind), "the %s was ended by another thread", name_of(kind));
}

peer_status peer__handle_create(void *child, void *parent, uintptr_t *handle_out)
{
    struct thing *thing = child;
    struct thing *above = parent;
    uint32_t slot = 0;
    peer_status status = PEER_OK;
    pthread_mutex_lock(&table.mutex);
    if (above != NULL && above->handle == 0)
        status = peer__has_ended(above->kind);
    else
        status = take_slot(&slot);
    if (status >= 0) {
        table.slots[slot].thing = thing;
        *handle_out = thing->handle = value_of(thing->kind, slot);
        thing->references++;
        thing->parent = above;
        if (above != NULL) {
            above->references++;
            list_append(&above->children, &thing->sibling);
        }
        if (has_driver(thing->kind))
            atomic_fetch_add(&live_runtimes, 1);
    }
    pthread_mutex_unlock(&table.mutex);
    return status;
}

/* The tree is four deep: network, runtime, graph, enumeration. Queues stay readable until they are unregistered. */
static void retire(struct thing *thing, struct list *dead)
{
    if (has_driver(thing->kind))
        atomic_fetch_sub(&live_runtimes, 1);
    free_slot((uint32_t)(thing->handle & (SLOT_MAX - 1)));
    thing->handle = 0;
    list_remove(&thing->sibling);
    LIST_FOR (node, following, &thing->children) {
        struct thing *child = CONTAINER_OF(node, struct thing, sibling);
        if (child->kind == HANDLE_QUEUE)
            list_remove(node);
        else
            retire(child, dead);
    }
    release(thing, dead);
}

int peer__handle_retire(void *retired)
{
    struct thing *thing = retired;
    struct list dead;
    list_init(&dead);
    pthread_mutex_lock(&table.mutex);
    int was_alive = thing->handle != 0;
    if (was_alive)
        retire(thing, &dead);
    pthread_mutex_unlock(&table.mutex);
    free_dead(&dead);
    return was_alive ? 0 : -1;
}

/* --- entering and leaving --------------------------------------------------------------------------------------------- */

peer_status peer__check_not_forked(void)
{
    if (peer__is_forked())
        return peer__fail(PEER_E_FORKED, "this process is a fork of the one that started the runtime");
    return PEER_OK;
}

peer_status peer__check_process(void)
{
    PEER_TRY(peer__check_not_forked());
    if (peer__runtime_exiting()) /* an exit handler older than ours may still call */
        return peer__fail(PEER_E_NOT_INITIALIZED, "the process is exiting");
    if (atomic_load(&live_runtimes) == 0)
        return peer__fail(PEER_E_NOT_INITIALIZED, "no runtime is alive in this process");
    return PEER_OK;
}

peer_status peer__enter(struct call *call, enum handle_kind kind, const void *handle)
{
    *call = (struct call){0};
    pthread_mutex_lock(&table.mutex);
    struct thing *thing = find(kind, handle);
    if (thing != NULL) {
        thing->references++;
        call->thing = thing;
        call->runtime = runtime_of(thing);
        pin(call->runtime);
        call->graph = (struct api_graph *)(has_driver(kind) ? NULL : kind == HANDLE_GRAPH ? thing : thing->parent);
    }
    pthread_mutex_unlock(&table.mutex);
    return thing != NULL ? PEER_OK : is_none(kind, handle);
}

void peer__call_lock_for_end(struct call *call)
{
    call->runtime->driver->lock(call->runtime->driver);
    call->locked = 1;
}

peer_status peer__call_lock(struct call *call)
{
    struct thing *thing = call->thing;
    peer__call_lock_for_end(call);
    pthread_mutex_lock(&table.mutex);
    int is_open = thing->handle != 0;
    int is_closing = call->graph != NULL && call->graph->thing.handle == 0;
    pthread_mutex_unlock(&table.mutex);
    if (is_closing)
        return peer__fail(PEER_E_GRAPH_SHUTTING_DOWN, "the graph was closed by another thread during the call");
    if (!is_open)
        return peer__has_ended(thing->kind);
    if (call->graph != NULL && call->graph->graph != NULL && !call->imports &&
        peer__graph_is_importing(call->graph->graph))
        return peer__fail(PEER_E_GRAPH_IN_USE, "the graph's database is being imported");
    return PEER_OK;
}

void peer__call_unlock(struct call *call)
{
    call->runtime->driver->unlock(call->runtime->driver);
    call->locked = 0;
}

peer_status peer__leave(struct call *call, peer_status status)
{
    struct list dead;
    list_init(&dead);
    if (call->locked)
        peer__call_unlock(call);
    pthread_mutex_lock(&table.mutex);
    unpin(call->runtime);
    release(call->thing, &dead);
    pthread_mutex_unlock(&table.mutex);
    free_dead(&dead);
    return status;
}

peer_status peer__enter_locked(struct call *call, enum handle_kind kind, const void *handle)
{
    PEER_TRY(peer__enter(call, kind, handle));
    peer_status status = peer__call_lock(call);
    return status >= 0 ? PEER_OK : peer__leave(call, status);
}

/* --- queues ----------------------------------------------------------------------------------------------------------- */

static peer_status is_no_queue(const peer_event_queue *handle)
{
    peer_status status = peer__check_process();
    return status < 0 ? status : is_none(HANDLE_QUEUE, handle);
}

peer_status peer__enter_queue(const peer_event_queue *handle, struct event_queue **queue_out)
{
    PEER_TRY(peer__check_not_forked());
    pthread_mutex_lock(&table.mutex);
    struct api_queue *found = (struct api_queue *)find(HANDLE_QUEUE, handle);
    if (found != NULL)
        *queue_out = peer__event_queue_retain(found->queue);
    pthread_mutex_unlock(&table.mutex);
    return found != NULL ? PEER_OK : is_no_queue(handle);
}

peer_status peer__enter_unregister(struct call *call, const peer_event_queue *handle)
{
    struct list dead;
    list_init(&dead);
    *call = (struct call){0};
    PEER_TRY(peer__check_not_forked());
    pthread_mutex_lock(&table.mutex);
    struct thing *thing = find(HANDLE_QUEUE, handle);
    if (thing != NULL) {
        thing->references++;
        call->thing = thing;
        call->graph = (struct api_graph *)thing->parent;
        if (!is_stopping(runtime_of(thing)) && !peer__runtime_exiting()) {
            call->runtime = runtime_of(thing);
            pin(call->runtime);
        }
        retire(thing, &dead);
    }
    pthread_mutex_unlock(&table.mutex);
    return thing != NULL ? PEER_OK : is_no_queue(handle);
}

peer_status peer__enter_wait(struct call *call, const peer_event_queue *handle, struct event_queue **queue_out)
{
    *call = (struct call){0};
    PEER_TRY(peer__check_not_forked());
    pthread_mutex_lock(&table.mutex);
    struct thing *thing = find(HANDLE_QUEUE, handle);
    if (thing != NULL) {
        struct api_runtime *runtime = runtime_of(thing);
        *queue_out = peer__event_queue_retain(((struct api_queue *)thing)->queue);
        if (!is_stopping(runtime) && runtime->driver->pass_time != NULL) {
            thing->references++;
            call->thing = thing;
            call->runtime = runtime;
            pin(runtime);
        }
    }
    pthread_mutex_unlock(&table.mutex);
    return thing != NULL ? PEER_OK : is_no_queue(handle);
}

int peer__enter_queue_locked(struct call *call, const peer_event_queue *handle)
{
    *call = (struct call){0};
    pthread_mutex_lock(&table.mutex);
    struct thing *thing = find(HANDLE_QUEUE, handle);
    if (thing != NULL && !is_stopping(runtime_of(thing)) && !peer__runtime_exiting()) {
        thing->references++;
        call->thing = thing;
        call->runtime = runtime_of(thing);
        call->graph = (struct api_graph *)thing->parent;
        pin(call->runtime);
    }
    pthread_mutex_unlock(&table.mutex);
    if (call->runtime != NULL)
        peer__call_lock_for_end(call);
    return call->runtime != NULL;
}

int peer__call_is_unwanted(const struct call *call)
{
    pthread_mutex_lock(&table.mutex);
    int unwanted = is_stopping(call->runtime);
    pthread_mutex_unlock(&table.mutex);
    return unwanted;
}

/* --- the end of a runtime --------------------------------------------------------------------------------------------- */

/* Under the mutex, which is let go while calls are waited for. */
static void retire_and_wait(struct api_runtime *runtime, struct list *dead)
{
    runtime->stopping = 1;
    retire(&runtime->thing, dead);
    while (runtime->pins > 0)
        pthread_cond_wait(&table.unpinned, &table.mutex);
}

peer_status peer__runtime_end(enum handle_kind kind, const void *handle)
{
    struct list dead;
    list_init(&dead);
    pthread_mutex_lock(&table.mutex);
    struct api_runtime *runtime = (struct api_runtime *)find(kind, handle);
    if (runtime == NULL) {
        pthread_mutex_unlock(&table.mutex);
        return is_none(kind, handle);
    }
    struct api_sim *network = peer__network_of(runtime);
    runtime->thing.references++;
    if (network != NULL)
        network->base.pins++; /* its hosts stay until this one has stopped */
    retire_and_wait(runtime, &dead);
    pthread_mutex_unlock(&table.mutex);
    free_dead(&dead);
    runtime->driver->stop(runtime->driver, RUNTIME_LINGER_MS);
    if (network != NULL) {
        pthread_mutex_lock(&table.mutex);
        unpin_one(&network->base);
        pthread_mutex_unlock(&table.mutex);
    }
    peer__thing_release(runtime);
    return PEER_OK;
}

/* --- simulated networks ----------------------------------------------------------------------------------------------- */

int peer__handle_is_alive(enum handle_kind kind, uintptr_t handle)
{
    pthread_mutex_lock(&table.mutex);
    int is_alive = find(kind, (const void *)handle) != NULL;
    pthread_mutex_unlock(&table.mutex);
    return is_alive;
}

int peer__runtime_retire(uintptr_t handle)
{
    struct list dead;
    list_init(&dead);
    pthread_mutex_lock(&table.mutex);
    struct api_runtime *runtime = (struct api_runtime *)find(HANDLE_RUNTIME, (const void *)handle);
    if (runtime != NULL) {
        runtime->thing.references++;
        retire_and_wait(runtime, &dead);
        release(&runtime->thing, &dead);
    }
    pthread_mutex_unlock(&table.mutex);
    free_dead(&dead);
    return runtime != NULL ? 0 : -1;
}
