/*
 * Searching records. The caller's thread finds the first ones; the rest a worker, so that the database is not held in an
 * old state for as long as somebody keeps an enumeration. A thread that needs more than there is goes on itself.
 */
#include "api/search.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "api/input.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "graph/graph.h"
#include "runtime/runtime.h"
#include "xml/search.h"

/** Found by the call itself. */
#define FIRST_COUNT 256u

struct search_result {
    struct job job;
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    unsigned references; /* under the mutex, as all below */
    int is_running;      /* somebody has `search` and goes on */
    int is_unwanted;     /* the enumeration has ended */
    int has_ended;
    peer_status status; /* why it ended */
    char line[512];     /* the error line of that */
    uint64_t found_count;
    struct buffer found; /* ids that the enumeration has not taken yet */
    struct search tree;
    struct graph_search search; /* belongs to whoever runs */
};

static void destroy(struct search_result *result)
{
    peer__graph_search_end(&result->search);
    peer__search_free(&result->tree);
    peer__buffer_free(&result->found);
    pthread_cond_destroy(&result->moved);
    pthread_mutex_destroy(&result->mutex);
    peer__free(result);
}

static void release(struct search_result *result)
{
    pthread_mutex_lock(&result->mutex);
    int is_last = --result->references == 0;
    pthread_mutex_unlock(&result->mutex);
    if (is_last)
        destroy(result);
}

void peer__search_release(struct search_result *result)
{
    if (result == NULL)
        return;
    pthread_mutex_lock(&result->mutex);
    result->is_unwanted = 1;
    pthread_mutex_unlock(&result->mutex);
    release(result);
}

/* --- going on --------------------------------------------------------------------------------------------------------- */

static void end(struct search_result *result, peer_status status)
{
    result->has_ended = 1;
    result->status = status;
    if (status < 0)
        snprintf(result->line, sizeof(result->line), "%s", peer__last_error());
}

/* Under the mutex, which is let go meanwhile. */
static void go_on(struct search_result *result)
{
    struct buffer *ids = &result->search.ids;
    int has_ended = 0;
    result->is_running = 1;
    pthread_mutex_unlock(&result->mutex);
    peer_status status = peer__graph_search_step(&result->search, &has_ended);
    pthread_mutex_lock(&result->mutex);
    peer__buffer_append(&result->found, ids->data, ids->size);
    result->found_count += ids->size / sizeof(peer_guid);
    if (status >= 0 && result->found.failed)
        status = peer__out_of_memory();
    if (status < 0 || has_ended) {
        end(result, status);
        peer__graph_search_end(&result->search);
    }
    peer__buffer_clear(ids);
    result->is_running = 0;
    pthread_cond_broadcast(&result->moved);
}

/* A worker must not hold up the end of the process, which has little time to close graphs. */
static int is_given_up(const struct search_result *result, int for_job)
{
    return for_job && (result->is_unwanted || peer__runtime_exiting());
}

static peer_status wait_for(struct search_result *result, uint64_t count, int for_job)
{
    peer_status status = PEER_OK;
    pthread_mutex_lock(&result->mutex);
    while (!result->has_ended && result->found_count < count && !is_given_up(result, for_job)) {
        if (result->is_running)
            pthread_cond_wait(&result->moved, &result->mutex);
        else
            go_on(result);
    }
    if (result->has_ended && result->status < 0 && result->found_count < count)
        status = peer__fail(result->status, "%s", result->line);
    pthread_mutex_unlock(&result->mutex);
    return status;
}

peer_status peer__search_wait(struct search_result *result, uint64_t count)
{
    return wait_for(result, count, 0);
}

peer_status peer__search_take(struct search_result *result, struct api_enum *enumeration)
{
    peer_status status = PEER_OK;
    pthread_mutex_lock(&result->mutex);
    size_t count = result->found.size / sizeof(peer_guid);
    if (count > UINT32_MAX - enumeration->count)
        status = peer__fail(E_OUTOFMEMORY, "more records were found than an enumeration can hold");
    if (status >= 0 && count > 0) {
        void *ids = peer__realloc_array(enumeration->ids, enumeration->count + count, sizeof(peer_guid));
        if (ids == NULL) {
            status = peer__out_of_memory();
        } else {
            enumeration->ids = ids;
            memcpy((peer_guid *)ids + enumeration->count, result->found.data, result->found.size);
            enumeration->count += (uint32_t)count;
            peer__buffer_clear(&result->found);
        }
    }
    pthread_mutex_unlock(&result->mutex);
    return status;
}

static void job_run(struct job *job)
{
    (void)wait_for(CONTAINER_OF(job, struct search_result, job), UINT64_MAX, 1);
}

static void job_done(struct job *job)
{
    release(CONTAINER_OF(job, struct search_result, job));
}

/* --- beginning -------------------------------------------------------------------------------------------------------- */

static struct search_result *result_create(void)
{
    struct search_result *result = peer__calloc(1, sizeof(*result));
    if (result == NULL)
        return NULL;
    pthread_mutex_init(&result->mutex, NULL);
    pthread_cond_init(&result->moved, NULL);
    result->job = (struct job){.run = job_run, .done = job_done, .is_long = 1};
    result->references = 1;
    return result;
}

/* Reading the query may take a while: 10 MB of XML are no reason to keep others out. */
static peer_status begin(struct call *call, const char *criteria, struct search_result *result)
{
    PEER_TRY(peer__graph_require_ready(call->graph->graph));
    peer__call_unlock(call);
    PEER_TRY(peer__search_parse(criteria, strlen(criteria), &result->tree));
    PEER_TRY(peer__call_lock(call));
    PEER_TRY(peer__graph_search_begin(call->graph->graph, &result->tree, &result->search));
    peer__call_unlock(call);
    PEER_TRY(peer__search_wait(result, FIRST_COUNT));
    return peer__call_lock(call);
}

/* What was found so far is the enumeration's; the rest is left to a worker. */
static peer_status hand_over(struct call *call, struct search_result *result, struct api_enum *enumeration)
{
    PEER_TRY(peer__search_take(result, enumeration));
    enumeration->item_of = ITEM_RECORDS;
    enumeration->search = result;
    pthread_mutex_lock(&result->mutex);
    result->references += !result->has_ended;
    int has_ended = result->has_ended;
    pthread_mutex_unlock(&result->mutex);
    if (!has_ended)
        peer__graph_submit(call->graph->graph, &result->job);
    return PEER_OK;
}

static peer_status search(struct call *call, const char *criteria, uintptr_t *handle_out)
{
    struct search_result *result = result_create();
    struct api_enum *enumeration = peer__thing_create(HANDLE_ENUM, sizeof(*enumeration));
    peer_status status = result == NULL || enumeration == NULL ? peer__out_of_memory() : begin(call, criteria, result);
    if (status >= 0)
        status = hand_over(call, result, enumeration);
    if (status >= 0)
        status = peer__handle_create(enumeration, call->graph, handle_out);
    if (enumeration == NULL || enumeration->search == NULL)
        peer__search_release(result);
    if (enumeration != NULL)
        peer__thing_release(enumeration);
    return status;
}

peer_status peer_graph_search_records(peer_graph *graph, const char *criteria, peer_enum **enum_out)
{
    struct call call;
    uintptr_t handle;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("criteria", criteria));
    if (!peer__utf8_is_valid(criteria))
        return peer__fail(E_INVALIDARG, "criteria is not well-formed UTF-8");
    PEER_TRY(peer__input_not_null("enum_out", enum_out));
    PEER_TRY(peer__enter_locked(&call, HANDLE_GRAPH, graph));
    peer_status status = search(&call, criteria, &handle);
    if (status >= 0)
        *enum_out = (peer_enum *)handle;
    return peer__leave(&call, status);
}
