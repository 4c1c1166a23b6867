/* What the threads of a runtime share: its lock, which is fair, and its workers. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/memory.h"
#include "runtime/lock.h"
#include "runtime/thread.h"
#include "runtime/workers.h"
#include "unit/check.h"

/* ---- the lock */

struct contest {
    struct lock lock;
    atomic_int over;
    atomic_ullong greedy_turns;
    atomic_ullong our_turns;
    atomic_int overtaken; /* times that the greedy one came first, though we were in the queue before it */
};

static void *be_greedy(void *context)
{
    struct contest *contest = context;
    int was_waited_for = 0;
    unsigned long long before = 0;

    while (!atomic_load(&contest->over)) {
        peer__lock_take(&contest->lock);
        if (was_waited_for && atomic_load(&contest->our_turns) == before)
            atomic_fetch_add(&contest->overtaken, 1);
        for (int64_t until_us = peer__monotonic_us() + 200; peer__monotonic_us() < until_us;)
            ;
        atomic_fetch_add(&contest->greedy_turns, 1);
        was_waited_for = peer__lock_waiting(&contest->lock) > 0;
        before = atomic_load(&contest->our_turns);
        peer__lock_release(&contest->lock);
    }
    return NULL;
}

static void a_greedy_thread_cannot_keep_a_caller_out(void **state)
{
    struct contest contest = {0};
    pthread_t greedy;

    (void)state;
    assert_int_equal(peer__lock_init(&contest.lock), 0);
    assert_int_equal(peer__thread_start(&greedy, be_greedy, &contest), 0);
    while (atomic_load(&contest.greedy_turns) == 0)
        ;
    for (int i = 0; i < 200; i++) {
        peer__lock_take(&contest.lock);
        atomic_fetch_add(&contest.our_turns, 1);
        peer__lock_release(&contest.lock);
    }
    atomic_store(&contest.over, 1);
    pthread_join(greedy, NULL);
    assert_int_equal(atomic_load(&contest.overtaken), 0);
    assert_true(peer__lock_longest_wait_us(&contest.lock) > 0);
    assert_int_equal(peer__lock_longest_wait_us(&contest.lock), 0);
    assert_int_equal(peer__lock_waiting(&contest.lock), 0);
    peer__lock_destroy(&contest.lock);
}

#define QUEUE_LENGTH 8

struct queuer {
    struct lock *lock;
    int *order;
    int *count;
    int number;
};

static void *queue_up(void *context)
{
    struct queuer *queuer = context;

    peer__lock_take(queuer->lock);
    queuer->order[(*queuer->count)++] = queuer->number;
    peer__lock_release(queuer->lock);
    return NULL;
}

static void waiters_come_in_the_order_in_which_they_arrived(void **state)
{
    struct lock lock;
    struct queuer queuers[QUEUE_LENGTH];
    pthread_t threads[QUEUE_LENGTH];
    int order[QUEUE_LENGTH];
    int count = 0;

    (void)state;
    assert_int_equal(peer__lock_init(&lock), 0);
    peer__lock_take(&lock);
    for (int i = 0; i < QUEUE_LENGTH; i++) {
        queuers[i] = (struct queuer){&lock, order, &count, i};
        assert_int_equal(peer__thread_start(&threads[i], queue_up, &queuers[i]), 0);
        while (peer__lock_waiting(&lock) != (size_t)i + 1)
            ;
    }
    peer__lock_release(&lock);
    for (int i = 0; i < QUEUE_LENGTH; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count, QUEUE_LENGTH);
    for (int i = 0; i < QUEUE_LENGTH; i++)
        assert_int_equal(order[i], i);
    peer__lock_destroy(&lock);
}

/* ---- workers */

struct counting_job {
    struct job job;
    pthread_t submitter;
    int ran_elsewhere;
};

static atomic_int jobs_run;

static void run_counting(struct job *job)
{
    struct counting_job *self = (struct counting_job *)job;

    self->ran_elsewhere = !pthread_equal(pthread_self(), self->submitter);
    atomic_fetch_add(&jobs_run, 1);
}

static void count_wake(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void every_job_is_run_once_and_comes_back(void **state)
{
    struct workers workers;
    struct counting_job jobs[100];
    atomic_int wakes = 0;
    size_t returned = 0;

    (void)state;
    atomic_store(&jobs_run, 0);
    assert_int_equal(peer__workers_start(&workers, count_wake, &wakes), PEER_OK);
    for (size_t i = 0; i < 100; i++) {
        jobs[i] = (struct counting_job){.job.run = run_counting, .submitter = pthread_self()};
        peer__workers_submit(&workers, &jobs[i].job);
    }
    peer__workers_drain(&workers);
    assert_false(peer__workers_are_idle(&workers));
    for (struct job *job = peer__workers_take_finished(&workers); job != NULL; job = job->next) {
        assert_true(((struct counting_job *)job)->ran_elsewhere);
        returned++;
    }
    assert_int_equal(returned, 100);
    assert_int_equal(atomic_load(&jobs_run), 100);
    assert_int_equal(atomic_load(&wakes), 1);
    assert_true(peer__workers_are_idle(&workers));
    peer__workers_join(&workers);
    peer__workers_destroy(&workers);
}

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int tickets;
};

struct gated_job {
    struct job job;
    struct gate *gate;
};

static void give_tickets(struct gate *gate, int count)
{
    pthread_mutex_lock(&gate->mutex);
    gate->tickets += count;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

/* 0, or what went wrong by the deadline. */
static int take_tickets(struct gate *gate, int count, const struct timespec *deadline)
{
    int error = 0;

    pthread_mutex_lock(&gate->mutex);
    while (error == 0 && gate->tickets < count)
        error = deadline != NULL ? pthread_cond_timedwait(&gate->changed, &gate->mutex, deadline)
                                 : pthread_cond_wait(&gate->changed, &gate->mutex);
    if (error == 0)
        gate->tickets -= count;
    pthread_mutex_unlock(&gate->mutex);
    return error;
}

static void wait_at_gate(struct job *job)
{
    take_tickets(((struct gated_job *)job)->gate, 1, NULL);
}

static void open_gate(struct job *job)
{
    give_tickets(((struct gated_job *)job)->gate, 1);
}

static int short_jobs_pass(struct workers *workers)
{
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct gate passed = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct gated_job jobs[8];
    struct timespec deadline;
    size_t returned = 0;

    for (size_t i = 0; i < 8; i++) {
        int is_long = i != 2 && i != 7;
        jobs[i] = (struct gated_job){.job = {.run = is_long ? wait_at_gate : open_gate, .is_long = is_long},
                                     .gate = is_long ? &gate : &passed};
        peer__workers_submit(workers, &jobs[i].job);
    }
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 60;
    int have_passed = take_tickets(&passed, 2, &deadline) == 0;
    give_tickets(&gate, 6);
    peer__workers_join(workers); /* with jobs that wait for others of their kind */
    for (struct job *job = peer__workers_take_finished(workers); job != NULL; job = job->next)
        returned++;
    assert_int_equal(returned, 8);
    return have_passed;
}

/* However many of them wait, or are under way, and also if not all threads could be started. */
static void a_short_job_does_not_wait_for_long_ones(void **state)
{
    (void)state;
    for (int threads = WORKER_COUNT; threads >= 2; threads--) {
        struct workers workers;
        atomic_int wakes = 0;
        peer__memory_fail_after(threads);
        assert_int_equal(peer__workers_start(&workers, count_wake, &wakes), PEER_OK);
        peer__memory_fail_after(-1);
        assert_int_equal(workers.thread_count, threads);
        assert_true(short_jobs_pass(&workers));
        peer__workers_destroy(&workers);
    }
}

static void a_single_worker_does_it_all(void **state)
{
    struct workers workers;
    struct counting_job jobs[4];
    atomic_int wakes = 0;

    (void)state;
    atomic_store(&jobs_run, 0);
    peer__memory_fail_after(1);
    assert_int_equal(peer__workers_start(&workers, count_wake, &wakes), PEER_OK);
    peer__memory_fail_after(-1);
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct counting_job){.job = {.run = run_counting, .is_long = i % 2}, .submitter = pthread_self()};
        peer__workers_submit(&workers, &jobs[i].job);
    }
    peer__workers_join(&workers);
    assert_int_equal(atomic_load(&jobs_run), 4);
    peer__workers_destroy(&workers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greedy_thread_cannot_keep_a_caller_out),
        cmocka_unit_test(waiters_come_in_the_order_in_which_they_arrived),
        cmocka_unit_test(every_job_is_run_once_and_comes_back),
        cmocka_unit_test(a_short_job_does_not_wait_for_long_ones),
        cmocka_unit_test(a_single_worker_does_it_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
