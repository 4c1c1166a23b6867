/* Hosts of a simulated network: adding them, their runtimes, crashes, clocks and disks. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/input.h"
#include "api/library.h"
#include "api/sim.h"
#include "base/error.h"
#include "event/view.h"
#include "runtime/directory.h"

#define DRIFT_PPM_MAX 100000
#define CLOCK_OFFSET_MAX_US INT64_C(1000000000000000)

/* --- adding ----------------------------------------------------------------------------------------------------------- */

static peer_status check_clock(int64_t clock_offset_us, int32_t drift_ppm)
{
    if (clock_offset_us < -CLOCK_OFFSET_MAX_US || clock_offset_us > CLOCK_OFFSET_MAX_US)
        return peer__fail(E_INVALIDARG, "clock_offset_us is %" PRId64 ", not within 10^15", clock_offset_us);
    if (drift_ppm < -DRIFT_PPM_MAX || drift_ppm > DRIFT_PPM_MAX)
        return peer__fail(E_INVALIDARG, "drift_ppm is %" PRId32 ", not within %d", drift_ppm, DRIFT_PPM_MAX);
    return PEER_OK;
}

/* As whoever dials will read it: `host_out` is the name, or "" for an address. */
static peer_status parse(const char *name, const char *text, struct address *address_out, char host_out[HOST_NAME_SIZE])
{
    char with_port[HOST_NAME_SIZE];
    char interface_name[16];
    const char *form = strchr(text, ':') != NULL ? "[%s]:1" : "%s:1";
    if (strlen(text) + sizeof("[]:1") > sizeof(with_port))
        return peer__fail(E_INVALIDARG, "%s is longer than %u bytes", name, HOST_NAME_SIZE);
    /* The two forms are literals; the compiler cannot see that. */
    if (form[0] == '[')
        snprintf(with_port, sizeof(with_port), "[%s]:1", text);
    else
        snprintf(with_port, sizeof(with_port), "%s:1", text);
    return peer__address_parse(with_port, address_out, host_out, interface_name);
}

static peer_status check_name(const char *text)
{
    struct address address;
    char name[HOST_NAME_SIZE];
    if (strlen(text) > SIM_NAME_MAX)
        return peer__fail(E_INVALIDARG, "host.name has %zu bytes, more than %u", strlen(text), SIM_NAME_MAX);
    PEER_TRY(parse("host.name", text, &address, name));
    if (name[0] == '\0')
        return peer__fail(E_INVALIDARG, "host.name \"%s\" is an address, not a name", text);
    return PEER_OK;
}

static peer_status read_address(const char *what, const char *text, struct address *address)
{
    char name[HOST_NAME_SIZE];
    PEER_TRY(parse(what, text, address, name));
    if (name[0] != '\0')
        return peer__fail(E_INVALIDARG, "%s \"%s\" is no address", what, text);
    if (peer__address_is_loopback(address) || peer__address_is_link_local(address) ||
        peer__address_is_multicast(address) || peer__address_is_unspecified(address))
        return peer__fail(E_INVALIDARG, "%s \"%s\" is none that other hosts can reach", what, text);
    return PEER_OK;
}

struct host_arguments {
    struct sim_host_options options;
    struct address address;
};

static peer_status read_host(const peer_sim_host_input *input, struct host_arguments *host)
{
    peer_sim_host_input copy = PEER_SIM_HOST_INPUT_INIT;
    if (input != NULL)
        PEER_TRY(peer__input_struct("host", input, sizeof(copy), &copy, sizeof(copy)));
    PEER_TRY(check_clock(copy.clock_offset_us, copy.drift_ppm));
    if (copy.name != NULL)
        PEER_TRY(check_name(copy.name));
    if (copy.data_directory != NULL && copy.data_directory[0] == '\0')
        return peer__fail(E_INVALIDARG, "host.data_directory is empty");
    *host = (struct host_arguments){.options = {.name = copy.name,
                                                .data_directory = copy.data_directory,
                                                .clock_offset_us = copy.clock_offset_us,
                                                .drift_ppm = copy.drift_ppm}};
    if (copy.address == NULL)
        return PEER_OK;
    host->options.address = &host->address;
    return read_address("host.address", copy.address, &host->address);
}

peer_status peer_sim_add_host(peer_sim *handle, const peer_sim_host_input *input, uint32_t *host_out)
{
    struct call call;
    struct sim *sim;
    struct host_arguments arguments;
    struct sim_host *host;
    PEER_TRY(peer__check_process());
    PEER_TRY(read_host(input, &arguments));
    PEER_TRY(peer__input_not_null("host_out", host_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = PEER_OK;
    if (arguments.options.data_directory != NULL)
        status = peer__directory_make(arguments.options.data_directory);
    if (status >= 0)
        status = peer__sim_host_add(sim, &arguments.options, &host);
    if (status >= 0)
        *host_out = peer__sim_number_of(host);
    return peer__leave(&call, peer__error_of_files(status));
}

/* --- runtimes --------------------------------------------------------------------------------------------------------- */

/* A shutdown by another thread has taken the handle away and still has to stop the engine. */
static int is_ending(struct sim_host *host)
{
    return peer__sim_host_engine(host) != NULL && peer__sim_host_mark(host) != 0 &&
           !peer__handle_is_alive(HANDLE_RUNTIME, peer__sim_host_mark(host));
}

static peer_status still_ends(struct sim_host *host)
{
    return peer__fail(PEER_E_NOT_INITIALIZED, "the runtime of \"%s\" is being shut down by another thread",
                      peer__sim_host_name(host));
}

static peer_status start(struct api_sim *network, struct sim_host *host)
{
    uintptr_t handle;
    if (peer__sim_host_engine(host) == NULL) {
        peer__sim_host_set_mark(host, 0);
        PEER_TRY(peer__sim_host_restart(host));
    }
    struct api_runtime *runtime = peer__thing_create(HANDLE_RUNTIME, sizeof(*runtime));
    if (runtime == NULL)
        return peer__out_of_memory();
    runtime->driver = peer__sim_host_driver(host);
    peer_status status = peer__handle_create(runtime, network, &handle);
    if (status >= 0)
        peer__sim_host_set_mark(host, handle);
    peer__thing_release(runtime);
    return status;
}

static peer_status get_runtime(struct api_sim *network, uint32_t number, peer_runtime **runtime_out)
{
    struct sim_host *host;
    PEER_TRY(peer__sim_host_of(network->sim, "host", number, &host));
    if (peer__sim_host_is_down(host))
        return peer__fail(PEER_E_NOT_FOUND, "the host \"%s\" is down; restart it first", peer__sim_host_name(host));
    if (is_ending(host))
        return still_ends(host);
    if (peer__sim_host_engine(host) == NULL || peer__sim_host_mark(host) == 0)
        PEER_TRY(start(network, host));
    *runtime_out = (peer_runtime *)peer__sim_host_mark(host);
    return PEER_OK;
}

peer_status peer_sim_get_runtime(peer_sim *handle, uint32_t host, peer_runtime **runtime_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("runtime_out", runtime_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, get_runtime(call.thing, host, runtime_out));
}

static peer_status crash(struct call *call, struct sim_host *host, enum sim_crash how)
{
    if (peer__sim_host_is_down(host))
        return peer__fail(PEER_E_NOT_FOUND, "the host \"%s\" is down already", peer__sim_host_name(host));
    if (is_ending(host))
        return still_ends(host);
    uintptr_t runtime = peer__sim_host_engine(host) != NULL ? peer__sim_host_mark(host) : 0;
    if (runtime != 0) {
        peer__call_unlock(call); /* calls for the runtime that are under way may wait for it */
        int was_alive = peer__runtime_retire(runtime) == 0;
        peer__call_lock_for_end(call);
        if (!was_alive)
            return still_ends(host);
    }
    peer__sim_host_crash(host, how);
    peer__sim_host_set_mark(host, 0);
    return PEER_OK;
}

peer_status peer_sim_crash(peer_sim *handle, uint32_t number, uint32_t how)
{
    struct call call;
    struct sim *sim;
    struct sim_host *host = NULL;
    PEER_TRY(peer__check_process());
    if (how != PEER_SIM_CRASH_PROCESS && how != PEER_SIM_CRASH_MACHINE)
        return peer__fail(E_INVALIDARG, "how is %" PRIu32 ", which is no kind of crash", how);
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = peer__sim_host_of(sim, "host", number, &host);
    if (status >= 0)
        status = crash(&call, host, how == PEER_SIM_CRASH_PROCESS ? SIM_CRASH_PROCESS : SIM_CRASH_MACHINE);
    return peer__leave(&call, status);
}

static peer_status restart(struct sim_host *host)
{
    if (!peer__sim_host_is_down(host))
        return peer__fail(PEER_E_ALREADY_EXISTS, "the host \"%s\" is not down", peer__sim_host_name(host));
    return peer__sim_host_restart(host);
}

peer_status peer_sim_restart(peer_sim *handle, uint32_t number)
{
    struct call call;
    struct sim *sim;
    struct sim_host *host = NULL;
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = peer__sim_host_of(sim, "host", number, &host);
    if (status >= 0)
        status = restart(host);
    return peer__leave(&call, status);
}

peer_status peer_sim_set_address(peer_sim *handle, uint32_t number, const char *text)
{
    struct call call;
    struct sim *sim;
    struct sim_host *host = NULL;
    struct address address;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("address", text));
    PEER_TRY(read_address("address", text, &address));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = peer__sim_host_of(sim, "host", number, &host);
    if (status >= 0)
        status = peer__sim_host_move(host, &address);
    return peer__leave(&call, status);
}

/* --- what a host is --------------------------------------------------------------------------------------------------- */

static void fill_view(struct sim_host *host, peer_sim_host_view *view)
{
    *view = (peer_sim_host_view){.struct_size = sizeof(*view),
                                 .host = peer__sim_number_of(host),
                                 .drift_ppm = peer__sim_host_drift_ppm(host),
                                 .clock_utc_us = peer__sim_host_utc_us(host),
                                 .name = peer__sim_host_name(host),
                                 .address = peer__sim_host_address_text(host)};
    if (!peer__sim_host_is_down(host))
        view->flags |= PEER_SIM_HOST_UP;
    if (peer__sim_host_disk_is_full(host))
        view->flags |= PEER_SIM_HOST_DISK_FULL;
}

peer_status peer_sim_get_host_view(peer_sim *handle, uint32_t number, size_t view_size, peer_sim_host_view *view_out)
{
    struct call call;
    struct sim *sim;
    struct sim_host *host = NULL;
    peer_sim_host_view view;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__view_check_size(view_size, sizeof(view)));
    PEER_TRY(peer__input_not_null("view_out", view_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = peer__sim_host_of(sim, "host", number, &host);
    if (status >= 0) {
        fill_view(host, &view);
        peer__view_copy(view_out, view_size, &view, sizeof(view));
    }
    return peer__leave(&call, status);
}

peer_status peer_sim_set_disk_full(peer_sim *handle, uint32_t number, uint32_t is_full)
{
    struct call call;
    struct sim *sim;
    struct sim_host *host = NULL;
    PEER_TRY(peer__check_process());
    if (is_full > 1)
        return peer__fail(E_INVALIDARG, "is_full is %" PRIu32 ", neither 0 nor 1", is_full);
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = peer__sim_host_of(sim, "host", number, &host);
    if (status >= 0)
        peer__sim_host_set_disk_full(host, is_full != 0);
    return peer__leave(&call, status);
}

peer_status peer_sim_set_clock(peer_sim *handle, uint32_t number, int64_t clock_offset_us, int32_t drift_ppm)
{
    struct call call;
    struct sim *sim;
    struct sim_host *host = NULL;
    PEER_TRY(peer__check_process());
    PEER_TRY(check_clock(clock_offset_us, drift_ppm));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = peer__sim_host_of(sim, "host", number, &host);
    if (status >= 0)
        peer__sim_host_set_clock(host, clock_offset_us, drift_ppm);
    return peer__leave(&call, status);
}
