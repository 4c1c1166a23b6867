/* The event queue: what its descriptor says, what is merged, what overflows, and how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "event/backlog.h"
#include "event/object.h"
#include "event/queue.h"

#define RECORD_COST (sizeof(struct record_item) + 16)
#ifdef __SANITIZE_THREAD__
#define QUEUE_SIZE (EVENT_QUEUE_SIZE_MAX / 16) /* a full queue has nothing to do with threads */
#define ROUNDS 3
#else
#define QUEUE_SIZE EVENT_QUEUE_SIZE_MAX
#define ROUNDS 10
#endif
#define RECORDS_MAX (QUEUE_SIZE / RECORD_COST)

static const peer_guid type_a = {{0xaa}};
static const peer_guid type_b = {{0xbb}};

static struct event_queue *new_queue(void)
{
    struct event_queue *queue;
    assert_int_equal(peer__event_queue_create(0, NULL, QUEUE_SIZE, &queue), PEER_OK);
    return queue;
}

static void free_queue(struct event_queue *queue)
{
    peer__event_queue_end(queue);
    peer__event_queue_release(queue);
}

static peer_guid id_of(uint32_t number)
{
    peer_guid id = {{0}};
    memcpy(id.bytes, &number, sizeof(number));
    return id;
}

static void post_record(struct event_queue *queue, uint32_t number, int32_t change)
{
    peer__event_queue_post(queue, &(peer_event_view){.type = PEER_GRAPH_EVENT_RECORD_CHANGED,
                                                     .change = change,
                                                     .record_id = id_of(number),
                                                     .record_type = type_a});
}

static void post(struct event_queue *queue, int32_t type, uint32_t status)
{
    peer__event_queue_post(queue, &(peer_event_view){.type = type, .status = status});
}

static void post_synchronized(struct event_queue *queue, peer_guid record_type)
{
    peer__event_queue_post(queue,
                           &(peer_event_view){.type = PEER_GRAPH_EVENT_SYNCHRONIZED, .record_type = record_type});
}

/* Takes an event and forgets its pointers; type 0: there is none. */
static peer_event_view take(struct event_queue *queue)
{
    struct peer_event *event = (struct peer_event *)1;
    peer_event_view view = {0};
    peer_status status = peer__event_queue_take(queue, &event);
    if (status == PEER_S_NO_EVENT_DATA) {
        assert_null(event);
        return view;
    }
    assert_int_equal(status, PEER_OK);
    assert_int_equal(peer__event_get_view(event, sizeof(view), &view), PEER_OK);
    view.peer_id = view.message = NULL;
    view.data = NULL;
    peer__object_release(event);
    return view;
}

static int is_readable(struct event_queue *queue)
{
    int64_t descriptor;
    assert_int_equal(peer__event_queue_descriptor(queue, &descriptor), PEER_OK);
    struct pollfd wait = {.fd = (int)descriptor, .events = POLLIN};
    return poll(&wait, 1, 0);
}

static void events_come_in_order_with_all_they_hold(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    struct peer_event *event;
    peer_event_view view;
    post_record(queue, 7, PEER_RECORD_ADDED);
    peer__event_queue_post(queue, &(peer_event_view){.type = PEER_GRAPH_EVENT_INCOMING_DATA,
                                                     .connection_id = 5,
                                                     .peer_id = "bob",
                                                     .message = "why",
                                                     .data = "abc",
                                                     .size = 3});
    view = take(queue);
    assert_int_equal(view.type, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_int_equal(view.change, PEER_RECORD_ADDED);
    assert_memory_equal(&view.record_type, &type_a, sizeof(type_a));
    assert_int_equal(peer__event_queue_take(queue, &event), PEER_OK);
    free_queue(queue);
    assert_int_equal(peer__event_get_view(event, sizeof(view), &view), PEER_OK);
    assert_string_equal(view.peer_id, "bob");
    assert_string_equal(view.message, "why");
    assert_int_equal(view.size, 3);
    assert_memory_equal(view.data, "abc", 3);
    peer__object_release(event);
}

static void a_filter_lets_its_record_types_through(void **state)
{
    (void)state;
    peer_event_registration wanted[] = {{PEER_GRAPH_EVENT_RECORD_CHANGED, 0, &type_a},
                                        {PEER_GRAPH_EVENT_INCOMING_DATA, 0, &type_b}};
    struct event_queue *queue;
    assert_int_equal(peer__event_queue_create(2, wanted, EVENT_QUEUE_SIZE_MAX, &queue), PEER_OK);
    assert_true(peer__event_queue_wants(queue, PEER_GRAPH_EVENT_RECORD_CHANGED, &type_a));
    assert_false(peer__event_queue_wants(queue, PEER_GRAPH_EVENT_RECORD_CHANGED, &type_b));
    assert_false(peer__event_queue_wants(queue, PEER_GRAPH_EVENT_SYNCHRONIZED, &type_a));
    assert_true(
        peer__event_queue_wants(queue, PEER_GRAPH_EVENT_INCOMING_DATA, &type_a)); /* a filter is ignored there */
    post(queue, PEER_GRAPH_EVENT_STATUS_CHANGED, 1);
    assert_int_equal(take(queue).type, 0);
    peer__event_queue_close(queue, PEER_OK, NULL);
    assert_int_equal(take(queue).type, PEER_EVENT_CLOSED);
    free_queue(queue);
}

static void the_descriptor_is_readable_while_the_queue_holds_something(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    post(queue, PEER_GRAPH_EVENT_NODE_CHANGED, 0); /* before anybody has asked for the descriptor */
    assert_int_equal(is_readable(queue), 1);
    post(queue, PEER_GRAPH_EVENT_NODE_CHANGED, 0);
    take(queue);
    assert_int_equal(is_readable(queue), 1);
    take(queue);
    assert_int_equal(is_readable(queue), 0);
    peer__event_queue_close(queue, PEER_OK, NULL);
    assert_int_equal(is_readable(queue), 1);
    take(queue);
    assert_int_equal(is_readable(queue), 0);
    free_queue(queue);
}

static void changes_merge_as_decided(void **state)
{
    (void)state;
    enum { A = PEER_RECORD_ADDED, U = PEER_RECORD_UPDATED, D = PEER_RECORD_DELETED, E = PEER_RECORD_EXPIRED };
    static const int32_t table[][3] = {{A, U, A}, {A, D, D}, {A, E, E}, {U, A, A}, {U, U, U}, {U, D, D},
                                       {U, E, E}, {D, A, U}, {E, A, U}, {D, U, U}, {D, E, D}, {A, A, A}};
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        assert_int_equal(peer__record_change_merge(table[i][0], table[i][1]), table[i][2]);
}

static void a_full_queue_merges_the_changes_of_one_record(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    for (uint32_t i = 0; i < 100; i++)
        post_record(queue, i, PEER_RECORD_ADDED);
    for (uint32_t i = 100; i < RECORDS_MAX; i++)
        post_record(queue, i % 1000, PEER_RECORD_UPDATED);
    post_record(queue, 3, PEER_RECORD_DELETED); /* does not fit: everything is merged now, and this too */
    for (uint32_t i = 0; i < 1000; i++) {
        peer_event_view view = take(queue);
        peer_guid id = id_of(i);
        assert_int_equal(view.type, PEER_GRAPH_EVENT_RECORD_CHANGED);
        assert_memory_equal(&view.record_id, &id, sizeof(id));
        assert_int_equal(view.change, i == 3 ? PEER_RECORD_DELETED : i < 100 ? PEER_RECORD_ADDED : PEER_RECORD_UPDATED);
    }
    assert_int_equal(take(queue).type, 0);
    free_queue(queue);
}

/* However long nobody reads: what changes again and again takes the room of one change. */
static void a_queue_that_was_full_goes_on_merging(void **state)
{
    (void)state;
    struct event_queue *queue;
    assert_int_equal(peer__event_queue_create(0, NULL, 100 * RECORD_COST, &queue), PEER_OK);
    for (uint32_t i = 0; i < 10000; i++)
        post_record(queue, i % 90, i < 90 ? PEER_RECORD_ADDED : PEER_RECORD_UPDATED);
    for (uint32_t i = 90; i < 100; i++)
        post_record(queue, i, PEER_RECORD_ADDED);
    for (uint32_t i = 0; i < 1000; i++)
        post_record(queue, i % 100, PEER_RECORD_UPDATED);
    assert_int_equal(peer__event_queue_bytes(queue), 100 * RECORD_COST);
    for (uint32_t i = 0; i < 100; i++) {
        peer_guid id = id_of(i);
        peer_event_view view = take(queue);
        assert_int_equal(view.change, PEER_RECORD_ADDED);
        assert_memory_equal(&view.record_id, &id, sizeof(id));
    }
    assert_int_equal(take(queue).type, 0);
    post_record(queue, 1, PEER_RECORD_UPDATED); /* whoever has caught up is told each change again */
    post_record(queue, 1, PEER_RECORD_UPDATED);
    assert_int_equal(take(queue).type, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_int_equal(take(queue).type, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_int_equal(take(queue).type, 0);
    free_queue(queue);
}

static void fill(struct event_queue *queue)
{
    for (uint32_t i = 0; i < RECORDS_MAX; i++)
        post_record(queue, i, PEER_RECORD_ADDED);
}

static void a_queue_that_merging_does_not_help_overflows(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    post(queue, PEER_GRAPH_EVENT_NODE_CHANGED, 0);
    fill(queue);
    post_synchronized(queue, type_a);
    post_record(queue, UINT32_MAX, PEER_RECORD_ADDED);
    post_record(queue, UINT32_MAX - 1, PEER_RECORD_ADDED); /* swallowed */
    assert_int_equal(take(queue).type, PEER_GRAPH_EVENT_NODE_CHANGED);
    peer_event_view view = take(queue); /* where the first record was: SYNCHRONIZED does not overtake it */
    assert_int_equal(view.type, PEER_EVENT_OVERFLOW);
    assert_int_equal(view.status, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_in_range(view.lost_count, RECORDS_MAX, RECORDS_MAX + 2);
    post_record(queue, 1, PEER_RECORD_UPDATED); /* read: told again */
    assert_int_equal(take(queue).type, PEER_GRAPH_EVENT_SYNCHRONIZED);
    assert_int_equal(take(queue).type, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_int_equal(take(queue).type, 0);
    assert_int_equal(is_readable(queue), 0);
    free_queue(queue);
}

static void other_types_overflow_on_their_own(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    post(queue, PEER_GRAPH_EVENT_NODE_CHANGED, 0);
    for (uint32_t i = 0; i < RECORDS_MAX - 5; i++) /* with the first event there is room for no whole event more */
        post_record(queue, i, PEER_RECORD_ADDED);
    for (int i = 0; i < 5; i++)
        post(queue, PEER_GRAPH_EVENT_NODE_CHANGED, 0);
    peer_event_view view = take(queue);
    assert_int_equal(view.type, PEER_EVENT_OVERFLOW);
    assert_int_equal(view.status, PEER_GRAPH_EVENT_NODE_CHANGED);
    assert_int_equal(view.lost_count, 6);
    assert_int_equal(take(queue).type, PEER_GRAPH_EVENT_RECORD_CHANGED);
    free_queue(queue);
}

static void post_progress(struct event_queue *queue, uint64_t done)
{
    peer__event_queue_post(queue, &(peer_event_view){.struct_size = sizeof(peer_event_view),
                                                     .type = PEER_EVENT_PROGRESS,
                                                     .change = PEER_PROGRESS_IMPORT,
                                                     .connection_id = done,
                                                     .next_connection_id = 100});
}

static void of_progress_a_full_queue_keeps_the_latest(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    fill(queue);
    for (uint64_t done = 1; done <= 100; done++)
        post_progress(queue, done);
    peer_event_view view;
    while ((view = take(queue)).type == PEER_GRAPH_EVENT_RECORD_CHANGED)
        continue;
    assert_int_equal(view.type, PEER_EVENT_PROGRESS);
    assert_int_equal(view.change, PEER_PROGRESS_IMPORT);
    assert_int_equal(view.connection_id, 100);
    assert_int_equal(view.next_connection_id, 100);
    assert_int_equal(take(queue).type, 0);
    free_queue(queue);
}

static void status_and_closed_have_room_in_a_full_queue(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    fill(queue);
    post(queue, PEER_GRAPH_EVENT_STATUS_CHANGED, 1);
    post_synchronized(queue, type_b);
    post_synchronized(queue, type_a);
    post_synchronized(queue, type_b); /* once, at its latest place */
    post(queue, PEER_GRAPH_EVENT_STATUS_CHANGED, 5);
    peer__memory_fail_after(0);
    post(queue, PEER_GRAPH_EVENT_STATUS_CHANGED, 7);
    peer__event_queue_close(queue, PEER_E_GRAPH_SHUTTING_DOWN, "the end");
    peer__memory_fail_after(-1);
    post_record(queue, 1, PEER_RECORD_ADDED); /* too late */
    int32_t type = 0;
    while ((type = take(queue).type) == PEER_GRAPH_EVENT_RECORD_CHANGED)
        continue;
    assert_int_equal(type, PEER_GRAPH_EVENT_SYNCHRONIZED);
    peer_event_view view = take(queue);
    assert_memory_equal(&view.record_type, &type_b, sizeof(type_b));
    assert_int_equal(take(queue).status, 7);
    view = take(queue);
    assert_int_equal(view.type, PEER_EVENT_CLOSED);
    assert_int_equal(view.reason, PEER_E_GRAPH_SHUTTING_DOWN);
    assert_int_equal(take(queue).type, 0);
    assert_int_equal(peer__event_queue_wait(queue, -1), PEER_S_NO_EVENT_DATA); /* nothing can come */
    free_queue(queue);
}

static void without_memory_events_are_counted(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    struct peer_event *event;
    post_record(queue, 1, PEER_RECORD_ADDED);
    peer__memory_fail_after(0);
    assert_int_equal(peer__event_queue_take(queue, &event), E_OUTOFMEMORY);
    post_record(queue, 2, PEER_RECORD_ADDED);
    post(queue, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, 0);
    peer__memory_fail_after(-1);
    peer_event_view view = take(queue);
    assert_int_equal(view.type, PEER_EVENT_OVERFLOW);
    assert_int_equal(view.lost_count, 2);
    assert_int_equal(take(queue).status, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION);
    assert_int_equal(take(queue).type, 0);
    free_queue(queue);
}

static void a_batch_holds_views_of_every_kind(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    const peer_event_view *views;
    uint32_t count;
    assert_int_equal(peer__event_queue_take_batch(queue, 10, sizeof(*views), &count, &views), PEER_S_NO_EVENT_DATA);
    assert_null(views);
    post_record(queue, 1, PEER_RECORD_ADDED);
    peer__event_queue_post(
        queue, &(peer_event_view){.type = PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, .peer_id = "bob", .message = "no"});
    peer__event_queue_close(queue, PEER_OK, "closed");
    assert_int_equal(peer__event_queue_take_batch(queue, 10, sizeof(*views), &count, &views), PEER_OK);
    assert_int_equal(is_readable(queue), 0);
    free_queue(queue);
    assert_int_equal(count, 3);
    assert_int_equal(views[0].change, PEER_RECORD_ADDED);
    assert_string_equal(views[1].peer_id, "bob");
    assert_string_equal(views[2].message, "closed");
    peer__object_release(views);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void waiting_ends_with_the_time(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    int64_t before = now_ms();
    assert_int_equal(peer__event_queue_wait(queue, 0), PEER_S_NO_EVENT_DATA);
    assert_int_equal(peer__event_queue_wait(queue, 50), PEER_S_NO_EVENT_DATA);
    assert_in_range(now_ms() - before, 50, 10000);
    post_record(queue, 1, PEER_RECORD_ADDED);
    assert_int_equal(peer__event_queue_wait(queue, -1), PEER_OK);
    free_queue(queue);
}

static void *wait_for_ever(void *queue)
{
    return (void *)(intptr_t)peer__event_queue_wait(queue, -1);
}

static void unregistering_wakes_who_waits(void **state)
{
    (void)state;
    struct event_queue *queue = new_queue();
    pthread_t thread;
    void *status;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_ever, queue), 0);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    peer__event_queue_end(queue);
    pthread_join(thread, &status);
    assert_int_equal((intptr_t)status, PEER_S_NO_EVENT_DATA);
    peer__event_queue_release(queue);
}

#define PRODUCERS 4
#define POSTED 20000u

struct production {
    struct event_queue *queue;
    pthread_barrier_t *barrier;
    int rounds;
};

static void *produce(void *context)
{
    struct production *production = context;
    for (int round = 0; round < production->rounds; round++) {
        for (uint32_t i = 0; i < POSTED / PRODUCERS; i++)
            post_record(production->queue, i, PEER_RECORD_UPDATED);
        pthread_barrier_wait(production->barrier); /* everything is posted */
        pthread_barrier_wait(production->barrier); /* the consumer has looked */
    }
    return NULL;
}

static void the_descriptor_stays_true_under_four_producers(void **state)
{
    (void)state;
    pthread_barrier_t barrier;
    pthread_t threads[PRODUCERS];
    struct production production = {new_queue(), &barrier, ROUNDS};
    pthread_barrier_init(&barrier, NULL, PRODUCERS + 1);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_create(&threads[i], NULL, produce, &production);
    for (int round = 0; round < production.rounds; round++) {
        uint32_t taken = 0;
        while (taken < POSTED / 2)
            taken += take(production.queue).type != 0;
        pthread_barrier_wait(&barrier);
        while (taken < POSTED) { /* nobody posts: the descriptor must say exactly what there is */
            assert_int_equal(is_readable(production.queue), 1);
            assert_int_equal(take(production.queue).type, PEER_GRAPH_EVENT_RECORD_CHANGED);
            taken++;
        }
        assert_int_equal(is_readable(production.queue), 0);
        pthread_barrier_wait(&barrier);
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    free_queue(production.queue);
}

static int nothing_is_left(void **state)
{
    (void)state;
    assert_int_equal(peer__memory_live(), 0);
    return 0;
}

#define TEST(function) cmocka_unit_test_teardown(function, nothing_is_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_come_in_order_with_all_they_hold),
        TEST(a_filter_lets_its_record_types_through),
        TEST(the_descriptor_is_readable_while_the_queue_holds_something),
        TEST(changes_merge_as_decided),
        TEST(a_full_queue_merges_the_changes_of_one_record),
        TEST(a_queue_that_was_full_goes_on_merging),
        TEST(a_queue_that_merging_does_not_help_overflows),
        TEST(other_types_overflow_on_their_own),
        TEST(of_progress_a_full_queue_keeps_the_latest),
        TEST(status_and_closed_have_room_in_a_full_queue),
        TEST(without_memory_events_are_counted),
        TEST(a_batch_holds_views_of_every_kind),
        TEST(waiting_ends_with_the_time),
        TEST(unregistering_wakes_who_waits),
        TEST(the_descriptor_stays_true_under_four_producers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
