/* Batches: changes collected here and carried out by the engine in one transaction. */
#include "api/batch.h"

#include <string.h>

#include "api/input.h"
#include "api/library.h"
#include "base/error.h"
#include "base/memory.h"
#include "graph/graph.h"

#define BATCH_CHANGES_MAX 1024u

static void *copy_behind(char **end, const void *from, size_t size)
{
    if (from == NULL)
        return NULL;
    char *copy = *end;
    memcpy(copy, from, size);
    *end += size;
    return copy;
}

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

/* Makes the pointers of a view lead to memory of ours, all in one block, which `*block_out` is. */
static peer_status own_input(peer_record_view *view, void **block_out)
{
    size_t parts[] = {view->data != NULL ? view->size : 0, view->security_data != NULL ? view->security_data_size : 0,
                      text_size(view->creator_id), text_size(view->modifier_id), text_size(view->attributes)};
    size_t size = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i] > SIZE_MAX - size)
            return peer__out_of_memory();
        size += parts[i];
    }
    char *block = peer__malloc(size);
    if (block == NULL)
        return peer__out_of_memory();
    char *end = block;
    view->data = copy_behind(&end, view->data, parts[0]);
    view->security_data = copy_behind(&end, view->security_data, parts[1]);
    view->creator_id = copy_behind(&end, view->creator_id, parts[2]);
    view->modifier_id = copy_behind(&end, view->modifier_id, parts[3]);
    view->attributes = copy_behind(&end, view->attributes, parts[4]);
    *block_out = block;
    return PEER_OK;
}

static peer_status reserve(struct api_batch *batch)
{
    if (batch->count == BATCH_CHANGES_MAX)
        return peer__fail(E_INVALIDARG, "the batch holds %u changes already", BATCH_CHANGES_MAX);
    if (batch->count < batch->capacity)
        return PEER_OK;
    size_t capacity = batch->capacity == 0 ? 16 : batch->capacity * 2;
    struct graph_change *changes = peer__realloc_array(batch->changes, capacity, sizeof(*changes));
    if (changes != NULL)
        batch->changes = changes;
    void **blocks = changes != NULL ? peer__realloc_array(batch->blocks, capacity, sizeof(*blocks)) : NULL;
    if (blocks == NULL)
        return peer__out_of_memory();
    batch->blocks = blocks;
    batch->capacity = capacity;
    return PEER_OK;
}

/* There is room. */
static peer_status append(struct api_batch *batch, enum change_kind kind, const peer_record_view *input)
{
    struct graph_change change = {kind, *input};
    PEER_TRY(own_input(&change.input, &batch->blocks[batch->count]));
    batch->changes[batch->count++] = change;
    return PEER_OK;
}

void peer__batch_free_changes(struct api_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        peer__free(batch->blocks[i]);
    peer__free(batch->blocks);
    peer__free(batch->changes);
}

peer_status peer_graph_begin_batch(peer_graph *graph, peer_batch **batch_out)
{
    struct call call;
    uintptr_t handle;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("batch_out", batch_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = peer__graph_require_ready(call.graph->graph);
    if (status < 0)
        return peer__leave(&call, status);
    struct api_batch *batch = peer__thing_create(HANDLE_BATCH, sizeof(*batch));
    if (batch == NULL)
        return peer__leave(&call, peer__out_of_memory());
    status = peer__handle_create(batch, call.graph, &handle);
    if (status >= 0)
        *batch_out = (peer_batch *)handle;
    peer__thing_release(batch);
    return peer__leave(&call, status);
}

static peer_status add(struct call *call, peer_record_view *input, peer_guid *record_id_out)
{
    struct api_batch *batch = call->thing;
    peer_guid id;
    PEER_TRY(reserve(batch));
    PEER_TRY(peer__graph_prepare_add(call->graph->graph, input, &id));
    input->id = id;
    PEER_TRY(append(batch, CHANGE_ADD, input));
    *record_id_out = id;
    return PEER_OK;
}

peer_status peer_batch_add_record(peer_batch *batch, const peer_record_input *record, peer_guid *record_id_out)
{
    peer_record_view copy;
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_new_record(record, &copy));
    PEER_TRY(peer__input_not_null("record_id_out", record_id_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_BATCH, batch));
    return peer__leave(&call, add(&call, &copy, record_id_out));
}

static peer_status update(struct call *call, const peer_record_view *input)
{
    PEER_TRY(reserve(call->thing));
    PEER_TRY(peer__graph_prepare_update(call->graph->graph, input));
    return append(call->thing, CHANGE_UPDATE, input);
}

peer_status peer_batch_update_record(peer_batch *batch, const peer_record_input *record)
{
    peer_record_view copy;
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_record(record, &copy));
    PEER_TRY(peer__enter_locked(&call, HANDLE_BATCH, batch));
    return peer__leave(&call, update(&call, &copy));
}

static peer_status delete_record(struct call *call, const peer_record_view *input)
{
    PEER_TRY(reserve(call->thing));
    return append(call->thing, CHANGE_DELETE, input);
}

peer_status peer_batch_delete_secured_record(peer_batch *batch, const peer_record_input *record)
{
    peer_record_view copy;
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_record(record, &copy));
    PEER_TRY(peer__enter_locked(&call, HANDLE_BATCH, batch));
    return peer__leave(&call, delete_record(&call, &copy));
}

peer_status peer_batch_delete_record(peer_batch *batch, const peer_guid *record_id)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("record_id", record_id));
    PEER_TRY(peer__enter_locked(&call, HANDLE_BATCH, batch));
    return peer__leave(&call, delete_record(&call, &(peer_record_view){.id = *record_id}));
}

peer_status peer_batch_commit(peer_batch *handle)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter_locked(&call, HANDLE_BATCH, handle));
    struct api_batch *batch = call.thing;
    if (peer__handle_retire(batch) != 0)
        return peer__leave(&call, peer__has_ended(HANDLE_BATCH));
    peer_status status =
        batch->count > 0 ? peer__graph_apply(call.graph->graph, batch->changes, batch->count) : PEER_OK;
    return peer__leave(&call, status);
}

static peer_status abort_batch(peer_batch *batch)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter(&call, HANDLE_BATCH, batch));
    return peer__leave(&call, peer__handle_retire(call.thing) == 0 ? PEER_OK : peer__has_ended(HANDLE_BATCH));
}

peer_status peer_batch_abort(peer_batch *batch)
{
    struct kept_error kept = peer__error_keep();
    return peer__error_restore(&kept, abort_batch(batch));
}
