#include "event/backlog.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"
#include "event/object.h"

/* What the system's allocator adds to a block, about. */
#define BLOCK_COST 16u
#define RECORD_COST (sizeof(struct record_item) + BLOCK_COST)
#define BUCKETS_MIN 1024u

unsigned peer__event_type_place(int32_t type)
{
    if (type >= PEER_GRAPH_EVENT_STATUS_CHANGED && type <= PEER_GRAPH_EVENT_SYNCHRONIZED)
        return (unsigned)type;
    if (type >= PEER_EVENT_OVERFLOW && type <= PEER_EVENT_PROGRESS)
        return (unsigned)(type - PEER_EVENT_OVERFLOW + PEER_GRAPH_EVENT_SYNCHRONIZED + 1);
    return 0;
}

int32_t peer__record_change_merge(int32_t first, int32_t second)
{
    int first_gone = first == PEER_RECORD_DELETED || first == PEER_RECORD_EXPIRED;
    int second_gone = second == PEER_RECORD_DELETED || second == PEER_RECORD_EXPIRED;
    if (first_gone)
        return second_gone ? first : PEER_RECORD_UPDATED; /* the reader may know the record from before */
    if (first == PEER_RECORD_ADDED && !second_gone)
        return PEER_RECORD_ADDED; /* the reader has never seen it */
    return second;
}

/* --- lists and bytes -------------------------------------------------------------------------------------------------- */

static struct record_item *as_record(struct item *item)
{
    return CONTAINER_OF(item, struct record_item, item);
}

static struct peer_event *as_event(struct item *item)
{
    return CONTAINER_OF(item, struct peer_event, item);
}

static struct item *first_item(const struct backlog *backlog)
{
    return CONTAINER_OF(backlog->items.next, struct item, list);
}

static int fits(const struct backlog *backlog, size_t cost)
{
    return cost <= backlog->bytes_max && backlog->bytes <= backlog->bytes_max - cost;
}

static size_t cost_of(struct item *item)
{
    switch (item->kind) {
    case ITEM_RECORD:
        return RECORD_COST;
    case ITEM_EVENT:
        return as_event(item)->cost;
    case ITEM_MARK:
        break;
    }
    return 0;
}

static void append(struct backlog *backlog, struct item *item)
{
    list_append(&backlog->items, &item->list);
    backlog->count++;
    backlog->bytes += cost_of(item);
}

/* --- merging by record id ---------------------------------------------------------------------------------------------
 * Only while the queue is full, or was and has not been half emptied since: until then every change is told. */

static struct record_item **bucket_of(struct backlog *backlog, const peer_guid *id)
{
    /* Others choose the ids. The address of the queue, which they do not know, keeps them out of one bucket. */
    return &backlog->buckets[peer__guid_hash(id, (uint64_t)(uintptr_t)backlog) & backlog->bucket_mask];
}

static struct record_item *find_record(struct backlog *backlog, const peer_guid *id)
{
    struct record_item *record = backlog->buckets != NULL ? *bucket_of(backlog, id) : NULL;
    while (record != NULL && !peer__guid_equal(&record->id, id))
        record = record->next_in_bucket;
    return record;
}

static void index_record(struct backlog *backlog, struct record_item *record)
{
    if (backlog->buckets == NULL)
        return;
    struct record_item **bucket = bucket_of(backlog, &record->id);
    record->next_in_bucket = *bucket;
    *bucket = record;
}

static void unindex_record(struct backlog *backlog, struct record_item *record)
{
    if (backlog->buckets == NULL)
        return;
    struct record_item **place = bucket_of(backlog, &record->id);
    while (*place != NULL && *place != record)
        place = &(*place)->next_in_bucket;
    if (*place == record)
        *place = record->next_in_bucket;
}

static void stop_merging(struct backlog *backlog)
{
    peer__free(backlog->buckets);
    backlog->buckets = NULL;
}

static struct quota *find_quota(struct backlog *backlog, uint64_t connection_id)
{
    for (size_t i = 0; i < QUOTA_PLACES; i++) {
        if (backlog->quotas[i].bytes > 0 && backlog->quotas[i].connection_id == connection_id)
            return &backlog->quotas[i];
    }
    return NULL;
}

static void give_back(struct backlog *backlog, const struct peer_event *event)
{
    struct quota *quota = find_quota(backlog, event->view.connection_id);
    if (event->is_direct)
        backlog->direct_bytes -= event->cost;
    else if (quota != NULL)
        quota->bytes -= event->cost;
}

static void unlink_item(struct backlog *backlog, struct item *item)
{
    if (item->kind == ITEM_EVENT && item->type == PEER_GRAPH_EVENT_INCOMING_DATA)
        give_back(backlog, as_event(item));
    if (item->kind == ITEM_RECORD)
        unindex_record(backlog, as_record(item));
    list_remove(&item->list);
    backlog->count--;
    backlog->bytes -= cost_of(item);
    if (backlog->buckets != NULL && backlog->bytes < backlog->bytes_max / 2)
        stop_merging(backlog);
}

static void drop(struct backlog *backlog, struct item *item)
{
    unlink_item(backlog, item);
    if (item->kind == ITEM_RECORD)
        peer__free(as_record(item));
    else if (item->kind == ITEM_EVENT)
        peer__object_release(as_event(item));
}

/* Merges what is queued and goes on merging. Without memory for the index nothing is merged. */
static void start_merging(struct backlog *backlog)
{
    if (backlog->buckets != NULL)
        return;
    size_t bucket_count = BUCKETS_MIN;
    while (bucket_count < backlog->bytes_max / RECORD_COST)
        bucket_count *= 2;
    backlog->buckets = peer__calloc(bucket_count, sizeof(struct record_item *));
    if (backlog->buckets == NULL)
        return;
    backlog->bucket_mask = bucket_count - 1;
    LIST_FOR (node, following, &backlog->items) {
        struct item *item = CONTAINER_OF(node, struct item, list);
        if (item->kind != ITEM_RECORD)
            continue;
        struct record_item *record = as_record(item);
        struct record_item *earlier = find_record(backlog, &record->id);
        if (earlier == NULL) {
            index_record(backlog, record);
            continue;
        }
        earlier->change = peer__record_change_merge(earlier->change, record->change);
        list_remove(node);
        backlog->count--;
        backlog->bytes -= RECORD_COST;
        peer__free(record);
    }
}

static int make_room(struct backlog *backlog, size_t cost)
{
    if (!fits(backlog, cost))
        start_merging(backlog);
    return fits(backlog, cost);
}

/* --- overflow --------------------------------------------------------------------------------------------------------- */

/* One OVERFLOW stands where the first event of that type stood, so that nothing that followed it comes before it. */
static void overflow(struct backlog *backlog, int32_t type)
{
    struct mark *mark = &backlog->overflow[peer__event_type_place(type)];
    struct list *before = NULL;
    mark->lost_count = 1;
    LIST_FOR (node, following, &backlog->items) {
        struct item *item = CONTAINER_OF(node, struct item, list);
        if (item->type != type || item->kind == ITEM_MARK)
            continue;
        mark->lost_count++;
        if (before == NULL) { /* takes the first one's place; the list head stands for the end */
            before = &mark->item.list;
            list_append(node, before);
        }
        drop(backlog, item);
    }
    if (before == NULL)
        list_append(&backlog->items, &mark->item.list);
    backlog->count++;
}

static int is_swallowed(struct backlog *backlog, int32_t type)
{
    struct mark *mark = &backlog->overflow[peer__event_type_place(type)];
    if (list_is_empty(&mark->item.list))
        return 0;
    mark->lost_count++;
    return 1;
}

/* --- adding ----------------------------------------------------------------------------------------------------------- */

static void add_record(struct backlog *backlog, const peer_event_view *event)
{
    struct record_item *record = NULL;
    int room = make_room(backlog, RECORD_COST);
    struct record_item *earlier = find_record(backlog, &event->record_id);
    if (earlier != NULL) {
        earlier->change = peer__record_change_merge(earlier->change, event->change);
        return;
    }
    if (room)
        record = peer__malloc(sizeof(*record));
    if (record == NULL) {
        overflow(backlog, event->type);
        return;
    }
    *record = (struct record_item){.item = {.kind = ITEM_RECORD, .type = event->type},
                                   .id = event->record_id,
                                   .record_type = event->record_type,
                                   .change = event->change};
    index_record(backlog, record);
    append(backlog, &record->item);
}

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

/* Copies what a pointer of a view leads to behind the event. */
static const void *copy_behind(char **end, const void *from, size_t size)
{
    if (from == NULL || size == 0)
        return NULL;
    char *copy = *end;
    memcpy(copy, from, size);
    *end += size;
    return copy;
}

static struct peer_event *create_event(const peer_event_view *view, size_t behind)
{
    struct peer_event *event = peer__object_create(sizeof(*event) + behind, OBJECT_EVENT, NULL);
    if (event == NULL)
        return NULL;
    event->item = (struct item){.kind = ITEM_EVENT, .type = view->type};
    list_init(&event->item.list);
    event->cost = sizeof(*event) + behind + 2 * BLOCK_COST;
    event->view = *view;
    event->view.struct_size = sizeof(event->view);
    return event;
}

/* A copy of a whole view, or NULL if it does not fit or memory is out. */
static struct peer_event *copy_event(struct backlog *backlog, const peer_event_view *view, int always_fits)
{
    size_t size = view->data != NULL ? view->size : 0;
    size_t behind = size + text_size(view->peer_id) + text_size(view->message);
    if (!always_fits && !make_room(backlog, sizeof(struct peer_event) + behind + 2 * BLOCK_COST))
        return NULL;
    struct peer_event *event = create_event(view, behind);
    if (event == NULL)
        return NULL;
    char *end = (char *)(event + 1);
    event->view.data = copy_behind(&end, view->data, size);
    event->view.size = size;
    event->view.peer_id = copy_behind(&end, view->peer_id, text_size(view->peer_id));
    event->view.message = copy_behind(&end, view->message, text_size(view->message));
    return event;
}

/* There are as many record types as the program listed, so those of a full queue may go beyond its bound once each. */
static void add_synchronized(struct backlog *backlog, const peer_event_view *event)
{
    int full = !fits(backlog, sizeof(struct peer_event) + 2 * BLOCK_COST);
    struct peer_event *copy = copy_event(backlog, event, 1);
    if (copy == NULL) {
        overflow(backlog, event->type);
        return;
    }
    if (full) { /* the latest place counts: it never overtakes the changes that it speaks of */
        LIST_FOR (node, following, &backlog->items) {
            struct item *item = CONTAINER_OF(node, struct item, list);
            if (item->kind == ITEM_EVENT && item->type == event->type &&
                peer__guid_equal(&as_event(item)->view.record_type, &event->record_type))
                drop(backlog, item);
        }
    }
    append(backlog, &copy->item);
}

/* Events of which the latest says everything: when there is no room, one stands for all since, at the latest place. */
static void add_latest(struct backlog *backlog, const peer_event_view *event)
{
    struct peer_event *copy = copy_event(backlog, event, 0);
    if (copy != NULL) {
        append(backlog, &copy->item);
        return;
    }
    struct mark *mark = &backlog->reserved[peer__event_type_place(event->type)];
    mark->status = event->status;
    mark->change = event->change;
    mark->connection_id = event->connection_id;
    mark->next_connection_id = event->next_connection_id;
    if (!list_is_empty(&mark->item.list))
        unlink_item(backlog, &mark->item);
    append(backlog, &mark->item);
}

static struct quota *free_quota(struct backlog *backlog, uint64_t connection_id)
{
    for (size_t i = 0; i < QUOTA_PLACES; i++) {
        if (backlog->quotas[i].bytes == 0) {
            backlog->quotas[i].connection_id = connection_id;
            return &backlog->quotas[i];
        }
    }
    return NULL;
}

/* NULL: the quota is used up. */
static struct quota *quota_for(struct backlog *backlog, const peer_event_view *event)
{
    struct quota *quota = find_quota(backlog, event->connection_id);
    if (event->size > QUOTA_BYTES)
        return NULL;
    if (quota == NULL)
        return free_quota(backlog, event->connection_id);
    return quota->bytes + event->size > QUOTA_BYTES ? NULL : quota;
}

/* Of a neighbour, whose connection is read on: what is beyond its quota is lost, and counted (decisions.md 16). What is
 * queued stays, unlike with the other types: it cannot be asked for again. */
static void add_data(struct backlog *backlog, const peer_event_view *event)
{
    struct mark *mark = &backlog->overflow[peer__event_type_place(event->type)];
    struct quota *quota = quota_for(backlog, event);
    struct peer_event *copy = quota != NULL ? copy_event(backlog, event, 0) : NULL;
    if (copy == NULL) {
        mark->lost_count = 1;
        list_append(&backlog->items, &mark->item.list);
        backlog->count++;
        return;
    }
    quota->bytes += copy->cost;
    append(backlog, &copy->item);
}

peer_status peer__backlog_add_direct(struct backlog *backlog, const peer_event_view *event)
{
    struct peer_event *copy = copy_event(backlog, event, 1);
    if (copy == NULL)
        return peer__out_of_memory();
    copy->is_direct = 1;
    backlog->direct_bytes += copy->cost;
    append(backlog, &copy->item);
    return PEER_OK;
}

void peer__backlog_add(struct backlog *backlog, const peer_event_view *event)
{
    if (is_swallowed(backlog, event->type))
        return;
    switch (event->type) {
    case PEER_GRAPH_EVENT_RECORD_CHANGED:
        add_record(backlog, event);
        return;
    case PEER_GRAPH_EVENT_SYNCHRONIZED:
        add_synchronized(backlog, event);
        return;
    case PEER_GRAPH_EVENT_INCOMING_DATA:
        add_data(backlog, event);
        return;
    case PEER_GRAPH_EVENT_STATUS_CHANGED:
    case PEER_GRAPH_EVENT_PROPERTY_CHANGED:
    case PEER_GRAPH_EVENT_CONNECTION_REQUIRED:
    case PEER_EVENT_PROGRESS:
        add_latest(backlog, event);
        return;
    default:
        break;
    }
    struct peer_event *copy = copy_event(backlog, event, 0);
    if (copy != NULL)
        append(backlog, &copy->item);
    else
        overflow(backlog, event->type);
}

void peer__backlog_add_closed(struct backlog *backlog, peer_status reason, const char *message)
{
    struct peer_event *closed = backlog->closed;
    backlog->closed = NULL;
    closed->view.reason = reason;
    if (message != NULL) {
        char *copy = (char *)(closed + 1);
        size_t length = strnlen(message, CLOSED_MESSAGE_SIZE - 1);
        memcpy(copy, message, length); /* the block is zero: the NUL is there */
        closed->view.message = copy;
    }
    append(backlog, &closed->item);
}

/* --- taking ----------------------------------------------------------------------------------------------------------- */

static peer_event_view mark_view(const struct mark *mark)
{
    peer_event_view view = {.struct_size = sizeof(view), .type = mark->item.type, .status = mark->status};
    view.change = mark->change;
    view.connection_id = mark->connection_id;
    view.next_connection_id = mark->next_connection_id;
    if (mark->item.type == PEER_EVENT_OVERFLOW)
        view.lost_count = mark->lost_count;
    return view;
}

static peer_event_view record_view(const struct record_item *record)
{
    return (peer_event_view){.struct_size = sizeof(peer_event_view),
                             .type = record->item.type,
                             .change = record->change,
                             .record_id = record->id,
                             .record_type = record->record_type};
}

struct peer_event *peer__backlog_take_view(struct backlog *backlog, peer_event_view *view_out)
{
    struct item *item = first_item(backlog);
    switch (item->kind) {
    case ITEM_EVENT:
        *view_out = as_event(item)->view;
        unlink_item(backlog, item);
        return as_event(item);
    case ITEM_RECORD:
        *view_out = record_view(as_record(item));
        break;
    case ITEM_MARK:
        *view_out = mark_view(CONTAINER_OF(item, struct mark, item));
        break;
    }
    drop(backlog, item);
    return NULL;
}

struct peer_event *peer__backlog_take(struct backlog *backlog)
{
    peer_event_view view;
    struct peer_event *event = NULL;
    if (first_item(backlog)->kind != ITEM_EVENT) {
        event = create_event(&(peer_event_view){0}, 0);
        if (event == NULL)
            return NULL;
    }
    struct peer_event *whole = peer__backlog_take_view(backlog, &view);
    if (whole != NULL)
        return whole;
    event->view = view;
    return event;
}

/* --- beginning and end ------------------------------------------------------------------------------------------------ */

peer_status peer__backlog_init(struct backlog *backlog, size_t bytes_max)
{
    memset(backlog, 0, sizeof(*backlog));
    list_init(&backlog->items);
    backlog->bytes_max = bytes_max;
    for (int32_t type = 0; type <= PEER_EVENT_PROGRESS; type++) {
        unsigned place = peer__event_type_place(type);
        if (place == 0)
            continue;
        backlog->reserved[place].item = (struct item){.kind = ITEM_MARK, .type = type};
        list_init(&backlog->reserved[place].item.list);
        backlog->overflow[place].item = (struct item){.kind = ITEM_MARK, .type = PEER_EVENT_OVERFLOW};
        list_init(&backlog->overflow[place].item.list);
        backlog->overflow[place].status = (uint32_t)type;
    }
    backlog->closed = create_event(&(peer_event_view){.type = PEER_EVENT_CLOSED}, CLOSED_MESSAGE_SIZE);
    return backlog->closed != NULL ? PEER_OK : peer__out_of_memory();
}

void peer__backlog_clear(struct backlog *backlog)
{
    LIST_FOR (node, following, &backlog->items)
        drop(backlog, CONTAINER_OF(node, struct item, list));
    stop_merging(backlog);
    peer__object_release(backlog->closed);
    backlog->closed = NULL;
}
