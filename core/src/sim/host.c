/* A host: its clocks, its chance, its engine, and the rules of graph/engine.h for whoever drives one. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/engine.h"
#include "sim/internal.h"
#include "store/memory.h"
#include "store/sqlite.h"
#include "tls/crypto.h"
#include "xml/attributes.h"

#define MILLION INT64_C(1000000)
/* Of an input in which memory runs out: most need a few allocations, some many. */
#define MEMORY_GRANTED_MAX 24
/* Graphs have timers for ever: who waits for what never comes would never be let go. */
#define PATIENCE_US (30 * 24 * 3600 * MILLION)

/* ------------------------------------------------------------------------------------------------------ clocks */

static int64_t elapsed_us(const struct sim_host *host, int64_t moment_us)
{
    int64_t since_us = moment_us - host->drift_since_us;
    return moment_us + since_us / MILLION * host->drift_ppm + since_us % MILLION * host->drift_ppm / MILLION;
}

static int64_t utc_us(void *self)
{
    const struct sim_host *host = self;
    return SIM_EPOCH_US + host->clock_offset_us + elapsed_us(host, host->sim->now_us);
}

static int64_t monotonic_us(void *self)
{
    const struct sim_host *host = self;
    return host->monotonic_offset_us + elapsed_us(host, host->sim->now_us);
}

static int64_t elapsed_with_sleep_us(void *self)
{
    return monotonic_us(self) + ((const struct sim_host *)self)->slept_us;
}

/* The first virtual moment at which the host's monotonic clock shows `monotonic`. */
static int64_t moment_of(const struct sim_host *host, int64_t monotonic)
{
    if (monotonic == NO_DEADLINE)
        return NO_DEADLINE;
    int64_t wanted_us = monotonic - host->monotonic_offset_us;
    int64_t since_us = wanted_us - host->drift_since_us;
    int64_t rate = MILLION + host->drift_ppm;
    int64_t moment_us = host->drift_since_us + since_us / rate * MILLION + since_us % rate * MILLION / rate;
    while (elapsed_us(host, moment_us) < wanted_us)
        moment_us++;
    return moment_us;
}

int64_t peer__sim_host_utc_us(const struct sim_host *host)
{
    return utc_us((void *)host);
}

void peer__sim_host_sleep(struct sim_host *host, int64_t slept_us)
{
    host->slept_us += slept_us;
    host->clock_offset_us += slept_us;
}

void peer__sim_host_set_clock(struct sim_host *host, int64_t offset_us, int32_t drift_ppm)
{
    /* The drift so far moves into the offsets, so that the monotonic clock goes on without a step. */
    int64_t now_us = host->sim->now_us;
    host->monotonic_offset_us += elapsed_us(host, now_us) - now_us;
    host->drift_since_us = now_us;
    host->drift_ppm = drift_ppm;
    host->clock_offset_us = offset_us;
    if (host->engine != NULL)
        peer__sim_host_settle(host);
}

/* ------------------------------------------------------------------------------------------------ chance, jobs */

static peer_status fill(void *self, void *data, size_t size)
{
    struct sim_host *host = self;
    uint8_t *bytes = data;

    while (size > 0) {
        uint64_t value = peer__sim_random_next(&host->random);
        for (unsigned i = 0; i < 8 && size > 0; i++, size--)
            *bytes++ = (uint8_t)(value >> (8 * i));
    }
    return PEER_OK;
}

static void submit(void *self, struct job *job)
{
    struct sim_host *host = self;
    job->next = NULL;
    *host->jobs_end = job;
    host->jobs_end = &job->next;
    peer__sim_at(host->sim, &host->work, host->sim->now_us);
}

/* Jobs run at the moment of their submission, but not inside the input that submitted them. */
static void run_jobs(struct sim_host *host)
{
    while (host->jobs != NULL) {
        struct job *job = host->jobs;
        host->jobs = job->next;
        if (host->jobs == NULL)
            host->jobs_end = &host->jobs;
        job->run(job);
        job->done(job);
    }
}

static void on_work(struct timer *timer)
{
    struct sim_host *host = CONTAINER_OF(timer, struct sim_host, work);
    run_jobs(host);
    peer__sim_host_settle(host);
}

/* ------------------------------------------------------------------------------------------ inputs and commits */

/* The commit group (graph/engine.h): a commit after this input, or, by chance, a later one with whatever else came. */
static void commit_or_wait(struct sim_host *host)
{
    struct sim *sim = host->sim;
    size_t count = peer__engine_uncommitted(host->engine);

    if (count > 0 && count < COMMIT_RECORDS_MAX) {
        if (host->commit.place != 0)
            return;
        if (peer__sim_random_chance(&sim->random, sim->options.group_chance)) {
            int64_t latest_us =
                moment_of(host, peer__engine_uncommitted_since_us(host->engine) + COMMIT_DELAY_MAX_US) - sim->now_us;
            if (latest_us > 0) {
                uint64_t wait_us = peer__sim_random_below(&sim->random, (uint64_t)latest_us);
                peer__sim_at(sim, &host->commit, sim->now_us + (int64_t)wait_us);
                return;
            }
        }
    }
    peer__timer_cancel(&sim->timers, &host->commit);
    peer__engine_commit(host->engine);
}

static void set_tick(struct sim_host *host)
{
    int64_t moment_us = moment_of(host, peer__engine_deadline(host->engine));
    if (moment_us == NO_DEADLINE)
        peer__timer_cancel(&host->sim->timers, &host->tick);
    else
        peer__sim_at(host->sim, &host->tick, moment_us);
}

void peer__sim_host_settle(struct sim_host *host)
{
    commit_or_wait(host);
    set_tick(host);
}

/* A host that is short of memory: by chance, from some allocation of an input on each fails, until the input ends. */
static void begin_input(struct sim_host *host)
{
    struct sim_random *random = &host->sim->random;
    if (host->memory_chance != 0 && peer__sim_random_chance(random, host->memory_chance))
        peer__memory_fail_after(
            (int64_t)peer__sim_random_below(random, 1 + peer__sim_random_below(random, MEMORY_GRANTED_MAX)));
}

static void end_input(struct sim_host *host)
{
    if (host->memory_chance != 0)
        peer__memory_fail_after(-1);
}

void peer__sim_host_set_memory_short(struct sim_host *host, uint32_t chance)
{
    host->memory_chance = chance;
}

static void on_tick(struct timer *timer)
{
    struct sim_host *host = CONTAINER_OF(timer, struct sim_host, tick);
    begin_input(host);
    peer__engine_tick(host->engine);
    peer__sim_host_settle(host);
    end_input(host);
}

static void on_commit(struct timer *timer)
{
    struct sim_host *host = CONTAINER_OF(timer, struct sim_host, commit);
    begin_input(host);
    peer__engine_commit(host->engine);
    set_tick(host);
    end_input(host);
}

static peer_status accepted(void *self, void *listener_tag, struct transport_connection *connection,
                            const struct address *remote, void **tag_out)
{
    struct sim_host *host = self;
    begin_input(host);
    peer_status status = peer__engine_accepted(host->engine, listener_tag, connection, remote, tag_out);
    peer__sim_host_settle(host);
    end_input(host);
    return status;
}

static void connected(void *self, void *tag, const struct address *remote)
{
    struct sim_host *host = self;
    begin_input(host);
    peer__engine_connected(host->engine, tag, remote);
    peer__sim_host_settle(host);
    end_input(host);
}

static void received(void *self, void *tag, const void *data, size_t size)
{
    struct sim_host *host = self;
    begin_input(host);
    peer__engine_received(host->engine, tag, data, size);
    peer__sim_host_settle(host);
    end_input(host);
}

static void writable(void *self, void *tag)
{
    struct sim_host *host = self;
    begin_input(host);
    peer__engine_writable(host->engine, tag);
    peer__sim_host_settle(host);
    end_input(host);
}

static void closed(void *self, void *tag, peer_status reason, const char *message)
{
    struct sim_host *host = self;
    begin_input(host);
    peer__engine_closed(host->engine, tag, reason, message);
    peer__sim_host_settle(host);
    end_input(host);
}

void peer__sim_host_moved(struct sim_host *host, void *listener_tag, uint16_t port)
{
    struct address address = host->address;
    if (host->engine == NULL)
        return;
    address.port = port;
    peer__engine_addresses_changed(host->engine, listener_tag, &address, 1);
    peer__sim_host_settle(host);
}

/* ------------------------------------------------------------------------------------------------------ driver */

static struct sim_host *host_of(struct driver *driver)
{
    return CONTAINER_OF(driver, struct sim_host, driver);
}

static void lock(struct driver *driver)
{
    pthread_mutex_lock(&host_of(driver)->sim->mutex);
}

/* A call commits at once (design.md 4), and what was uncommitted from the network with it. */
static void unlock(struct driver *driver)
{
    struct sim_host *host = host_of(driver);
    if (host->engine != NULL) {
        peer__timer_cancel(&host->sim->timers, &host->commit);
        peer__engine_commit(host->engine);
        set_tick(host);
    }
    pthread_mutex_unlock(&host->sim->mutex);
}

/* The goodbyes are on their way and will arrive in virtual time; nobody waits. */
static void stop(struct driver *driver, uint32_t linger_ms)
{
    struct sim_host *host = host_of(driver);
    (void)linger_ms;
    pthread_mutex_lock(&host->sim->mutex);
    if (host->engine != NULL) {
        peer__sim_trace_host(host->sim, host, "shut down");
        peer__sim_host_end(host);
    }
    peer__sim_unlisten_all(host);
    pthread_mutex_unlock(&host->sim->mutex);
}

static peer_status pass_time(struct driver *driver, int (*until)(void *context), void *context, int32_t timeout_ms)
{
    struct sim *sim = host_of(driver)->sim;
    pthread_mutex_lock(&sim->mutex);
    int64_t longest_us = timeout_ms >= 0 ? (int64_t)timeout_ms * 1000 : PATIENCE_US;
    peer__sim_run_until(sim, until, context, sim->now_us + longest_us);
    peer_status status = peer__sim_status(sim);
    pthread_mutex_unlock(&sim->mutex);
    return status;
}

static int64_t longest_wait_us(struct driver *driver)
{
    (void)driver;
    return 0;
}

/* ------------------------------------------------------------------------------------------- beginning and end */

static int is_plain(struct sim_host *host)
{
    uint32_t chance = host->sim->options.plain_chance;
    return chance > 0 && peer__sim_random_chance(&host->sim->random, chance);
}

static peer_status make_engine(struct sim_host *host)
{
    struct engine_config config = {
        .clock = {.utc_us = utc_us, .monotonic_us = monotonic_us, .elapsed_us = elapsed_with_sleep_us, .self = host},
        .random = {.fill = fill, .self = host},
        .crypto = host->crypto,
        .transport = peer__sim_host_transport(host),
        .jobs = {.submit = submit, .self = host},
        .schema = {peer__attributes_check, peer__attributes_index},
        .stores = peer__sim_disk(host),
        .is_plain = is_plain(host),
    };
    PEER_TRY(peer__engine_create(&config, &host->engine));
    host->driver.engine = host->engine;
    set_tick(host);
    return PEER_OK;
}

peer_status peer__sim_host_start(struct sim_host *host, const char *data_directory)
{
    struct random unused; /* its numbers are real chance */

    host->driver = (struct driver){
        .lock = lock, .unlock = unlock, .stop = stop, .longest_wait_us = longest_wait_us, .pass_time = pass_time};
    host->endpoint = (struct sim_endpoint){.accepted = accepted,
                                           .connected = connected,
                                           .received = received,
                                           .writable = writable,
                                           .closed = closed,
                                           .self = host};
    host->jobs_end = &host->jobs;
    peer__timer_init(&host->tick, on_tick);
    peer__timer_init(&host->commit, on_commit);
    peer__timer_init(&host->work, on_work);
    PEER_TRY(peer__crypto_create(&host->crypto, &unused));
    host->on_disk = data_directory != NULL;
    if (host->on_disk)
        PEER_TRY(peer__store_sqlite_factory(data_directory, &host->medium));
    else
        PEER_TRY(peer__store_memory_factory(&host->medium));
    return make_engine(host);
}

/* Frees the engine; whether anybody hears of it is the caller's matter (dying). */
void peer__sim_host_end(struct sim_host *host)
{
    run_jobs(host);
    peer__engine_free(host->engine);
    run_jobs(host);
    host->engine = NULL;
    host->driver.engine = NULL;
    peer__timer_cancel(&host->sim->timers, &host->tick);
    peer__timer_cancel(&host->sim->timers, &host->commit);
    peer__timer_cancel(&host->sim->timers, &host->work);
}

void peer__sim_host_free(struct sim_host *host)
{
    peer__sim_unlisten_all(host);
    if (!host->raw) {
        if (host->on_disk)
            peer__store_sqlite_factory_free(&host->medium);
        else
            peer__store_memory_factory_free(&host->medium);
        peer__crypto_destroy(&host->crypto);
    }
    peer__timers_release(&host->sim->timers, HOST_TIMERS);
    peer__free(host->cut_to);
    peer__sim_links_free(host);
    peer__free(host);
}

void peer__sim_host_crash(struct sim_host *host, enum sim_crash how)
{
    if (host->raw || host->is_down)
        return;
    host->dying = 1;
    host->is_down = 1;
    peer__sim_trace_host(host->sim, host, how == SIM_CRASH_PROCESS ? "crashed" : "lost power");
    peer__sim_pipes_crash(host, how);
    peer__sim_host_end(host);
    peer__sim_unlisten_all(host);
    host->dying = 0;
}

peer_status peer__sim_host_restart(struct sim_host *host)
{
    if (host->engine != NULL || host->raw)
        return peer__fail(E_INVALIDARG, "the host \"%s\" is not down", host->name);
    peer__sim_trace_host(host->sim, host, "restarted");
    peer__sim_pipes_restart(host);
    PEER_TRY(make_engine(host));
    host->is_down = 0;
    return PEER_OK;
}

int peer__sim_host_is_down(const struct sim_host *host)
{
    return host->is_down;
}

void peer__sim_host_set_disk_full(struct sim_host *host, int full)
{
    peer__sim_trace_host(host->sim, host, full ? "disk full" : "disk has room");
    host->disk.is_full = full;
}

void peer__sim_host_set_disk_behind(struct sim_host *host, int behind)
{
    peer__sim_trace_host(host->sim, host, behind ? "disk is behind" : "disk has caught up");
    host->disk_is_behind = behind;
}

int peer__sim_host_disk_is_full(const struct sim_host *host)
{
    return host->disk.is_full;
}

int32_t peer__sim_host_drift_ppm(const struct sim_host *host)
{
    return host->drift_ppm;
}

uintptr_t peer__sim_host_mark(const struct sim_host *host)
{
    return host->mark;
}

void peer__sim_host_set_mark(struct sim_host *host, uintptr_t mark)
{
    host->mark = mark;
}

const char *peer__sim_host_name(const struct sim_host *host)
{
    return host->name;
}

size_t peer__sim_host_index(const struct sim_host *host)
{
    return host->index;
}

const struct address *peer__sim_host_address(const struct sim_host *host)
{
    return &host->address;
}

const char *peer__sim_host_address_text(const struct sim_host *host)
{
    return host->address_text;
}

struct engine *peer__sim_host_engine(struct sim_host *host)
{
    return host->engine;
}

struct driver *peer__sim_host_driver(struct sim_host *host)
{
    return &host->driver;
}
