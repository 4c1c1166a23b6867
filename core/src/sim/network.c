/* The network as a whole: virtual time, who is where, who can reach whom. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "sim/internal.h"

/* So often something may happen at one and the same moment before a host is taken to be stuck in a loop. */
#define STEPS_AT_ONE_MOMENT_MAX 1000000u
#define FIRST_PORT 5000u

void peer__sim_defaults(struct sim_options *options)
{
    *options = (struct sim_options){
        .latency_us = 10000,
        .jitter_us = 5000,
        .connect_timeout_us = 20000000,
        .cut_chance = 30,
        .group_chance = 50,
    };
}

static struct sim *sim_of(struct driver *driver)
{
    return CONTAINER_OF(driver, struct sim, driver);
}

static void lock(struct driver *driver)
{
    pthread_mutex_lock(&sim_of(driver)->mutex);
}

static void unlock(struct driver *driver)
{
    pthread_mutex_unlock(&sim_of(driver)->mutex);
}

static void stop(struct driver *driver, uint32_t linger_ms)
{
    (void)linger_ms;
    peer__sim_free(sim_of(driver));
}

static int64_t longest_wait_us(struct driver *driver)
{
    (void)driver;
    return 0;
}

struct driver *peer__sim_driver(struct sim *sim)
{
    return &sim->driver;
}

peer_status peer__sim_create(uint64_t seed, const struct sim_options *options, struct sim **sim_out)
{
    struct sim *sim = peer__calloc(1, sizeof(*sim));
    if (sim == NULL)
        return peer__out_of_memory();
    peer__sim_defaults(&sim->options);
    if (options != NULL)
        sim->options = *options;
    sim->driver = (struct driver){.lock = lock, .unlock = unlock, .stop = stop, .longest_wait_us = longest_wait_us};
    pthread_mutex_init(&sim->mutex, NULL);
    sim->seed = seed;
    sim->trace_hash = seed;
    sim->link = (struct sim_link){.latency_us = sim->options.latency_us,
                                  .jitter_us = sim->options.jitter_us,
                                  .bandwidth = sim->options.bandwidth};
    list_init(&sim->pipes);
    list_init(&sim->let_go);
    list_init(&sim->held);
    peer__sim_random_seed(&sim->random, seed, 0);
    *sim_out = sim;
    return PEER_OK;
}

void peer__sim_free(struct sim *sim)
{
    if (sim == NULL)
        return;
    for (size_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->engine != NULL)
            peer__sim_host_end(sim->hosts[i]);
    }
    peer__sim_pipes_free(sim);
    for (size_t i = 0; i < sim->host_count; i++)
        peer__sim_host_free(sim->hosts[i]);
    peer__timers_free(&sim->timers);
    peer__free(sim->hosts);
    peer__free(sim->filters);
    peer__sim_recorder_end(sim);
    pthread_mutex_destroy(&sim->mutex);
    peer__free(sim);
}

void peer__sim_fail(struct sim *sim, peer_status status)
{
    if (sim->status == PEER_OK)
        sim->status = status;
}

peer_status peer__sim_status(const struct sim *sim)
{
    if (sim->status == E_OUTOFMEMORY)
        return peer__fail(E_OUTOFMEMORY, "memory was out in the midst of a simulated moment; the network has ended");
    return sim->status < 0 ? peer__fail(sim->status, "a host asks for one moment of the network again and again")
                           : PEER_OK;
}

/* -------------------------------------------------------------------------------------------------------- time */

void peer__sim_at(struct sim *sim, struct timer *timer, int64_t moment_us)
{
    peer__timer_set(&sim->timers, timer, moment_us > sim->now_us ? moment_us : sim->now_us);
}

int64_t peer__sim_now_us(const struct sim *sim)
{
    return sim->now_us;
}

int64_t peer__sim_next_us(const struct sim *sim)
{
    int64_t moment_us = peer__timers_deadline(&sim->timers);
    return moment_us > sim->now_us ? moment_us : sim->now_us;
}

int peer__sim_step(struct sim *sim)
{
    int64_t moment_us = peer__timers_deadline(&sim->timers);
    if (moment_us == NO_DEADLINE || sim->status != PEER_OK)
        return 0;
    if (moment_us > sim->now_us) {
        sim->now_us = moment_us;
        sim->steps_at_now = 0;
    } else if (++sim->steps_at_now > STEPS_AT_ONE_MOMENT_MAX) {
        peer__sim_fail(sim, peer__fail(PEER_E_INTERNAL, "a host asks for the moment %lld us again and again",
                                       (long long)sim->now_us));
        return 0;
    }
    peer__timers_fire(&sim->timers, sim->now_us);
    peer__sim_pipes_sweep(sim);
    return 1;
}

void peer__sim_run_for(struct sim *sim, int64_t duration_us)
{
    int64_t end_us = sim->now_us + duration_us;
    while (peer__timers_deadline(&sim->timers) <= end_us && peer__sim_step(sim))
        ;
    if (sim->now_us < end_us)
        sim->now_us = end_us;
}

int peer__sim_run_until(struct sim *sim, int (*until)(void *context), void *context, int64_t deadline_us)
{
    for (;;) {
        if (until(context))
            return 1;
        if (peer__timers_deadline(&sim->timers) > deadline_us || !peer__sim_step(sim))
            break;
    }
    if (sim->now_us < deadline_us && deadline_us != NO_DEADLINE)
        sim->now_us = deadline_us;
    return 0;
}

uint64_t peer__sim_held_count(const struct sim *sim)
{
    return sim->held_count;
}

int peer__sim_is_idle(const struct sim *sim)
{
    for (size_t i = 0; i < sim->host_count; i++) {
        const struct sim_host *host = sim->hosts[i];
        if (host->jobs != NULL || host->commit.place != 0)
            return 0;
    }
    return peer__sim_pipes_are_idle(sim);
}

/* ------------------------------------------------------------------------------------------------------ places */

static peer_status grow(struct sim *sim)
{
    size_t capacity = sim->host_capacity != 0 ? sim->host_capacity * 2 : 8;
    struct sim_host **hosts = peer__realloc_array(sim->hosts, capacity, sizeof(struct sim_host *));
    if (hosts == NULL)
        return peer__out_of_memory();
    sim->hosts = hosts;
    sim->host_capacity = capacity;
    return PEER_OK;
}

static void write_address(struct sim_host *host)
{
    char text[ADDRESS_TEXT_SIZE];
    peer__address_format(&host->address, text);
    char *end = strrchr(text, ':');
    char *start = text;
    if (*text == '[') {
        start++;
        end--;
    }
    *end = '\0';
    snprintf(host->address_text, sizeof(host->address_text), "%s", start);
}

/* Where a host is, by its number unless it was told. */
static void place(struct sim_host *host, const struct sim_host_options *options)
{
    if (options->name != NULL)
        snprintf(host->name, sizeof(host->name), "%s", options->name);
    else
        snprintf(host->name, sizeof(host->name), "h%zu", host->index + 1);
    if (options->address != NULL) {
        host->address = *options->address;
    } else {
        host->address.ip[0] = 0xfd;
        for (unsigned i = 0; i < 4; i++)
            host->address.ip[15 - i] = (uint8_t)((host->index + 1) >> (8 * i));
    }
    host->address.port = 0;
    write_address(host);
}

static peer_status check_place(const struct sim *sim, const struct sim_host *host)
{
    if (peer__sim_find_host(sim, host->name, NULL) != NULL)
        return peer__fail(PEER_E_ALREADY_EXISTS, "another host has the name \"%s\"", host->name);
    struct sim_host *other = peer__sim_find_host(sim, "", &host->address);
    if (other != NULL)
        return peer__fail(PEER_E_ALREADY_EXISTS, "the host \"%s\" has the address that \"%s\" would have", other->name,
                          host->name);
    return PEER_OK;
}

static peer_status add_host(struct sim *sim, const struct sim_host_options *options,
                            const struct sim_endpoint *endpoint, struct sim_host **host_out)
{
    if (sim->host_count == sim->host_capacity)
        PEER_TRY(grow(sim));
    struct sim_host *host = peer__calloc(1, sizeof(*host));
    if (host == NULL)
        return peer__out_of_memory();
    host->index = sim->host_count;
    place(host, options);
    peer_status status = check_place(sim, host);
    if (status >= 0)
        status = peer__timers_reserve(&sim->timers, HOST_TIMERS);
    if (status < 0) {
        peer__free(host);
        return status;
    }
    host->sim = sim;
    list_init(&host->listeners);
    host->next_port = FIRST_PORT;
    peer__sim_random_seed(&host->random, sim->seed, host->index + 1);
    /* Where a machine's monotonic clock starts is chance: nobody may compare those of two. */
    host->monotonic_offset_us = (int64_t)peer__sim_random_below(&host->random, UINT64_C(1000000000000));
    host->raw = endpoint != NULL;
    if (endpoint != NULL)
        host->endpoint = *endpoint;
    sim->hosts[sim->host_count++] = host;
    *host_out = host;
    return PEER_OK;
}

static const struct sim_host_options no_options;

peer_status peer__sim_host_add(struct sim *sim, const struct sim_host_options *options, struct sim_host **host_out)
{
    struct sim_host *host;
    PEER_TRY(add_host(sim, options, NULL, &host));
    host->clock_offset_us = options->clock_offset_us;
    host->drift_since_us = sim->now_us;
    host->drift_ppm = options->drift_ppm;
    peer_status status = peer__sim_host_start(host, options->data_directory);
    if (status < 0) {
        sim->host_count--;
        peer__sim_host_free(host);
        return status;
    }
    *host_out = host;
    return PEER_OK;
}

peer_status peer__sim_host_create(struct sim *sim, struct sim_host **host_out)
{
    return peer__sim_host_add(sim, &no_options, host_out);
}

struct sim_host *peer__sim_host_at(const struct sim *sim, size_t index)
{
    return index < sim->host_count ? sim->hosts[index] : NULL;
}

peer_status peer__sim_host_create_raw(struct sim *sim, const struct sim_endpoint *endpoint, struct sim_host **host_out)
{
    return add_host(sim, &no_options, endpoint, host_out);
}

static int has_ip(const struct sim_host *host, const struct address *address)
{
    return memcmp(host->address.ip, address->ip, sizeof(address->ip)) == 0;
}

struct sim_host *peer__sim_find_host(const struct sim *sim, const char *name, const struct address *address)
{
    if (name[0] != '\0') {
        for (size_t i = 0; i < sim->host_count; i++) {
            if (strcmp(sim->hosts[i]->name, name) == 0)
                return sim->hosts[i];
        }
        return NULL;
    }
    /* The address of most hosts ends in their number. */
    size_t number = 0;
    for (unsigned i = 12; i < 16; i++)
        number = number << 8 | address->ip[i];
    if (number != 0 && number <= sim->host_count && has_ip(sim->hosts[number - 1], address))
        return sim->hosts[number - 1];
    for (size_t i = 0; i < sim->host_count; i++) {
        if (has_ip(sim->hosts[i], address))
            return sim->hosts[i];
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------------------- listeners */

struct transport_listener *peer__sim_find_listener(const struct sim_host *host, uint16_t port)
{
    LIST_FOR (node, following, &host->listeners) {
        struct transport_listener *listener = CONTAINER_OF(node, struct transport_listener, in_host);
        if (listener->port == port)
            return listener;
    }
    return NULL;
}

static peer_status listen_on(void *self, uint32_t scope, uint32_t scope_id, uint16_t port, void *tag,
                             struct transport_listener **listener_out, struct address addresses[LISTEN_ADDRESS_MAX],
                             size_t *address_count_out)
{
    struct sim_host *host = self;
    struct transport_listener *listener;

    (void)scope; /* one address, whatever the scope */
    (void)scope_id;
    if (port != 0 && peer__sim_find_listener(host, port) != NULL)
        return peer__fail(PEER_E_UNABLE_TO_LISTEN, "port %u is taken", port);
    while (port == 0) {
        if (peer__sim_find_listener(host, host->next_port) == NULL)
            port = host->next_port;
        host->next_port++;
    }
    listener = peer__calloc(1, sizeof(*listener));
    if (listener == NULL)
        return peer__out_of_memory();
    listener->host = host;
    listener->port = port;
    listener->tag = tag;
    list_append(&host->listeners, &listener->in_host);
    addresses[0] = host->address;
    addresses[0].port = port;
    *address_count_out = 1;
    *listener_out = listener;
    return PEER_OK;
}

static void unlisten(void *self, struct transport_listener *listener)
{
    (void)self;
    list_remove(&listener->in_host);
    peer__free(listener);
}

void peer__sim_unlisten_all(struct sim_host *host)
{
    LIST_FOR (node, following, &host->listeners)
        unlisten(host, CONTAINER_OF(node, struct transport_listener, in_host));
}

peer_status peer__sim_host_move(struct sim_host *host, const struct address *address)
{
    struct sim_host *other = peer__sim_find_host(host->sim, "", address);
    if (other == host)
        return PEER_OK;
    if (other != NULL)
        return peer__fail(PEER_E_ALREADY_EXISTS, "the host \"%s\" has the address to which \"%s\" would move",
                          other->name, host->name);
    host->address = *address;
    host->address.port = 0;
    write_address(host);
    peer__sim_trace_host(host->sim, host, "moved");
    peer__sim_pipes_strand(host);
    LIST_FOR (node, following, &host->listeners) {
        const struct transport_listener *listener = CONTAINER_OF(node, struct transport_listener, in_host);
        peer__sim_host_moved(host, listener->tag, listener->port);
    }
    return PEER_OK;
}

struct transport peer__sim_host_transport(struct sim_host *host)
{
    return (struct transport){
        .listen = listen_on,
        .unlisten = unlisten,
        .dial = peer__sim_dial,
        .send = peer__sim_send,
        .queued = peer__sim_queued,
        .pause = peer__sim_pause,
        .be_patient = peer__sim_be_patient,
        .close = peer__sim_close,
        .self = host,
    };
}

size_t peer__sim_reset(struct sim_host *a, struct sim_host *b)
{
    return peer__sim_pipes_reset(a, b);
}
