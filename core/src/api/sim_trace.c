/* The trace of a simulated network and what is counted. */
#include <inttypes.h>
#include <string.h>

#include "api/input.h"
#include "api/sim.h"
#include "base/error.h"
#include "event/object.h"

#define NOTE_UNITS 200u

peer_status peer_sim_add_note(peer_sim *handle, const char *text)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_text("text", text, NOTE_UNITS));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer__sim_note(sim, text);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_sim_get_trace_hash(peer_sim *handle, uint64_t *hash_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("hash_out", hash_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    *hash_out = peer__sim_trace_hash(sim);
    return peer__leave(&call, PEER_OK);
}

peer_status peer_sim_draw(peer_sim *handle, uint64_t bound, uint64_t *number_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    if (bound == 0)
        return peer__fail(E_INVALIDARG, "bound is 0");
    PEER_TRY(peer__input_not_null("number_out", number_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    *number_out = peer__sim_draw(sim, bound);
    return peer__leave(&call, PEER_OK);
}

static peer_status get_count(const struct sim *sim, uint32_t number, uint32_t type, struct sim_count *count)
{
    struct sim_host *host;
    PEER_TRY(peer__sim_any_host_of(sim, "host", number, &host));
    *count = peer__sim_count(sim, host, (uint8_t)type);
    return PEER_OK;
}

peer_status peer_sim_get_message_count(peer_sim *handle, uint32_t host, uint32_t type, uint64_t *sent_out,
                                       uint64_t *received_out)
{
    struct call call;
    struct sim *sim;
    struct sim_count count = {0};
    PEER_TRY(peer__check_process());
    if (!peer__sim_knows_type(type))
        return peer__fail(E_INVALIDARG, "type is %" PRIu32 ", which is no message", type);
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = get_count(sim, host, type, &count);
    if (status >= 0 && sent_out != NULL)
        *sent_out = count.sent;
    if (status >= 0 && received_out != NULL)
        *received_out = count.received;
    return peer__leave(&call, status);
}

/* --- lines ------------------------------------------------------------------------------------------------------------ */

peer_status peer_sim_keep_trace(peer_sim *handle, size_t size_max)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, peer__sim_keep_trace(sim, size_max));
}

static peer_status take_trace(struct sim *sim, const char **text_out, size_t *size_out, uint64_t *lost_out)
{
    uint64_t lost;
    struct span lines = peer__sim_kept_trace(sim, &lost);
    char *text = NULL;
    if (lines.size > 0) {
        text = peer__object_create_array(lines.size + 1, 0);
        if (text == NULL)
            return peer__out_of_memory();
        memcpy(text, lines.data, lines.size);
    }
    peer__sim_drop_trace(sim);
    *text_out = text;
    *size_out = lines.size;
    if (lost_out != NULL)
        *lost_out = lost;
    return text != NULL ? PEER_OK : PEER_S_NO_EVENT_DATA;
}

peer_status peer_sim_take_trace(peer_sim *handle, const char **text_out, size_t *size_out, uint64_t *lost_out)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("text_out", text_out));
    PEER_TRY(peer__input_not_null("size_out", size_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, take_trace(sim, text_out, size_out, lost_out));
}

peer_status peer_sim_set_trace_file(peer_sim *handle, const char *path)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    if (path != NULL && path[0] == '\0')
        return peer__fail(E_INVALIDARG, "path is empty");
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, peer__sim_trace_to_file(sim, path));
}
