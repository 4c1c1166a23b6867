/*
 * The event queue against a model, with bounds so small that merging and overflow are the rule (decisions.md 17). A reader
 * keeps a copy of a small database by events alone, and reads it again after an OVERFLOW, as a program would. Whatever its
 * pace: once it has taken everything, its copy is the database; what it was told of each record is what happened, in order,
 * at the place of the first; nothing overtakes the changes before it; the descriptor says whether something waits.
 *
 *   PEER_QUEUE_SEED=17     replays one seed
 *   PEER_QUEUE_SEEDS=9999  so many (default 300)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "event/backlog.h"
#include "event/object.h"
#include "event/queue.h"

#define STEPS 1500u
#define RECORDS 24u
#define RECORD_TYPES 3u
#define EVENT_SIZE_MAX 1200u /* that one event of this test costs */
#define KEPT_SIZE_MAX                                                                                                  \
    (RECORD_TYPES * 400u + CLOSED_MESSAGE_SIZE + 400) /* reserved room: SYNCHRONIZED of each type, CLOSED */

/* Events that are there once each, or counted as lost. */
static const int32_t counted_types[] = {PEER_GRAPH_EVENT_NODE_CHANGED, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION,
                                        PEER_GRAPH_EVENT_INCOMING_DATA};
/* Events of which the latest says everything; the last ones are SYNCHRONIZED of each record type. */
static const int32_t latest_types[] = {PEER_GRAPH_EVENT_STATUS_CHANGED,      PEER_GRAPH_EVENT_PROPERTY_CHANGED,
                                       PEER_GRAPH_EVENT_CONNECTION_REQUIRED, PEER_GRAPH_EVENT_SYNCHRONIZED,
                                       PEER_GRAPH_EVENT_SYNCHRONIZED,        PEER_GRAPH_EVENT_SYNCHRONIZED};
#define COUNTED (sizeof(counted_types) / sizeof(counted_types[0]))
#define LATEST (sizeof(latest_types) / sizeof(latest_types[0]))
#define FIRST_SYNCHRONIZED (LATEST - RECORD_TYPES)

/* What was posted and not told, oldest first; each event is known by the step at which it was posted. */
struct series {
    uint32_t steps[STEPS];
    size_t first;
    size_t count;
};

/* A record, the reader's copy of it, and the changes of which it was not told. */
struct entry {
    int exists;
    uint32_t version;
    int copied;
    uint32_t copied_version; /* 0: it had gone when the reader looked; a DELETED must follow */
    uint32_t steps[STEPS];
    int32_t changes[STEPS];
    uint8_t told[STEPS + 1]; /* 1: what was told may stand for so many of the changes */
    size_t count;
};

struct model {
    uint64_t seed;
    uint64_t random;
    struct event_queue *queue;
    size_t bytes_max;
    int was_full; /* since it was empty; else every change is told by itself */
    int closed;
    uint32_t step;
    uint32_t last_record_step; /* at which the record change that was told last began */
    int wants_type[RECORD_TYPES];
    struct entry entries[RECORDS];
    struct series counted[COUNTED];
    struct series latest[LATEST];
};

/* What happened at all, so that the test cannot be empty. */
static struct {
    uint64_t merged, lost_records, lost_others, latest_skipped, closed;
} seen;

#define REQUIRE(model, condition)                                                                                      \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fail_msg("seed %" PRIu64 ", step %u: %s", (model)->seed, (model)->step, #condition);                       \
    } while (0)

static uint32_t draw(struct model *model, uint32_t below)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (uint32_t)((model->random >> 32) % below);
}

static peer_guid guid_of(uint8_t kind, uint32_t number)
{
    return (peer_guid){{kind, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, (uint8_t)number}};
}

/* --- the database and the reader's copy ------------------------------------------------------------------------------- */

/* decisions.md 17, written down again */
static int32_t together(int32_t first, int32_t second)
{
    enum { A = PEER_RECORD_ADDED, U = PEER_RECORD_UPDATED, D = PEER_RECORD_DELETED, E = PEER_RECORD_EXPIRED };
    static const int32_t table[5][5] = {[A] = {[A] = A, [U] = A, [D] = D, [E] = E},
                                        [U] = {[A] = A, [U] = U, [D] = D, [E] = E},
                                        [D] = {[A] = U, [U] = U, [D] = D, [E] = D},
                                        [E] = {[A] = U, [U] = U, [D] = E, [E] = E}};
    return table[first][second];
}

static int32_t change_entry(struct model *model, struct entry *entry)
{
    entry->version++;
    if (!entry->exists) {
        entry->exists = 1;
        return PEER_RECORD_ADDED;
    }
    if (draw(model, 2) == 0)
        return PEER_RECORD_UPDATED;
    entry->exists = 0;
    return draw(model, 2) == 0 ? PEER_RECORD_DELETED : PEER_RECORD_EXPIRED;
}

static void forget_changes(struct entry *entry)
{
    entry->count = 0;
    memset(entry->told, 0, sizeof(entry->told));
    entry->told[0] = 1;
}

/* The reader enumerates: what happened before is told. */
static void enumerate(struct model *model)
{
    for (size_t i = 0; i < RECORDS; i++) {
        struct entry *entry = &model->entries[i];
        entry->copied = entry->exists && model->wants_type[i % RECORD_TYPES];
        entry->copied_version = entry->version;
        forget_changes(entry);
    }
    model->last_record_step = model->step;
}

/* No change from before `step` may still be untold. */
static void require_told_before(struct model *model, uint32_t step)
{
    for (size_t i = 0; i < RECORDS; i++) {
        struct entry *entry = &model->entries[i];
        size_t before = 0;
        while (before < entry->count && entry->steps[before] < step)
            before++;
        memset(entry->told, 0, before);
        REQUIRE(model, memchr(entry->told + before, 1, entry->count + 1 - before) != NULL);
    }
}

/* --- what the reader is told ------------------------------------------------------------------------------------------ */

/* All numbers of changes that this event may stand for, given what was told before. */
static void on_record(struct model *model, const peer_event_view *view)
{
    size_t index = view->record_id.bytes[15];
    struct entry *entry = &model->entries[index];
    uint8_t told[STEPS + 1] = {0};
    uint32_t began = UINT32_MAX;
    REQUIRE(model, index < RECORDS && model->wants_type[index % RECORD_TYPES]);
    for (size_t from = 0; from < entry->count; from++) {
        int32_t change = entry->changes[from];
        if (!entry->told[from] || entry->steps[from] <= model->last_record_step)
            continue;
        size_t last = model->was_full ? entry->count : from + 1;
        for (size_t to = from + 1; to <= last; to++) {
            if (to > from + 1)
                change = together(change, entry->changes[to - 1]);
            if (change == view->change) {
                told[to] = 1;
                began = entry->steps[from] < began ? entry->steps[from] : began;
                seen.merged += to > from + 1 && entry->told[from + 1] == 0;
            }
        }
    }
    REQUIRE(model, began != UINT32_MAX); /* what is told has happened, and in this order */
    memcpy(entry->told, told, sizeof(told));
    model->last_record_step = began;
    for (size_t i = 0; i < COUNTED; i++) {
        struct series *series = &model->counted[i];
        REQUIRE(model, series->count == 0 || series->steps[series->first] > began);
    }
    entry->copied = view->change == PEER_RECORD_ADDED || view->change == PEER_RECORD_UPDATED;
    entry->copied_version = entry->exists ? entry->version : 0; /* it is fetched now */
}

static void on_counted(struct model *model, struct series *series, const peer_event_view *view)
{
    REQUIRE(model, series->count > 0 && series->steps[series->first] == view->status); /* each once, in order */
    series->first++;
    series->count--;
    if (view->type == PEER_GRAPH_EVENT_INCOMING_DATA) {
        REQUIRE(model, view->size == view->status % 400);
        for (size_t i = 0; i < view->size; i++)
            REQUIRE(model, ((const uint8_t *)view->data)[i] == (uint8_t)view->status);
    }
    require_told_before(model, view->status);
}

static void on_latest(struct model *model, struct series *series, const peer_event_view *view)
{
    while (series->count > 0 && series->steps[series->first] != view->status) {
        REQUIRE(model, model->was_full);
        series->first++;
        series->count--;
        seen.latest_skipped++;
    }
    REQUIRE(model, series->count > 0);
    series->first++;
    series->count--;
    require_told_before(model, view->status);
}

static void on_overflow(struct model *model, const peer_event_view *view)
{
    REQUIRE(model, model->was_full && view->lost_count > 0);
    for (size_t i = 0; i < COUNTED; i++) {
        if (counted_types[i] != (int32_t)view->status)
            continue;
        REQUIRE(model, view->lost_count == model->counted[i].count);
        model->counted[i].count = 0;
        seen.lost_others++;
        return;
    }
    for (size_t i = FIRST_SYNCHRONIZED; i < LATEST && view->status == PEER_GRAPH_EVENT_SYNCHRONIZED; i++)
        model->latest[i].count = 0; /* for want of memory only */
    if (view->status == PEER_GRAPH_EVENT_SYNCHRONIZED)
        return;
    REQUIRE(model, view->status == PEER_GRAPH_EVENT_RECORD_CHANGED);
    size_t most = 0;
    size_t least = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        const struct entry *entry = &model->entries[i];
        most += entry->count;
        least += !entry->told[entry->count];
    }
    REQUIRE(model, view->lost_count >= least && view->lost_count <= most);
    enumerate(model);
    seen.lost_records++;
}

static void on_event(struct model *model, const peer_event_view *view)
{
    REQUIRE(model, model->closed != 2); /* CLOSED is the last */
    if (view->type == PEER_GRAPH_EVENT_RECORD_CHANGED) {
        on_record(model, view);
        return;
    }
    if (view->type == PEER_EVENT_OVERFLOW) {
        on_overflow(model, view);
        return;
    }
    if (view->type == PEER_EVENT_CLOSED) {
        REQUIRE(model, model->closed == 1 && view->reason == PEER_E_DISK_FULL && strcmp(view->message, "why") == 0);
        model->closed = 2;
        seen.closed++;
        return;
    }
    for (size_t i = 0; i < COUNTED; i++) {
        if (counted_types[i] == view->type)
            on_counted(model, &model->counted[i], view);
    }
    for (size_t i = 0; i < LATEST; i++) {
        if (latest_types[i] == view->type &&
            (i < FIRST_SYNCHRONIZED || view->record_type.bytes[15] == i - FIRST_SYNCHRONIZED))
            on_latest(model, &model->latest[i], view);
    }
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

static int is_readable(struct model *model)
{
    int64_t descriptor;
    REQUIRE(model, peer__event_queue_descriptor(model->queue, &descriptor) == PEER_OK);
    struct pollfd wait = {.fd = (int)descriptor, .events = POLLIN};
    return poll(&wait, 1, 0);
}

/* At most `count_max` events, one at a time. 0: there are none. */
static size_t take_single(struct model *model)
{
    struct peer_event *event;
    peer_event_view view;
    peer_status status = peer__event_queue_take(model->queue, &event);
    if (status != PEER_OK)
        return 0;
    REQUIRE(model, peer__event_get_view(event, sizeof(view), &view) == PEER_OK);
    on_event(model, &view);
    peer__object_release(event);
    return 1;
}

static size_t take_batch(struct model *model, uint32_t count_max)
{
    const peer_event_view *views;
    uint32_t count;
    if (peer__event_queue_take_batch(model->queue, count_max, sizeof(*views), &count, &views) != PEER_OK)
        return 0;
    REQUIRE(model, count > 0 && count <= count_max);
    for (uint32_t i = 0; i < count; i++)
        on_event(model, &views[i]);
    peer__object_release(views);
    return count;
}

static size_t take(struct model *model)
{
    int readable = is_readable(model);
    size_t count = draw(model, 2) == 0 ? take_single(model) : take_batch(model, 1 + draw(model, 20));
    REQUIRE(model, (count > 0) == readable);
    return count;
}

static void take_without_memory(struct model *model)
{
    struct peer_event *event;
    const peer_event_view *views;
    uint32_t count;
    int readable = is_readable(model);
    peer__memory_fail_after(0);
    peer_status status = peer__event_queue_take_batch(model->queue, 5, sizeof(*views), &count, &views);
    peer__memory_fail_after(-1);
    REQUIRE(model, status == (readable ? E_OUTOFMEMORY : PEER_S_NO_EVENT_DATA));
    peer__memory_fail_after(0);
    status = peer__event_queue_take(model->queue, &event);
    peer__memory_fail_after(-1);
    if (status == PEER_OK) { /* it was made when it was posted */
        peer_event_view view;
        REQUIRE(model, peer__event_get_view(event, sizeof(view), &view) == PEER_OK);
        on_event(model, &view);
        peer__object_release(event);
    }
}

static void take_everything(struct model *model)
{
    while (take(model) > 0)
        continue;
    REQUIRE(model, model->closed != 1); /* CLOSED has come, and nothing after it */
    REQUIRE(model, peer__event_queue_bytes(model->queue) == 0);
    for (size_t i = 0; i < RECORDS; i++) {
        struct entry *entry = &model->entries[i];
        if (!model->wants_type[i % RECORD_TYPES])
            continue;
        REQUIRE(model, entry->told[entry->count]);
        REQUIRE(model, entry->copied == entry->exists);
        REQUIRE(model, !entry->copied || entry->copied_version == entry->version);
        forget_changes(entry);
    }
    for (size_t i = 0; i < COUNTED; i++)
        REQUIRE(model, model->counted[i].count == 0);
    for (size_t i = 0; i < LATEST; i++)
        REQUIRE(model, model->latest[i].count == 0);
    if (model->bytes_max > EVENT_SIZE_MAX) /* who caught up is told every change again */
        model->was_full = 0;
}

/* --- posting ---------------------------------------------------------------------------------------------------------- */

static void note(struct series *series, uint32_t step)
{
    series->steps[series->first + series->count++] = step;
}

static void post(struct model *model, const peer_event_view *view)
{
    int without_memory = draw(model, 60) == 0;
    if (without_memory || peer__event_queue_bytes(model->queue) + EVENT_SIZE_MAX > model->bytes_max)
        model->was_full = 1;
    if (without_memory)
        peer__memory_fail_after(draw(model, 2));
    peer__event_queue_post(model->queue, view);
    peer__memory_fail_after(-1);
    REQUIRE(model, peer__event_queue_bytes(model->queue) <= model->bytes_max + KEPT_SIZE_MAX);
}

static void post_record(struct model *model)
{
    uint32_t index = draw(model, RECORDS);
    struct entry *entry = &model->entries[index];
    int32_t change = change_entry(model, entry);
    if (model->wants_type[index % RECORD_TYPES]) {
        entry->steps[entry->count] = model->step;
        entry->changes[entry->count++] = change;
    }
    post(model, &(peer_event_view){.type = PEER_GRAPH_EVENT_RECORD_CHANGED,
                                   .change = change,
                                   .record_id = guid_of(1, index),
                                   .record_type = guid_of(2, index % RECORD_TYPES)});
    REQUIRE(model, !model->wants_type[index % RECORD_TYPES] || is_readable(model));
}

static void post_counted(struct model *model)
{
    uint8_t data[400];
    size_t index = draw(model, COUNTED);
    memset(data, (int)model->step, sizeof(data));
    note(&model->counted[index], model->step);
    post(model, &(peer_event_view){.type = counted_types[index],
                                   .status = model->step,
                                   .peer_id = "somebody",
                                   .data = data,
                                   .size = model->step % sizeof(data)});
    REQUIRE(model, is_readable(model));
}

static void post_latest(struct model *model)
{
    size_t index = draw(model, LATEST);
    peer_event_view view = {.type = latest_types[index], .status = model->step};
    if (index >= FIRST_SYNCHRONIZED)
        view.record_type = guid_of(2, (uint32_t)(index - FIRST_SYNCHRONIZED));
    if (index < FIRST_SYNCHRONIZED || model->wants_type[index - FIRST_SYNCHRONIZED])
        note(&model->latest[index], model->step);
    post(model, &view);
}

/* --- runs ------------------------------------------------------------------------------------------------------------- */

/* Every event, or only those of some record types. */
static void open_queue(struct model *model)
{
    peer_event_registration wanted[COUNTED + FIRST_SYNCHRONIZED + 2 * RECORD_TYPES];
    peer_guid types[RECORD_TYPES];
    uint32_t count = 0;
    int every = draw(model, 2) == 0;
    for (size_t i = 0; i < COUNTED; i++)
        wanted[count++] = (peer_event_registration){.type = counted_types[i]};
    for (size_t i = 0; i < FIRST_SYNCHRONIZED; i++)
        wanted[count++] = (peer_event_registration){.type = latest_types[i]};
    for (uint32_t i = 0; i < RECORD_TYPES; i++) {
        types[i] = guid_of(2, i);
        model->wants_type[i] = every || draw(model, 3) > 0;
        if (!model->wants_type[i])
            continue;
        wanted[count++] = (peer_event_registration){PEER_GRAPH_EVENT_RECORD_CHANGED, 0, &types[i]};
        wanted[count++] = (peer_event_registration){PEER_GRAPH_EVENT_SYNCHRONIZED, 0, &types[i]};
    }
    assert_int_equal(
        peer__event_queue_create(every ? 0 : count, every ? NULL : wanted, model->bytes_max, &model->queue), PEER_OK);
}

static void run_step(struct model *model, uint32_t pace)
{
    uint32_t what = draw(model, 100);
    if (what < pace)
        take(model);
    else if (what == 99)
        take_without_memory(model);
    else if (what == 98 && draw(model, 10) == 0)
        take_everything(model);
    else if (what % 8 < 6)
        post_record(model);
    else if (what % 8 == 6)
        post_counted(model);
    else
        post_latest(model);
}

static void run(uint64_t seed)
{
    static const size_t bounds[] = {0, 300, 1500, 4000, 12000, 1000000};
    static struct model model;
    memset(&model, 0, sizeof(model));
    model.seed = seed;
    model.random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    model.bytes_max = bounds[draw(&model, sizeof(bounds) / sizeof(bounds[0]))];
    for (size_t i = 0; i < RECORDS; i++) {
        model.entries[i].exists = (int)draw(&model, 2);
        model.entries[i].version = 1;
    }
    open_queue(&model);
    enumerate(&model);
    uint32_t pace = draw(&model, 40);
    for (model.step = 1; model.step < STEPS; model.step++) {
        if (draw(&model, 100) == 0)
            pace = draw(&model, 3) == 0 ? 0 : draw(&model, 60); /* a pause, or another pace */
        run_step(&model, pace);
    }
    if (draw(&model, 3) > 0) {
        model.closed = 1;
        peer__event_queue_close(model.queue, PEER_E_DISK_FULL, "why");
        peer__event_queue_post(model.queue, &(peer_event_view){.type = PEER_GRAPH_EVENT_NODE_CHANGED}); /* too late */
        REQUIRE(&model, is_readable(&model));
    }
    take_everything(&model);
    peer__event_queue_end(model.queue);
    peer__event_queue_release(model.queue);
    assert_int_equal(peer__memory_live(), 0);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static void whatever_its_pace_a_reader_knows_the_database(void **state)
{
    (void)state;
    uint64_t one = number_of("PEER_QUEUE_SEED", 0);
    uint64_t first = one != 0 ? one : 1;
    uint64_t count = one != 0 ? 1 : number_of("PEER_QUEUE_SEEDS", 300);
    for (uint64_t seed = first; seed < first + count; seed++)
        run(seed);
    if (count < 100)
        return;
    assert_true(seen.merged > 0);
    assert_true(seen.lost_records > 0);
    assert_true(seen.lost_others > 0);
    assert_true(seen.latest_skipped > 0);
    assert_true(seen.closed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_its_pace_a_reader_knows_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
