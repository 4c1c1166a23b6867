#include "runtime/runtime.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/connection.h"
#include "runtime/directory.h"
#include "runtime/openssl.h"
#include "runtime/thread.h"
#include "store/sqlite.h"
#include "xml/attributes.h"

/* At exit all runtimes together have two seconds; this leaves some of them for the databases. */
#define EXIT_LINGER_MS 500u

static struct runtime *runtime_of(struct driver *driver)
{
    return (struct runtime *)driver;
}

/* ---- turns of the loop's thread */

void peer__turn_begin(struct runtime *runtime)
{
    if (!runtime->ending)
        peer__lock_take(&runtime->lock);
}

void peer__turn_end(struct runtime *runtime)
{
    peer__transport_flush(runtime);
    if (!runtime->ending)
        peer__lock_release(&runtime->lock);
}

int peer__commit_is_overdue(struct runtime *runtime)
{
    struct engine *engine = runtime->driver.engine;
    size_t count = runtime->ending ? 0 : peer__engine_uncommitted(engine);

    if (count == 0)
        return 0;
    return count >= COMMIT_RECORDS_MAX ||
           peer__monotonic_us() - peer__engine_uncommitted_since_us(engine) >= COMMIT_DELAY_MAX_US;
}

void peer__commit_turn(struct runtime *runtime)
{
    peer__turn_begin(runtime);
    if (peer__engine_uncommitted(runtime->driver.engine) > 0)
        peer__engine_commit(runtime->driver.engine);
    peer__turn_end(runtime);
}

static void finish_jobs(struct runtime *runtime)
{
    struct job *job = peer__workers_take_finished(&runtime->workers);

    while (job != NULL) {
        struct job *next = job->next; /* `done` owns the job */
        peer__turn_begin(runtime);
        job->done(job);
        peer__turn_end(runtime);
        job = next;
    }
}

/* What stood in the list at the start, one turn each. What comes in meanwhile waits for the next iteration. */
static void attend_connections(struct runtime *runtime)
{
    struct list batch;

    list_init(&batch);
    peer__turn_begin(runtime);
    peer__dials_looked_up(runtime);
    peer__listeners_attend(runtime);
    while (!list_is_empty(&runtime->work)) {
        struct list *node = runtime->work.next;
        list_remove(node);
        list_append(&batch, node);
    }
    while (!list_is_empty(&batch)) {
        struct list *node = batch.next;
        list_remove(node);
        peer__transport_attend(CONTAINER_OF(node, struct transport_connection, work));
        peer__turn_end(runtime);
        peer__turn_begin(runtime);
    }
    peer__turn_end(runtime);
}

/* ---- time */

static int64_t deadline_of(const struct runtime *runtime)
{
    int64_t deadline_us = peer__timers_deadline(&runtime->timers);
    int64_t engine_us = runtime->ending ? NO_DEADLINE : peer__engine_deadline(runtime->driver.engine);

    return engine_us < deadline_us ? engine_us : deadline_us;
}

static void on_timer(uv_timer_t *handle);

static void arm_timer(struct runtime *runtime)
{
    int64_t deadline_us = deadline_of(runtime);

    if (deadline_us == runtime->armed_us)
        return;
    runtime->armed_us = deadline_us;
    if (deadline_us == NO_DEADLINE) {
        uv_timer_stop(&runtime->timer);
        return;
    }
    /* libuv counts the same clock in milliseconds. Rounded up: a timer that fires early would only have to wait again. */
    uint64_t deadline_ms = deadline_us > 0 ? ((uint64_t)deadline_us + 999) / 1000 : 0;
    uint64_t now_ms = uv_now(&runtime->loop);
    uv_timer_start(&runtime->timer, on_timer, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

static void on_timer(uv_timer_t *handle)
{
    struct runtime *runtime = handle->data;

    peer__turn_begin(runtime);
    int64_t now_us = peer__monotonic_us();
    runtime->armed_us = NO_DEADLINE;
    peer__timers_fire(&runtime->timers, now_us);
    if (!runtime->ending && peer__engine_deadline(runtime->driver.engine) <= now_us)
        peer__engine_tick(runtime->driver.engine);
    peer__transport_flush(runtime);
    /* libuv runs timers before it polls: without this the iteration would go on to sleep over what this turn has left. */
    arm_timer(runtime);
    if (!list_is_empty(&runtime->work) || runtime->listeners_changed)
        uv_async_send(&runtime->wake);
    peer__turn_end(runtime);
}

/* ---- the loop's thread */

/*
 * After each iteration of the loop: carries out what turns have left, and commits if the input pauses, which is when a
 * look for more found none. 1 if the next iteration must not sleep.
 */
static int settle(struct runtime *runtime)
{
    finish_jobs(runtime);
    attend_connections(runtime);

    peer__turn_begin(runtime);
    int uncommitted = peer__engine_uncommitted(runtime->driver.engine) > 0;
    int pause = !runtime->had_input;
    runtime->had_input = 0;
    peer__turn_end(runtime);
    if (uncommitted && pause) {
        peer__commit_turn(runtime);
        uncommitted = 0; /* a group that cannot be committed waits for the next turn, not in a busy loop */
    }

    peer__turn_begin(runtime);
    peer__transport_flush(runtime);
    arm_timer(runtime);
    int busy = uncommitted || !list_is_empty(&runtime->work) || runtime->listeners_changed;
    peer__turn_end(runtime);
    return busy;
}

/* Jobs come back before the engine goes: `done` may name what the engine owns. Returns with the lock held. */
static void finish_all_jobs(struct runtime *runtime)
{
    for (;;) {
        peer__workers_drain(&runtime->workers);
        finish_jobs(runtime);
        peer__lock_take(&runtime->lock);
        if (peer__workers_are_idle(&runtime->workers))
            return;
        peer__lock_release(&runtime->lock);
    }
}

static void linger(struct runtime *runtime)
{
    peer__transport_end(runtime, atomic_load(&runtime->linger_ms));
    for (;;) {
        attend_connections(runtime);
        if (list_is_empty(&runtime->connections))
            return;
        arm_timer(runtime);
        uv_run(&runtime->loop, list_is_empty(&runtime->work) ? UV_RUN_ONCE : UV_RUN_NOWAIT);
    }
}

static void close_loop(struct runtime *runtime)
{
    /* Whoever asked for the end may be about to wake the loop still, and must not find it closed. */
    pthread_mutex_lock(&runtime->stop_mutex);
    pthread_mutex_unlock(&runtime->stop_mutex);
    peer__listeners_end(runtime);
    uv_close((uv_handle_t *)&runtime->wake, NULL);
    uv_close((uv_handle_t *)&runtime->timer, NULL);
    uv_run(&runtime->loop, UV_RUN_DEFAULT);
    uv_loop_close(&runtime->loop);
}

/*
 * The lock is never given back: after a stop nobody wants it, and at the end of the process a thread that still waits
 * for it must not find an engine that is gone.
 */
static void end(struct runtime *runtime)
{
    finish_all_jobs(runtime);
    runtime->ending = 1;
    peer__engine_free(runtime->driver.engine);
    runtime->driver.engine = NULL;
    peer__listeners_close_all(runtime);
    peer__workers_join(&runtime->workers);
    finish_jobs(runtime);
    linger(runtime);
    close_loop(runtime);
    peer__store_sqlite_factory_free(&runtime->config.stores);
}

static void *drive(void *context)
{
    struct runtime *runtime = context;

    while (!atomic_load(&runtime->stopping)) {
        uv_run(&runtime->loop, settle(runtime) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        atomic_fetch_add(&runtime->iterations, 1);
    }
    end(runtime);
    peer__live_ended(&runtime->live);
    return NULL;
}

/* ---- calls from above */

static void driver_lock(struct driver *driver)
{
    peer__lock_take(&runtime_of(driver)->lock);
}

static int has_work_for_loop(const struct runtime *runtime)
{
    return !list_is_empty(&runtime->work) || runtime->listeners_changed ||
           peer__engine_uncommitted(runtime->driver.engine) > 0 || deadline_of(runtime) < runtime->armed_us;
}

static void driver_unlock(struct driver *driver)
{
    struct runtime *runtime = runtime_of(driver);

    /* Sent by the caller itself: a round trip is half as long as if the loop had to wake first (decisions.md 32). */
    peer__transport_flush(runtime);
    if (has_work_for_loop(runtime))
        uv_async_send(&runtime->wake);
    peer__lock_release(&runtime->lock);
}

static int64_t driver_longest_wait_us(struct driver *driver)
{
    return peer__lock_longest_wait_us(&runtime_of(driver)->lock);
}

static void wake_loop(void *context)
{
    struct runtime *runtime = context;

    uv_async_send(&runtime->wake);
}

static void request_stop(struct runtime *runtime, uint32_t linger_ms)
{
    atomic_store(&runtime->linger_ms, linger_ms);
    pthread_mutex_lock(&runtime->stop_mutex);
    atomic_store(&runtime->stopping, 1);
    uv_async_send(&runtime->wake);
    pthread_mutex_unlock(&runtime->stop_mutex);
}

static void request_stop_at_exit(struct live *live)
{
    request_stop(CONTAINER_OF(live, struct runtime, live), EXIT_LINGER_MS);
}

/* What is there before its parts are opened. */
static void shell_free(struct runtime *runtime)
{
    if (runtime->spare_fd >= 0)
        close(runtime->spare_fd);
    peer__timers_free(&runtime->timers);
    pthread_mutex_destroy(&runtime->stop_mutex);
    peer__free(runtime);
}

static void runtime_free(struct runtime *runtime)
{
    peer__workers_destroy(&runtime->workers);
    peer__lock_destroy(&runtime->lock);
    shell_free(runtime);
}

static void driver_stop(struct driver *driver, uint32_t linger_ms)
{
    struct runtime *runtime = runtime_of(driver);

    if (!peer__live_claim(&runtime->live))
        return; /* the exit handler sees to it */
    request_stop(runtime, linger_ms);
    pthread_join(runtime->live.thread, NULL);
    peer__live_remove(&runtime->live);
    runtime_free(runtime);
}

/* ---- start */

static int64_t read_utc_us(void *self)
{
    (void)self;
    return peer__utc_us();
}

static int64_t read_monotonic_us(void *self)
{
    (void)self;
    return peer__monotonic_us();
}

static int64_t read_elapsed_us(void *self)
{
    (void)self;
    return peer__elapsed_us();
}

static void submit_job(void *self, struct job *job)
{
    struct runtime *runtime = self;

    peer__workers_submit(&runtime->workers, job);
}

static void on_wake(uv_async_t *handle)
{
    (void)handle; /* the loop has turned, and that was the point */
}

static struct runtime *runtime_create(void)
{
    struct runtime *runtime = peer__calloc(1, sizeof(*runtime));

    if (runtime == NULL)
        return NULL;
    runtime->driver = (struct driver){
        .lock = driver_lock, .unlock = driver_unlock, .stop = driver_stop, .longest_wait_us = driver_longest_wait_us};
    pthread_mutex_init(&runtime->stop_mutex, NULL);
    runtime->live.request_stop = request_stop_at_exit;
    list_init(&runtime->live.list);
    list_init(&runtime->connections);
    list_init(&runtime->work);
    list_init(&runtime->listeners);
    list_init(&runtime->lookups);
    runtime->armed_us = NO_DEADLINE;
    runtime->turn_size = TURN_SIZE_MAX;
    runtime->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    runtime->config.clock =
        (struct clock){.utc_us = read_utc_us, .monotonic_us = read_monotonic_us, .elapsed_us = read_elapsed_us};
    runtime->config.jobs = (struct jobs){.submit = submit_job, .self = runtime};
    runtime->config.schema = (struct schema){peer__attributes_check, peer__attributes_index};
    peer__transport_init(runtime, &runtime->config.transport);
    return runtime;
}

static peer_status open_loop(struct runtime *runtime)
{
    if (uv_loop_init(&runtime->loop) != 0)
        return peer__fail(E_OUTOFMEMORY, "no descriptor is free for a runtime; raise the limit (ulimit -n)");
    if (uv_async_init(&runtime->loop, &runtime->wake, on_wake) != 0) {
        uv_loop_close(&runtime->loop);
        return peer__fail(E_OUTOFMEMORY, "no descriptor is free for a runtime; raise the limit (ulimit -n)");
    }
    uv_timer_init(&runtime->loop, &runtime->timer);
    runtime->timer.data = runtime;
    return PEER_OK;
}

/* The last step of a start: nothing can fail after the thread runs but the end of the process. */
static peer_status start_thread(struct runtime *runtime)
{
    if (peer__thread_start(&runtime->live.thread, drive, runtime) != 0) {
        end(runtime);
        return peer__fail(E_OUTOFMEMORY, "no thread can be started");
    }
    peer_status status = peer__live_add(&runtime->live);
    if (status < 0) {
        request_stop(runtime, 0);
        pthread_join(runtime->live.thread, NULL);
    }
    return status;
}

static peer_status start_engine(struct runtime *runtime)
{
    peer_status status = peer__workers_start(&runtime->workers, wake_loop, runtime);

    if (status == PEER_OK) {
        status = peer__engine_create(&runtime->config, &runtime->driver.engine);
        if (status == PEER_OK)
            return PEER_OK;
        peer__workers_join(&runtime->workers);
        peer__workers_destroy(&runtime->workers);
    }
    close_loop(runtime);
    return status;
}

/* From the first step that can fail: each undoes what it did itself, and here what the ones before it did. */
static peer_status open_parts(struct runtime *runtime, const char *data_directory)
{
    struct engine_config *config = &runtime->config;

    PEER_TRY(peer__openssl_shared(&config->crypto, &config->random));
    peer_status status = peer__store_sqlite_factory(data_directory, &config->stores);
    if (status >= 0)
        status = open_loop(runtime);
    if (status >= 0)
        status = start_engine(runtime);
    if (status < 0)
        peer__store_sqlite_factory_free(&config->stores);
    return status;
}

peer_status peer__runtime_start(const char *data_directory, struct driver **driver_out)
{
    PEER_TRY(peer__directory_make(data_directory));
    struct runtime *runtime = runtime_create();
    if (runtime == NULL)
        return peer__out_of_memory();
    if (peer__lock_init(&runtime->lock) != 0) {
        shell_free(runtime);
        return peer__out_of_memory();
    }
    peer_status status = open_parts(runtime, data_directory);
    if (status < 0) {
        peer__lock_destroy(&runtime->lock);
        shell_free(runtime);
        return status;
    }
    status = start_thread(runtime);
    if (status < 0) {
        runtime_free(runtime);
        return status;
    }
    *driver_out = &runtime->driver;
    return PEER_OK;
}

uint64_t peer__runtime_iterations(struct driver *driver)
{
    return atomic_load(&runtime_of(driver)->iterations);
}
