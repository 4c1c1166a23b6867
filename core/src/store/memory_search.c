#include "store/memory_search.h"

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"

struct memory_search {
    struct store_search search;
    struct buffer found; /* struct found */
    size_t next;
};

/* Rows may go while the search is under way. */
struct found {
    uint64_t seq;
    uint64_t expires;
    peer_guid id;
    peer_guid type;
    uint32_t flags;
    uint32_t local_flags;
};

static peer_status search_step(struct store_search *base, store_visit visit, void *context, int *end_out)
{
    struct memory_search *search = CONTAINER_OF(base, struct memory_search, search);
    const struct found *found = (const struct found *)(const void *)search->found.data;
    size_t count = search->found.size / sizeof(*found);
    int stop = 0;

    for (size_t visited = 0; search->next < count && visited < STORE_SEARCH_EXAMINED_MAX && !stop; visited++) {
        const struct found *at = &found[search->next++];
        struct store_row row = {.seq = at->seq,
                                .id = at->id,
                                .type = at->type,
                                .flags = at->flags,
                                .local_flags = at->local_flags,
                                .expires = at->expires};
        stop = visit(context, &row);
    }
    *end_out = search->next == count;
    return PEER_OK;
}

static void search_close(struct store_search *base)
{
    struct memory_search *search = CONTAINER_OF(base, struct memory_search, search);

    peer__buffer_free(&search->found);
    peer__free(search);
}

static void collect(struct memory_search *search, struct row *root, const struct search *tree)
{
    struct store_row key = {.seq = 0};

    for (struct row *row = peer__tree_at_least(root, ORDER_SEQ, &key); row != NULL;
         row = peer__tree_after(root, ORDER_SEQ, &row->record)) {
        const struct store_row *record = &row->record;
        struct found found = {record->seq,  record->expires, record->id,
                              record->type, record->flags,   record->local_flags};
        if (peer__search_matches(tree, record))
            peer__buffer_append(&search->found, &found, sizeof(found));
    }
}

peer_status peer__memory_search(struct row *root, const struct search *tree, struct store_search **search_out)
{
    struct memory_search *search = peer__calloc(1, sizeof(*search));

    if (search == NULL)
        return peer__out_of_memory();
    search->search = (struct store_search){.step = search_step, .close = search_close};
    collect(search, root, tree);
    if (search->found.failed) {
        search_close(&search->search);
        return peer__out_of_memory();
    }
    *search_out = &search->search;
    return PEER_OK;
}
