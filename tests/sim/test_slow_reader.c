/*
 * A reader that stops for a minute while 2,000 records a second are added, updated and deleted: its queues keep within
 * their bounds, and from what they then hold it rebuilds the state, as a program would: it applies events, and enumerates
 * again after an OVERFLOW. In virtual time; tests/python/test_slow_reader.py does the same on sockets.
 */
#include "scenario.h"

#include <stdlib.h>

#include "base/memory.h"

#define CHANGES_PER_STEP 100u
#define STEPS_PER_SECOND 20u
#define RECORDS_MAX 200000u
#define SMALL_QUEUE ((size_t)256 * 1024)

/* A reader's copy: which ids it believes to exist, sorted. */
struct follower {
    struct event_queue *queue;
    size_t bytes_max;
    size_t bytes_seen;
    size_t event_count;
    size_t overflow_count;
    peer_guid *ids;
    size_t count;
};

/* The ids that node 0 wrote and has not deleted. */
struct writer {
    peer_guid *ids;
    size_t count;
};

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(peer_guid));
}

static size_t list_sorted(struct world *world, size_t node, peer_guid **ids_out)
{
    size_t count;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_list(world->nodes[node].graph, NULL, NULL, ids_out, &count), PEER_OK);
    driver->unlock(driver);
    qsort(*ids_out, count, sizeof(peer_guid), compare_ids);
    return count;
}

/* --------------------------------------------------------------------------------------------------------- writing */

static struct graph_change new_change(struct world *world, struct writer *writer, int64_t now_us)
{
    struct graph_change change = {.kind = CHANGE_ADD, .input = PEER_RECORD_INPUT_INIT};
    uint64_t what = writer->count < 50 ? 0 : peer__sim_draw(world->sim, 10);
    change.input.type = scenario_note;
    change.input.data = "as many bytes as a small record has";
    change.input.size = 35;
    if (what < 5) {
        change.input.expires_us = now_us + HOUR_S * SECOND;
        assert_status(peer__graph_prepare_add(world->nodes[0].graph, &change.input, &change.input.id), PEER_OK);
        writer->ids[writer->count++] = change.input.id;
        return change;
    }
    size_t index = peer__sim_draw(world->sim, writer->count);
    change.kind = what < 7 ? CHANGE_DELETE : CHANGE_UPDATE;
    change.input.id = writer->ids[index];
    if (change.kind == CHANGE_DELETE)
        writer->ids[index] = writer->ids[--writer->count];
    return change;
}

static void write_step(struct world *world, struct writer *writer)
{
    struct graph_change changes[CHANGES_PER_STEP];
    int64_t now_us = world_peer_time_us(world, 0);
    struct driver *driver = peer__sim_host_driver(world->nodes[0].host);
    driver->lock(driver);
    for (size_t i = 0; i < CHANGES_PER_STEP; i++)
        changes[i] = new_change(world, writer, now_us);
    assert_status(peer__graph_apply(world->nodes[0].graph, changes, CHANGES_PER_STEP), PEER_OK);
    driver->unlock(driver);
}

/* --------------------------------------------------------------------------------------------------------- reading */

static void open_reader(struct world *world, struct follower *reader, size_t bytes_max)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[1].host);
    *reader = (struct follower){.bytes_max = bytes_max};
    reader->ids = peer__calloc(RECORDS_MAX, sizeof(*reader->ids));
    assert_non_null(reader->ids);
    assert_status(peer__event_queue_create(0, NULL, bytes_max, &reader->queue), PEER_OK);
    driver->lock(driver);
    peer__graph_subscribe(world->nodes[1].graph, reader->queue);
    driver->unlock(driver);
}

static void close_reader(struct world *world, struct follower *reader)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[1].host);
    driver->lock(driver);
    peer__graph_unsubscribe(world->nodes[1].graph, reader->queue);
    driver->unlock(driver);
    peer__event_queue_end(reader->queue);
    peer__event_queue_release(reader->queue);
    peer__free(reader->ids);
}

static void enumerate(struct world *world, struct follower *reader)
{
    peer_guid *ids;
    reader->count = list_sorted(world, 1, &ids);
    assert_true(reader->count < RECORDS_MAX);
    if (reader->count > 0)
        memcpy(reader->ids, ids, reader->count * sizeof(*ids));
    peer__free(ids);
}

static void apply_record(struct follower *reader, const peer_event_view *event)
{
    size_t low = 0;
    for (size_t high = reader->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (compare_ids(&reader->ids[middle], &event->record_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    int known = low < reader->count && peer__guid_equal(&reader->ids[low], &event->record_id);
    int exists = event->change == PEER_RECORD_ADDED || event->change == PEER_RECORD_UPDATED;
    if (known == exists)
        return;
    if (exists) {
        memmove(&reader->ids[low + 1], &reader->ids[low], (reader->count - low) * sizeof(peer_guid));
        reader->ids[low] = event->record_id;
        reader->count++;
    } else {
        reader->count--;
        memmove(&reader->ids[low], &reader->ids[low + 1], (reader->count - low) * sizeof(peer_guid));
    }
}

static void read_everything(struct world *world, struct follower *reader)
{
    const peer_event_view *views;
    uint32_t count;
    while (peer__event_queue_take_batch(reader->queue, 1000, sizeof(*views), &count, &views) == PEER_OK) {
        reader->event_count += count;
        for (uint32_t i = 0; i < count; i++) {
            if (views[i].type == PEER_GRAPH_EVENT_RECORD_CHANGED)
                apply_record(reader, &views[i]);
            if (views[i].type != PEER_EVENT_OVERFLOW)
                continue;
            assert_int_equal(views[i].status, PEER_GRAPH_EVENT_RECORD_CHANGED);
            assert_true(views[i].lost_count > 0);
            enumerate(world, reader);
            reader->overflow_count++;
        }
        peer__object_release(views);
    }
}

static void assert_knows_everything(struct world *world, struct follower *reader)
{
    peer_guid *ids;
    size_t count = list_sorted(world, 1, &ids);
    read_everything(world, reader);
    assert_int_equal(reader->count, count);
    assert_memory_equal(reader->ids, ids, count * sizeof(*ids));
    peer__free(ids);
}

static void watch_bound(struct follower *reader)
{
    size_t bytes = peer__event_queue_bytes(reader->queue);
    assert_true(bytes <= reader->bytes_max);
    reader->bytes_seen = bytes > reader->bytes_seen ? bytes : reader->bytes_seen;
}

static void write_for(struct world *world, struct writer *writer, struct follower readers[2], unsigned seconds)
{
    for (unsigned step = 0; step < seconds * STEPS_PER_SECOND; step++) {
        write_step(world, writer);
        peer__sim_run_for(world->sim, SECOND / STEPS_PER_SECOND);
        watch_bound(&readers[0]);
        watch_bound(&readers[1]);
    }
}

SCENARIO(who_did_not_read_for_a_minute_rebuilds_the_state)
{
    struct follower readers[2];
    struct writer writer = {peer__calloc(RECORDS_MAX, sizeof(peer_guid)), 0};
    unsigned seconds = world->seed == 1 ? 60 : 3; /* the whole minute once */
    assert_non_null(writer.ids);
    world_line(world, 2);
    open_reader(world, &readers[0], EVENT_QUEUE_SIZE_MAX);
    open_reader(world, &readers[1], SMALL_QUEUE);
    write_for(world, &writer, readers, seconds);
    for (size_t i = 0; i < 2; i++)
        assert_knows_everything(world, &readers[i]);
    assert_int_equal(readers[0].overflow_count, 0);
    assert_in_range(readers[0].bytes_seen, seconds * STEPS_PER_SECOND * CHANGES_PER_STEP * 50, EVENT_QUEUE_SIZE_MAX);
    assert_int_equal(readers[1].overflow_count, 1);

    write_for(world, &writer, readers, 1); /* and goes on from there */
    for (size_t i = 0; i < 2; i++)
        assert_knows_everything(world, &readers[i]);
    world_settle(world, 60);
    for (size_t i = 0; i < 2; i++) {
        assert_knows_everything(world, &readers[i]);
        close_reader(world, &readers[i]);
    }
    assert_int_equal(world_record_count(world, 1), writer.count);
    peer__free(writer.ids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(who_did_not_read_for_a_minute_rebuilds_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
