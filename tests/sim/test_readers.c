/*
 * What readers of events know: each keeps a copy of what its node shows, as a program would. It applies events, and
 * enumerates again after an OVERFLOW. One stops for seconds under 2,000 changes a second (tests/python/test_slow_reader.py
 * does the same on sockets); others read at any pace, from queues with any bound, while records also expire.
 *
 *   PEER_SLOW_READER_S=60  the whole minute: the acceptance run
 */
#include "scenario.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/time.h"

#define CHANGES_PER_STEP 100u
#define STEPS_PER_SECOND 20u
#define RECORDS_MAX 200000u
#define SMALL_QUEUE ((size_t)64 * 1024)

struct known {
    peer_guid id;
    uint32_t version; /* 0: it had gone when the reader looked; DELETED or EXPIRED must follow */
    uint32_t unused;
    int64_t expires_us;
};

/* A reader of a node's events and its copy of what the node shows, sorted by id. */
struct follower {
    size_t node;
    struct event_queue *queue;
    size_t bytes_max;
    size_t bytes_seen;
    size_t event_count;
    size_t overflow_count;
    struct known *known;
    size_t count;
};

/* The ids that node 0 wrote and has not deleted. */
struct writer {
    peer_guid *ids;
    size_t count;
};

static int compare_known(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(peer_guid));
}

static struct known look_at(struct world *world, size_t node, const peer_guid *id)
{
    struct known known = {.id = *id};
    struct record *record = world_get(world, node, id);
    if (record != NULL) {
        known.version = record->fields.version;
        known.expires_us = peer__us_from_ticks(record->fields.expires);
    }
    peer__record_release(record);
    return known;
}

/* What the node shows now. */
static size_t enumerate(struct world *world, size_t node, struct known *known)
{
    peer_guid *ids;
    size_t count;
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    driver->lock(driver);
    assert_status(peer__graph_list(world->nodes[node].graph, NULL, NULL, &ids, &count), PEER_OK);
    driver->unlock(driver);
    assert_true(count < RECORDS_MAX);
    for (size_t i = 0; i < count; i++)
        known[i] = look_at(world, node, &ids[i]);
    qsort(known, count, sizeof(*known), compare_known);
    peer__free(ids);
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

static struct known *new_copy(void)
{
    struct known *known = peer__calloc(RECORDS_MAX, sizeof(*known));
    assert_non_null(known);
    return known;
}

static void open_follower(struct world *world, struct follower *follower, size_t node, size_t bytes_max)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[node].host);
    *follower = (struct follower){.node = node, .bytes_max = bytes_max, .known = new_copy()};
    assert_status(peer__event_queue_create(0, NULL, bytes_max, &follower->queue), PEER_OK);
    driver->lock(driver);
    peer__graph_subscribe(world->nodes[node].graph, follower->queue);
    driver->unlock(driver);
    follower->count = enumerate(world, node, follower->known);
}

static void close_follower(struct world *world, struct follower *follower)
{
    struct driver *driver = peer__sim_host_driver(world->nodes[follower->node].host);
    driver->lock(driver);
    peer__graph_unsubscribe(world->nodes[follower->node].graph, follower->queue);
    driver->unlock(driver);
    peer__event_queue_end(follower->queue);
    peer__event_queue_release(follower->queue);
    peer__free(follower->known);
}

static size_t place_of(const struct follower *follower, const peer_guid *id)
{
    size_t low = 0;
    for (size_t high = follower->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (compare_known(&follower->known[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void on_record(struct world *world, struct follower *follower, const peer_event_view *event)
{
    size_t place = place_of(follower, &event->record_id);
    struct known *known = &follower->known[place];
    int is_known = place < follower->count && peer__guid_equal(&known->id, &event->record_id);
    if (event->change == PEER_RECORD_DELETED || event->change == PEER_RECORD_EXPIRED) {
        if (is_known)
            memmove(known, known + 1, (--follower->count - place) * sizeof(*known));
        return;
    }
    if (!is_known)
        memmove(known + 1, known, (follower->count++ - place) * sizeof(*known));
    *known = look_at(world, follower->node, &event->record_id);
}

/* Takes at most so many events. 0: there is none. */
static size_t read_some(struct world *world, struct follower *follower, uint32_t count_max)
{
    const peer_event_view *views;
    uint32_t count;
    if (peer__event_queue_take_batch(follower->queue, count_max, sizeof(*views), &count, &views) != PEER_OK)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].type == PEER_GRAPH_EVENT_RECORD_CHANGED)
            on_record(world, follower, &views[i]);
        if (views[i].type != PEER_EVENT_OVERFLOW || views[i].status != PEER_GRAPH_EVENT_RECORD_CHANGED)
            continue;
        assert_true(views[i].lost_count > 0);
        follower->count = enumerate(world, follower->node, follower->known);
        follower->overflow_count++;
    }
    follower->event_count += count;
    peer__object_release(views);
    return count;
}

/* Expired records are hidden at once, but told only every 15 s at most. */
static void pass_over_expired(struct world *world, struct follower *follower, struct known *left, size_t *count)
{
    int64_t now_us = world_peer_time_us(world, follower->node);
    *count = 0;
    for (size_t i = 0; i < follower->count; i++) {
        if (follower->known[i].version > 0 && follower->known[i].expires_us > now_us)
            left[(*count)++] = follower->known[i];
    }
}

static void assert_knows_everything(struct world *world, struct follower *follower)
{
    struct known *shown = new_copy();
    struct known *known = new_copy();
    size_t known_count;
    size_t count = enumerate(world, follower->node, shown);
    while (read_some(world, follower, 1000) > 0)
        continue;
    pass_over_expired(world, follower, known, &known_count);
    assert_int_equal(known_count, count);
    if (count > 0)
        assert_memory_equal(known, shown, count * sizeof(*known));
    peer__free(known);
    peer__free(shown);
}

/* -------------------------------------------------------------------------------------------------------- a long stop */

static void watch_bound(struct follower *follower)
{
    size_t bytes = peer__event_queue_bytes(follower->queue);
    assert_true(bytes <= follower->bytes_max);
    follower->bytes_seen = bytes > follower->bytes_seen ? bytes : follower->bytes_seen;
}

static void write_for(struct world *world, struct writer *writer, struct follower followers[2], unsigned seconds)
{
    for (unsigned step = 0; step < seconds * STEPS_PER_SECOND; step++) {
        write_step(world, writer);
        peer__sim_run_for(world->sim, SECOND / STEPS_PER_SECOND);
        watch_bound(&followers[0]);
        watch_bound(&followers[1]);
    }
}

SCENARIO(who_did_not_read_for_long_rebuilds_the_state)
{
    struct follower followers[2];
    struct writer writer = {peer__calloc(RECORDS_MAX, sizeof(peer_guid)), 0};
    const char *given = getenv("PEER_SLOW_READER_S");
    unsigned seconds = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 2;
    size_t change_count = (size_t)seconds * STEPS_PER_SECOND * CHANGES_PER_STEP;
    assert_non_null(writer.ids);
    world_line(world, 2);
    open_follower(world, &followers[0], 1, EVENT_QUEUE_SIZE_MAX);
    open_follower(world, &followers[1], 1, SMALL_QUEUE);
    write_for(world, &writer, followers, seconds);
    world_run(world, 1);
    for (size_t i = 0; i < 2; i++)
        assert_knows_everything(world, &followers[i]);
    assert_int_equal(followers[0].overflow_count, 0);
    assert_int_equal(followers[0].event_count, change_count);
    assert_int_equal(followers[1].overflow_count, 1);

    write_for(world, &writer, followers, 1); /* and goes on from there */
    world_settle(world, 60);
    for (size_t i = 0; i < 2; i++) {
        assert_knows_everything(world, &followers[i]);
        assert_int_equal(followers[i].count, writer.count);
        close_follower(world, &followers[i]);
    }
    peer__free(writer.ids);
}

/* ------------------------------------------------------------------------------------------------------- any pace */

#define NODES 3u
#define FOLLOWERS (2 * NODES)

static peer_guid some_record(struct world *world, size_t node, struct known *known)
{
    size_t count = enumerate(world, node, known);
    return count > 0 ? known[peer__sim_draw(world->sim, count)].id : (peer_guid){{0}};
}

/* One change at one node; records that live for seconds expire while others are read. */
static void change_something(struct world *world, struct known *known)
{
    size_t node = peer__sim_draw(world->sim, NODES);
    peer_guid id = some_record(world, node, known);
    uint64_t what = peer__sim_draw(world->sim, 10);
    if (what < 5 || peer__guid_is_zero(&id)) {
        int64_t lifetime_s = what < 2 ? 1 + (int64_t)peer__sim_draw(world->sim, 60) : HOUR_S;
        assert_status(world_add_bytes(world, node, &scenario_note, "n", 1, lifetime_s, &id), PEER_OK);
    } else if (what < 8) {
        peer_status status = world_update(world, node, &id, "changed");
        assert_true(status == PEER_OK || status == PEER_E_INVALID_RECORD_EXPIRATION); /* it is about to expire */
    } else {
        assert_status(world_delete(world, node, &id), PEER_OK);
    }
}

static void let_others_act(struct world *world, struct follower followers[FOLLOWERS])
{
    uint64_t what = peer__sim_draw(world->sim, 20);
    if (what < 10)
        read_some(world, &followers[peer__sim_draw(world->sim, FOLLOWERS)], (uint32_t)what + 1);
    else if (what < 18)
        peer__sim_run_for(world->sim, (int64_t)peer__sim_draw(world->sim, SECOND));
    else if (what == 18)
        world_run(world, 10);
    else
        assert_knows_everything(world, &followers[peer__sim_draw(world->sim, FOLLOWERS)]);
}

/* Two nodes that lost each other, and went on by themselves, meet again. */
static void lose_and_find(struct world *world, struct known *known)
{
    peer__sim_reset(world->nodes[1].host, world->nodes[2].host);
    for (int i = 0; i < 30; i++)
        change_something(world, known);
    if (peer__sim_connections(world->nodes[1].host, world->nodes[2].host) == 0)
        world_connect(world, 2, 1);
    world_run(world, 10);
}

SCENARIO(whatever_its_pace_a_reader_knows_its_node)
{
    static const size_t bounds[FOLLOWERS] = {600, EVENT_QUEUE_SIZE_MAX, 2000, 0, 6000, 1200};
    struct follower followers[FOLLOWERS];
    struct known *known = new_copy();
    size_t overflow_count = 0;
    world_line(world, NODES);
    world_add(world, 0, "there before anybody looks");
    world_settle(world, 10);
    for (size_t i = 0; i < FOLLOWERS; i++)
        open_follower(world, &followers[i], i / 2, bounds[i]);
    for (int step = 0; step < 600; step++) {
        change_something(world, known);
        let_others_act(world, followers);
        if (step % 200 == 100)
            lose_and_find(world, known);
    }
    world_settle(world, 120);
    world_run(world, 120); /* what lived for seconds has expired, and this was told */
    for (size_t i = 0; i < FOLLOWERS; i++) {
        assert_knows_everything(world, &followers[i]);
        assert_int_equal(followers[i].count, world_record_count(world, followers[i].node));
        overflow_count += followers[i].overflow_count;
        close_follower(world, &followers[i]);
    }
    assert_true(overflow_count > 0);
    assert_int_equal(followers[1].overflow_count, 0);
    peer__free(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO_TEST(who_did_not_read_for_long_rebuilds_the_state),
        SCENARIO_TEST(whatever_its_pace_a_reader_knows_its_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
