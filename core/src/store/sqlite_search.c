/* Searches run on connections of their own, over what they saw when they began, so that they keep nobody waiting. */
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/sqlite_found.h"
#include "store/sqlite_plan.h"

/* What the searches of a store have in common; lives until the store and all of them are gone. */
struct search_gate {
    pthread_mutex_t mutex;
    pthread_cond_t rested;
    struct list searches;
    int is_closed;
    unsigned running_count;
    unsigned references;
};

/* Rows that were visited already, by number: a hash table whose size is a power of 2. */
struct seen {
    uint64_t *slots; /* 0: free */
    size_t size;
    size_t count;
};

struct sqlite_search {
    struct store_search search;
    struct search_gate *gate;
    struct list node;
    char *path;
    const struct search *tree;
    sqlite3 *db; /* NULL: the store was closed. It and all below belong to whoever runs, and else to the gate's mutex */
    struct search_plan plan;
    int is_planned;
    int is_decisive; /* the tree has no <and>: what satisfies one clause matches */
    size_t range;    /* that is being read */
    sqlite3_stmt *entries;
    struct found_records found;
    struct seen seen;
};

/* -------------------------------------------------------------------------------------------------- rows seen */

/* Eight neighbours stand together, in one line of the processor's cache: rows often come in their order. */
static size_t slot_of(const struct seen *seen, uint64_t seq)
{
    uint64_t spread = (seq >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    size_t at = (size_t)(spread << 3 | (seq & 7)) & (seen->size - 1);

    while (seen->slots[at] != 0 && seen->slots[at] != seq)
        at = (at + 1) & (seen->size - 1);
    return at;
}

static int seen_grow(struct seen *seen)
{
    struct seen larger = {.size = seen->size != 0 ? seen->size * 2 : 1024, .count = seen->count};

    larger.slots = peer__calloc(larger.size, sizeof(*larger.slots));
    if (larger.slots == NULL)
        return -1;
    for (size_t i = 0; i < seen->size; i++) {
        if (seen->slots[i] != 0)
            larger.slots[slot_of(&larger, seen->slots[i])] = seen->slots[i];
    }
    peer__free(seen->slots);
    *seen = larger;
    return 0;
}

/* 1 if it is new, 0 if it was there, -1 when memory is out. */
static int seen_add(struct seen *seen, uint64_t seq)
{
    if (seen->count * 2 >= seen->size && seen_grow(seen) != 0)
        return -1;
    size_t at = slot_of(seen, seq);
    if (seen->slots[at] == seq)
        return 0;
    seen->slots[at] = seq;
    seen->count++;
    return 1;
}

/* ------------------------------------------------------------------------------------------------- the entries */

/* One entry. If it fails its clause, the record is passed over: should that match, another entry leads to it. `*stop_out`
 * 1: the visitor has enough. */
static int examine(struct sqlite_search *search, store_visit visit, void *context, int *stop_out)
{
    struct store_row row;
    enum entry_verdict verdict;
    uint64_t seq;
    int result = peer__sqlite_range_entry(&search->plan.ranges[search->range], search->entries, &seq, &verdict);

    if (result != SQLITE_OK || verdict == ENTRY_FAILS)
        return result;
    int is_new = seen_add(&search->seen, seq);
    if (is_new <= 0)
        return is_new < 0 ? SQLITE_NOMEM : SQLITE_OK;
    int matches = search->is_decisive && verdict == ENTRY_SATISFIES;
    result = peer__sqlite_found_read(&search->found, seq, &row);
    if (result == SQLITE_OK && !matches) {
        result = peer__sqlite_found_read_attributes(&search->found, &row);
        matches = result == SQLITE_OK && peer__search_matches(search->tree, &row);
    }
    if (result == SQLITE_OK && matches)
        *stop_out = visit(context, &row);
    return result;
}

static int is_decisive(const struct search *tree)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].kind == SEARCH_AND)
            return 0;
    }
    return 1;
}

static int plan(struct sqlite_search *search)
{
    int result = peer__sqlite_plan(search->db, search->tree, &search->plan);

    search->is_decisive = is_decisive(search->tree);
    if (result == SQLITE_OK)
        result = peer__sqlite_found_open(search->db, search->tree, &search->found);
    if (result != SQLITE_OK) {
        peer__sqlite_found_close(&search->found);
        peer__sqlite_plan_free(&search->plan);
    }
    search->is_planned = result == SQLITE_OK;
    return result;
}

/* Looks at one entry, or at the end of a range begins with the next one. */
static int advance(struct sqlite_search *search, store_visit visit, void *context, int *stop_out)
{
    int result;

    if (search->entries == NULL)
        return peer__sqlite_range_prepare(search->db, &search->plan.ranges[search->range], &search->entries);
    result = sqlite3_step(search->entries);
    if (result == SQLITE_ROW)
        return examine(search, visit, context, stop_out);
    sqlite3_finalize(search->entries);
    search->entries = NULL;
    search->range++;
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static peer_status run(struct sqlite_search *search, store_visit visit, void *context, int *end_out)
{
    int result = search->is_planned ? SQLITE_OK : plan(search);
    int stop = 0;

    for (unsigned examined = 0; result == SQLITE_OK && examined < STORE_SEARCH_EXAMINED_MAX && !stop; examined++) {
        if (search->range >= search->plan.count)
            break;
        result = advance(search, visit, context, &stop);
    }
    if (result == SQLITE_NOMEM)
        return peer__out_of_memory();
    if (result != SQLITE_OK)
        return peer__sqlite_failed(search->db, result, search->path);
    *end_out = search->range >= search->plan.count;
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------- life and death */

static void gate_release(struct search_gate *gate) /* locked; unlocks */
{
    int is_last = --gate->references == 0;

    pthread_mutex_unlock(&gate->mutex);
    if (!is_last)
        return;
    pthread_cond_destroy(&gate->rested);
    pthread_mutex_destroy(&gate->mutex);
    peer__free(gate);
}

static void disconnect(struct sqlite_search *search)
{
    sqlite3_finalize(search->entries);
    peer__sqlite_found_close(&search->found);
    sqlite3_close(search->db);
    search->entries = NULL;
    search->db = NULL;
}

static peer_status search_step(struct store_search *base, store_visit visit, void *context, int *end_out)
{
    struct sqlite_search *search = CONTAINER_OF(base, struct sqlite_search, search);
    struct search_gate *gate = search->gate;

    pthread_mutex_lock(&gate->mutex);
    int is_closed = gate->is_closed || search->db == NULL;
    gate->running_count += !is_closed;
    pthread_mutex_unlock(&gate->mutex);
    if (is_closed)
        return peer__fail(PEER_E_GRAPH_SHUTTING_DOWN, "the graph was closed during the search");
    peer_status status = run(search, visit, context, end_out);
    pthread_mutex_lock(&gate->mutex);
    gate->running_count--;
    pthread_cond_broadcast(&gate->rested);
    pthread_mutex_unlock(&gate->mutex);
    return status;
}

static void search_close(struct store_search *base)
{
    struct sqlite_search *search = CONTAINER_OF(base, struct sqlite_search, search);

    pthread_mutex_lock(&search->gate->mutex);
    list_remove(&search->node);
    disconnect(search);
    gate_release(search->gate);
    peer__sqlite_plan_free(&search->plan);
    peer__free(search->seen.slots);
    peer__free(search->path);
    peer__free(search);
}

/* The snapshot is what is there at the first read. A connection that closes would try to move the journal, for which it
 * locks out those that are about to begin. Most pages are read once: with a cache of 8 MiB, whose memory has to be had
 * first, 100,000 ids took a third longer. */
static peer_status connect_search(struct sqlite_search *search)
{
    PEER_TRY(peer__sqlite_connect(search->path, &search->db));
    int result = sqlite3_db_config(search->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(search->db,
                              "PRAGMA query_only = 1; PRAGMA cache_size = -1024;"
                              "BEGIN; SELECT 1 FROM sqlite_master LIMIT 1",
                              NULL, NULL, NULL);
    return result == SQLITE_OK ? PEER_OK : peer__sqlite_failed(search->db, result, search->path);
}

peer_status peer__sqlite_search(struct store *base, const struct search *tree, struct store_search **search_out)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    struct search_gate *gate = store->searches;
    struct sqlite_search *search = peer__calloc(1, sizeof(*search));

    if (search == NULL)
        return peer__out_of_memory();
    search->search = (struct store_search){.step = search_step, .close = search_close};
    search->tree = tree;
    search->gate = gate;
    search->path = peer__strdup(store->path);
    pthread_mutex_lock(&gate->mutex);
    gate->references++;
    list_append(&gate->searches, &search->node);
    pthread_mutex_unlock(&gate->mutex);
    peer_status status = search->path != NULL ? connect_search(search) : peer__out_of_memory();
    if (status < 0)
        search_close(&search->search);
    else
        *search_out = &search->search;
    return status;
}

peer_status peer__sqlite_searches_new(struct sqlite_store *store)
{
    struct search_gate *gate = peer__calloc(1, sizeof(*gate));

    if (gate == NULL)
        return peer__out_of_memory();
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->rested, NULL);
    list_init(&gate->searches);
    gate->references = 1;
    store->searches = gate;
    return PEER_OK;
}

void peer__sqlite_searches_close(struct sqlite_store *store)
{
    struct search_gate *gate = store->searches;

    if (gate == NULL)
        return;
    store->searches = NULL;
    pthread_mutex_lock(&gate->mutex);
    gate->is_closed = 1;
    while (gate->running_count != 0) /* about a millisecond */
        pthread_cond_wait(&gate->rested, &gate->mutex);
    LIST_FOR (node, following, &gate->searches)
        disconnect(CONTAINER_OF(node, struct sqlite_search, node));
    gate_release(gate);
}
