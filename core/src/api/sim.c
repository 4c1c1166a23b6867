/* The beginning and the end of a simulated network. */
#include "api/sim.h"

#include <inttypes.h>

#include "api/input.h"
#include "api/library.h"
#include "base/error.h"
#include "event/ready.h"

#define CONNECT_TIMEOUT_US 20000000
#define RESET_AFTER_US 100000000 /* TCP_USER_TIMEOUT of decisions.md 11 */

peer_status peer__sim_enter(struct call *call, const peer_sim *handle, struct sim **sim_out)
{
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__enter_locked(call, HANDLE_SIM, handle));
    *sim_out = ((struct api_sim *)call->thing)->sim;
    return PEER_OK;
}

peer_status peer__sim_host_of(const struct sim *sim, const char *name, uint32_t number, struct sim_host **host_out)
{
    struct sim_host *host = number != 0 ? peer__sim_host_at(sim, number - 1) : NULL;
    if (host == NULL)
        return peer__fail(E_INVALIDARG, "%s is %" PRIu32 ", and the network has no such host", name, number);
    *host_out = host;
    return PEER_OK;
}

peer_status peer__sim_any_host_of(const struct sim *sim, const char *name, uint32_t number, struct sim_host **host_out)
{
    if (number != PEER_SIM_ANY_HOST)
        return peer__sim_host_of(sim, name, number, host_out);
    *host_out = NULL;
    return PEER_OK;
}

uint32_t peer__sim_number_of(const struct sim_host *host)
{
    return (uint32_t)peer__sim_host_index(host) + 1;
}

static peer_status read_options(const peer_sim_options_input *input, struct sim_options *options)
{
    peer_sim_options_input copy = PEER_SIM_OPTIONS_INPUT_INIT;
    if (input != NULL)
        PEER_TRY(peer__input_struct("options", input, sizeof(copy), &copy, sizeof(copy)));
    if ((copy.flags & ~(uint32_t)PEER_SIM_OPTION_UNTRACED) != 0)
        return peer__fail(E_INVALIDARG, "options.flags is 0x%" PRIx32 ", of which not all is known", copy.flags);
    if (copy.connect_timeout_us < 0)
        return peer__fail(E_INVALIDARG, "options.connect_timeout_us is %" PRId64 ", less than 0",
                          copy.connect_timeout_us);
    if (copy.reset_after_us < -1)
        return peer__fail(E_INVALIDARG, "options.reset_after_us is %" PRId64 ", less than -1", copy.reset_after_us);
    peer__sim_defaults(options);
    options->untraced = (copy.flags & PEER_SIM_OPTION_UNTRACED) != 0;
    options->connect_timeout_us = copy.connect_timeout_us != 0 ? copy.connect_timeout_us : CONNECT_TIMEOUT_US;
    options->reset_after_us = copy.reset_after_us == 0 ? RESET_AFTER_US : copy.reset_after_us;
    return PEER_OK;
}

static peer_status open_network(struct api_sim *network, uint64_t seed, const struct sim_options *options,
                                uintptr_t *handle_out)
{
    PEER_TRY(peer__ready_set_create(&network->ready));
    PEER_TRY(peer__sim_create(seed, options, &network->sim));
    network->base.driver = peer__sim_driver(network->sim);
    peer__watch_forks();
    peer_status status = peer__handle_create(network, NULL, handle_out);
    if (status < 0)
        peer__sim_free(network->sim);
    return status;
}

peer_status peer_sim_open(uint64_t seed, const peer_sim_options_input *options, peer_sim **sim_out)
{
    struct sim_options copy;
    uintptr_t handle;
    PEER_TRY(peer__check_not_forked());
    PEER_TRY(read_options(options, &copy));
    PEER_TRY(peer__input_not_null("sim_out", sim_out));
    struct api_sim *network = peer__thing_create(HANDLE_SIM, sizeof(*network));
    if (network == NULL)
        return peer__out_of_memory();
    peer_status status = open_network(network, seed, &copy, &handle);
    if (status >= 0)
        *sim_out = (peer_sim *)handle;
    peer__thing_release(network);
    return status;
}

static peer_status close_network(peer_sim *sim)
{
    PEER_TRY(peer__check_process());
    return peer__runtime_end(HANDLE_SIM, sim);
}

peer_status peer_sim_close(peer_sim *sim)
{
    struct kept_error kept = peer__error_keep();
    return peer__error_restore(&kept, close_network(sim));
}
