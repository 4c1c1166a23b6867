/* Enumerations: a list of ids, bodies loaded when they are fetched. */
#include <inttypes.h>
#include <string.h>

#include "api/handle.h"
#include "api/input.h"
#include "api/library.h"
#include "api/search.h"
#include "api/views.h"
#include "base/error.h"
#include "base/memory.h"
#include "event/object.h"
#include "event/view.h"
#include "graph/graph.h"

/* Bodies that one call loads, at most one more. */
#define FETCH_BYTES_MAX (16u * 1024 * 1024)
/* Records that are looked at before the lock is let go: about a millisecond. */
#define LISTED_RECORDS 1024u
/* The lock is let go between slices, so that a large fetch does not keep others out. */
#define SLICE_RECORDS 64u
#define SLICE_BYTES (256u * 1024)

/* The lock is let go between pieces, so that a large database does not keep others out. */
static peer_status list_records(struct call *call, struct graph_listing *listing, struct api_enum *enumeration)
{
    size_t count;
    int end = 0;
    for (;;) {
        PEER_TRY(peer__graph_listing_step(call->graph->graph, listing, LISTED_RECORDS, &end));
        peer__call_unlock(call);
        if (end)
            break;
        PEER_TRY(peer__call_lock(call));
    }
    peer_guid *ids;
    PEER_TRY(peer__graph_listing_finish(listing, &ids, &count));
    enumeration->ids = ids;
    if (count > UINT32_MAX)
        return peer__fail(E_OUTOFMEMORY, "there are %zu records, more than an enumeration can hold", count);
    enumeration->count = (uint32_t)count;
    return peer__call_lock(call);
}

/* Begins an enumeration: the graph is locked. Ends with finish_enumeration. */
static peer_status begin_enumeration(struct call *call, peer_graph *graph, enum item_of item_of,
                                     struct api_enum **enumeration_out)
{
    PEER_TRY(peer__enter_locked(call, HANDLE_GRAPH, graph));
    *enumeration_out = peer__thing_create(HANDLE_ENUM, sizeof(**enumeration_out));
    if (*enumeration_out == NULL)
        return peer__leave(call, peer__out_of_memory());
    (*enumeration_out)->item_of = item_of;
    return PEER_OK;
}

static peer_status finish_enumeration(struct call *call, struct api_enum *enumeration, peer_status status,
                                      peer_enum **enum_out)
{
    uintptr_t handle;
    if (status >= 0)
        status = peer__handle_create(enumeration, call->graph, &handle);
    if (status >= 0)
        *enum_out = (peer_enum *)handle;
    peer__thing_release(enumeration);
    return peer__leave(call, status);
}

peer_status peer_graph_enum_records(peer_graph *graph, const peer_guid *type, const char *creator_id,
                                    peer_enum **enum_out)
{
    struct call call;
    struct graph_listing listing;
    struct api_enum *enumeration;
    PEER_TRY(peer__check_process());
    if (creator_id != NULL)
        PEER_TRY(peer__input_text("creator_id", creator_id, ID_UNITS));
    PEER_TRY(peer__input_not_null("enum_out", enum_out));
    PEER_TRY(begin_enumeration(&call, graph, ITEM_RECORDS, &enumeration));
    peer_status status = peer__graph_listing_begin(call.graph->graph, type, creator_id, &listing);
    if (status >= 0)
        status = list_records(&call, &listing, enumeration);
    peer__graph_listing_free(&listing);
    return finish_enumeration(&call, enumeration, status, enum_out);
}

peer_status peer_graph_enum_nodes(peer_graph *graph, const char *peer_id, peer_enum **enum_out)
{
    struct call call;
    struct api_enum *enumeration;
    peer_guid *ids;
    size_t count;
    PEER_TRY(peer__check_process());
    if (peer_id != NULL)
        PEER_TRY(peer__input_text("peer_id", peer_id, ID_UNITS));
    PEER_TRY(peer__input_not_null("enum_out", enum_out));
    PEER_TRY(begin_enumeration(&call, graph, ITEM_NODES, &enumeration));
    peer_status status = peer__graph_list_nodes(call.graph->graph, peer_id, &ids, &count);
    if (status >= 0) {
        enumeration->ids = ids;
        enumeration->count = (uint32_t)count; /* at most ROSTER_MAX */
    }
    return finish_enumeration(&call, enumeration, status, enum_out);
}

static peer_status check_connection_flags(uint32_t flags)
{
    const uint32_t known = PEER_CONNECTION_NEIGHBOR | PEER_CONNECTION_DIRECT;
    if (flags == 0 || (flags & ~known) != 0)
        return peer__fail(E_INVALIDARG, "flags is 0x%" PRIx32 ", not PEER_CONNECTION_NEIGHBOR, _DIRECT or both", flags);
    return PEER_OK;
}

peer_status peer_graph_enum_connections(peer_graph *graph, uint32_t flags, peer_enum **enum_out)
{
    struct call call;
    struct api_enum *enumeration;
    uint64_t *ids;
    size_t count;
    PEER_TRY(peer__check_process());
    PEER_TRY(check_connection_flags(flags));
    PEER_TRY(peer__input_not_null("enum_out", enum_out));
    PEER_TRY(begin_enumeration(&call, graph, ITEM_CONNECTIONS, &enumeration));
    peer_status status = peer__graph_list_connections(call.graph->graph, flags, &ids, &count);
    if (status >= 0) {
        enumeration->ids = ids;
        enumeration->count = (uint32_t)count; /* no more than descriptors */
    }
    return finish_enumeration(&call, enumeration, status, enum_out);
}

/* Locks, with at least so many records found, or all of them. */
static peer_status lock_found(struct call *call, uint64_t count)
{
    struct api_enum *enumeration = call->thing;
    if (enumeration->search != NULL)
        PEER_TRY(peer__search_wait(enumeration->search, count));
    PEER_TRY(peer__call_lock(call));
    return enumeration->search != NULL ? peer__search_take(enumeration->search, enumeration) : PEER_OK;
}

peer_status peer_get_item_count(peer_enum *enumeration, uint32_t *count_out)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("count_out", count_out));
    PEER_TRY(peer__enter(&call, HANDLE_ENUM, enumeration));
    struct api_enum *thing = call.thing;
    peer_status status = thing->search != NULL ? lock_found(&call, UINT64_MAX) : PEER_OK;
    if (status >= 0)
        *count_out = thing->count;
    return peer__leave(&call, status);
}

/* --- fetching --------------------------------------------------------------------------------------------------------- */

struct fetched { /* an object, or a record that becomes one without a lock */
    const void *object;
    struct record *record;
    uint32_t local_flags;
};

struct fetch {
    struct fetched *items;
    uint32_t count;
    uint32_t count_max;
    uint32_t first; /* where the enumeration stood */
    uint32_t next;  /* and stands now, as far as we moved it */
    size_t bytes;
};

static peer_status fetch_record(struct fetched *item, struct graph *graph, const peer_guid *id)
{
    return peer__graph_get(graph, id, &item->record, &item->local_flags);
}

static peer_status fetch_node(struct fetched *item, struct graph *graph, const peer_guid *id)
{
    struct graph_node_info info;
    peer_node_info *object;
    PEER_TRY(peer__graph_present_node(graph, id, &info));
    PEER_TRY(peer__node_info_object(&info, &object));
    item->object = object;
    return PEER_OK;
}

static peer_status fetch_connection(struct fetched *item, struct graph *graph, uint64_t id)
{
    struct graph_connection_info info;
    peer_connection_info *object;
    PEER_TRY(peer__graph_connection_info(graph, id, &info));
    PEER_TRY(peer__connection_info_object(&info, &object));
    item->object = object;
    return PEER_OK;
}

/* One item under the lock. What has vanished is skipped. */
static peer_status fetch_one(struct fetch *fetch, struct graph *graph, const struct api_enum *enumeration)
{
    struct fetched *item = &fetch->items[fetch->count];
    peer_status status;
    if (enumeration->item_of == ITEM_RECORDS)
        status = fetch_record(item, graph, (const peer_guid *)enumeration->ids + enumeration->next);
    else if (enumeration->item_of == ITEM_NODES)
        status = fetch_node(item, graph, (const peer_guid *)enumeration->ids + enumeration->next);
    else
        status = fetch_connection(item, graph, ((const uint64_t *)enumeration->ids)[enumeration->next]);
    if (status == PEER_E_RECORD_NOT_FOUND || status == PEER_E_NODE_NOT_FOUND || status == PEER_E_CONNECTION_NOT_FOUND)
        return PEER_OK;
    PEER_TRY(status);
    fetch->bytes += item->record != NULL ? item->record->wire_size : sizeof(*item);
    fetch->count++;
    return PEER_OK;
}

static int is_full(const struct fetch *fetch, const struct api_enum *enumeration)
{
    return fetch->count == fetch->count_max || fetch->bytes >= FETCH_BYTES_MAX ||
           enumeration->next == enumeration->count;
}

static peer_status fetch_slice(struct fetch *fetch, struct api_enum *enumeration, struct graph *graph)
{
    size_t bytes = fetch->bytes;
    for (uint32_t looked = 0; looked < SLICE_RECORDS && fetch->bytes - bytes < SLICE_BYTES; looked++) {
        if (is_full(fetch, enumeration))
            break;
        PEER_TRY(fetch_one(fetch, graph, enumeration));
        fetch->next = ++enumeration->next;
    }
    return PEER_OK;
}

static void drop_fetched(struct fetch *fetch)
{
    for (uint32_t i = 0; i < fetch->count; i++) {
        peer__record_release(fetch->items[i].record);
        peer__object_release(fetch->items[i].object);
    }
    peer__free(fetch->items);
}

/* Nothing is lost by a failure: the same items come again, unless another thread has gone on from here. */
static void step_back(struct call *call, struct fetch *fetch)
{
    struct api_enum *enumeration = call->thing;
    if (!call->locked && peer__call_lock(call) < 0)
        return;
    if (enumeration->next == fetch->next)
        enumeration->next = fetch->first;
}

static peer_status fetch_items(struct call *call, struct fetch *fetch)
{
    struct api_enum *enumeration = call->thing;
    PEER_TRY(peer__call_lock(call));
    if (enumeration->search != NULL) {
        uint64_t count = (uint64_t)enumeration->next + fetch->count_max;
        peer__call_unlock(call);
        PEER_TRY(lock_found(call, count));
    }
    fetch->first = fetch->next = enumeration->next;
    uint32_t left = enumeration->count - enumeration->next;
    if (fetch->count_max > left)
        fetch->count_max = left;
    fetch->items = peer__calloc(fetch->count_max, sizeof(*fetch->items));
    if (fetch->items == NULL)
        return peer__out_of_memory();
    for (;;) {
        peer_status status = fetch_slice(fetch, enumeration, call->graph->graph);
        int full = is_full(fetch, enumeration);
        if (status < 0)
            return status;
        peer__call_unlock(call);
        if (full)
            return PEER_OK;
        PEER_TRY(peer__call_lock(call));
    }
}

static peer_status become_object(struct fetched *item)
{
    peer_record *object;
    if (item->record == NULL)
        return PEER_OK;
    struct record *record = item->record;
    item->record = NULL;
    PEER_TRY(peer__record_object(record, item->local_flags, &object));
    item->object = object;
    return PEER_OK;
}

/* `view_size` 0: an array of objects, else of views. It owns the objects. */
static peer_status fill_array(struct fetch *fetch, enum item_of item_of, size_t view_size, char *array)
{
    size_t stride = view_size > 0 ? view_size : sizeof(void *);
    for (uint32_t i = 0; i < fetch->count; i++) {
        struct fetched *item = &fetch->items[i];
        PEER_TRY(become_object(item));
        if (view_size > 0)
            peer__view_copy(array + i * stride, stride, peer__item_view(item_of, item->object),
                            peer__item_view_size(item_of));
        else
            memcpy(array + i * stride, &item->object, stride);
        peer__object_array_own(array, item->object);
        item->object = NULL;
    }
    return PEER_OK;
}

static peer_status make_array(struct fetch *fetch, enum item_of item_of, size_t view_size, void **array_out)
{
    size_t stride = view_size > 0 ? view_size : sizeof(void *);
    char *array = peer__object_create_array(fetch->count * stride, fetch->count);
    if (array == NULL)
        return peer__out_of_memory();
    peer_status status = fill_array(fetch, item_of, view_size, array);
    if (status < 0)
        peer__object_release(array);
    else
        *array_out = array;
    return status;
}

/* A view has at least the fields of the first release. */
static peer_status check_item_size(const struct api_enum *enumeration, size_t view_size)
{
    return view_size == 0 ? PEER_OK : peer__view_check_size(view_size, peer__item_view_size(enumeration->item_of));
}

static peer_status next_items(peer_enum *enumeration, uint32_t count_max, size_t view_size, uint32_t *count_out,
                              void **array_out)
{
    struct call call;
    struct fetch fetch = {.count_max = count_max};
    void *array = NULL;
    PEER_TRY(peer__enter(&call, HANDLE_ENUM, enumeration));
    enum item_of item_of = ((struct api_enum *)call.thing)->item_of;
    peer_status status = check_item_size(call.thing, view_size);
    if (status >= 0)
        status = fetch_items(&call, &fetch);
    uint32_t count = fetch.count;
    if (status >= 0 && count > 0)
        status = make_array(&fetch, item_of, view_size, &array);
    drop_fetched(&fetch);
    if (status >= 0) {
        *count_out = count;
        *array_out = array;
    } else {
        step_back(&call, &fetch);
    }
    return peer__leave(&call, status);
}

static peer_status check_fetch(uint32_t count_max, const uint32_t *count_out, const char *name, const void *items_out)
{
    if (count_max == 0)
        return peer__fail(E_INVALIDARG, "count_max is 0");
    PEER_TRY(peer__input_not_null("count_out", count_out));
    return peer__input_not_null(name, items_out);
}

peer_status peer_get_next_item(peer_enum *enumeration, uint32_t count_max, uint32_t *count_out,
                               const void *const **items_out)
{
    void *array;
    PEER_TRY(peer__check_process());
    PEER_TRY(check_fetch(count_max, count_out, "items_out", items_out));
    PEER_TRY(next_items(enumeration, count_max, 0, count_out, &array));
    *items_out = array;
    return PEER_OK;
}

peer_status peer_get_item_views(peer_enum *enumeration, uint32_t count_max, size_t view_size, uint32_t *count_out,
                                const void **views_out)
{
    void *array;
    PEER_TRY(peer__check_process());
    if (view_size == 0)
        return peer__fail(E_INVALIDARG, "view_size is 0");
    PEER_TRY(check_fetch(count_max, count_out, "views_out", views_out));
    PEER_TRY(next_items(enumeration, count_max, view_size, count_out, &array));
    *views_out = array;
    return PEER_OK;
}

static peer_status end_enumeration(peer_enum *enumeration)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter(&call, HANDLE_ENUM, enumeration));
    return peer__leave(&call, peer__handle_retire(call.thing) == 0 ? PEER_OK : peer__has_ended(HANDLE_ENUM));
}

peer_status peer_end_enumeration(peer_enum *enumeration)
{
    struct kept_error kept = peer__error_keep();
    return peer__error_restore(&kept, end_enumeration(enumeration));
}
