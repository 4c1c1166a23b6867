/* Virtual time, and which queues have news. */
#include <inttypes.h>

#include "api/input.h"
#include "api/sim.h"
#include "base/error.h"
#include "base/timers.h"
#include "event/ready.h"

#define CONDITIONS (PEER_SIM_UNTIL_READY | PEER_SIM_UNTIL_HELD | PEER_SIM_UNTIL_IDLE)

peer_status peer_sim_get_time(peer_sim *handle, int64_t *now_us_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("now_us_out", now_us_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    *now_us_out = peer__sim_now_us(sim);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_sim_get_next_time(peer_sim *handle, int64_t *next_us_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("next_us_out", next_us_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    *next_us_out = peer__sim_next_us(sim);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_sim_step(peer_sim *handle, uint32_t *happened_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    uint32_t happened = (uint32_t)peer__sim_step(sim);
    peer_status status = peer__sim_status(sim);
    if (status >= 0 && happened_out != NULL)
        *happened_out = happened;
    return peer__leave(&call, status);
}

peer_status peer_sim_run_for(peer_sim *handle, int64_t duration_us)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    if (duration_us < 0)
        return peer__fail(E_INVALIDARG, "duration_us is %" PRId64 ", less than 0", duration_us);
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    if (duration_us > NO_DEADLINE - 1 - peer__sim_now_us(sim))
        return peer__leave(&call,
                           peer__fail(E_INVALIDARG, "duration_us is %" PRId64 ", beyond the end of time", duration_us));
    peer__sim_run_for(sim, duration_us);
    return peer__leave(&call, peer__sim_status(sim));
}

struct condition {
    struct api_sim *network;
    uint32_t wanted;
    uint64_t held_before;
    uint32_t reached;
};

static int holds(void *context)
{
    struct condition *condition = context;
    uint32_t wanted = condition->wanted;
    condition->reached = 0;
    if ((wanted & PEER_SIM_UNTIL_READY) != 0 && !peer__ready_set_is_empty(condition->network->ready))
        condition->reached |= PEER_SIM_UNTIL_READY;
    if ((wanted & PEER_SIM_UNTIL_HELD) != 0 && peer__sim_held_count(condition->network->sim) != condition->held_before)
        condition->reached |= PEER_SIM_UNTIL_HELD;
    if ((wanted & PEER_SIM_UNTIL_IDLE) != 0 && peer__sim_is_idle(condition->network->sim))
        condition->reached |= PEER_SIM_UNTIL_IDLE;
    return condition->reached != 0;
}

peer_status peer_sim_run_until(peer_sim *handle, uint32_t conditions, int64_t deadline_us, uint32_t *reached_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    if ((conditions & ~(uint32_t)CONDITIONS) != 0)
        return peer__fail(E_INVALIDARG, "conditions is 0x%" PRIx32 ", of which not all is known", conditions);
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    struct condition condition = {
        .network = call.thing, .wanted = conditions, .held_before = peer__sim_held_count(sim)};
    int reached = peer__sim_run_until(sim, holds, &condition, deadline_us);
    peer_status status = peer__sim_status(sim);
    if (status >= 0 && reached_out != NULL)
        *reached_out = reached ? condition.reached : deadline_us == NO_DEADLINE ? (uint32_t)PEER_SIM_EXHAUSTED : 0;
    return peer__leave(&call, status);
}

peer_status peer_sim_next_ready(peer_sim *handle, peer_event_queue **queue_out)
{
    struct call call;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("queue_out", queue_out));
    PEER_TRY(peer__enter(&call, HANDLE_SIM, handle));
    uintptr_t mark = peer__ready_set_take(((struct api_sim *)call.thing)->ready);
    *queue_out = (peer_event_queue *)mark;
    return peer__leave(&call, mark != 0 ? PEER_OK : PEER_S_NO_EVENT_DATA);
}
