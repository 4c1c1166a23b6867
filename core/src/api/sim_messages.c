/* Messages of a simulated network: looking at them, and interception. */
#include <inttypes.h>
#include <string.h>

#include "api/input.h"
#include "api/sim.h"
#include "base/error.h"
#include "base/memory.h"
#include "event/object.h"
#include "event/view.h"
#include "wire/message.h"

#define FILTERS_MAX 1024u
#define EDITED_SIZE_MAX 67108864u
#define DELAY_MAX_US INT64_C(1000000000000)

/* --- filters ---------------------------------------------------------------------------------------------------------- */

int peer__sim_knows_type(uint32_t type)
{
    return type <= PEER_SIM_MESSAGE_ACK || type == PEER_SIM_MESSAGE_COMPARE || type == PEER_SIM_MESSAGE_DIFFER;
}

static peer_status copy_filter(const peer_sim_filter_input *input, peer_sim_filter_input *copy)
{
    PEER_TRY(peer__input_struct("filter", input, sizeof(*copy), copy, sizeof(*copy)));
    if (!peer__sim_knows_type(copy->type))
        return peer__fail(E_INVALIDARG, "filter.type is %" PRIu32 ", which is no message", copy->type);
    return PEER_OK;
}

static peer_status find_hosts(const struct sim *sim, const peer_sim_filter_input *input, struct sim_filter *filter)
{
    struct sim_host *from;
    struct sim_host *to;
    PEER_TRY(peer__sim_any_host_of(sim, "filter.from", input->from, &from));
    PEER_TRY(peer__sim_any_host_of(sim, "filter.to", input->to, &to));
    *filter = (struct sim_filter){
        .type = (uint8_t)input->type, .from = from, .to = to, .connection_id = input->connection_id};
    return PEER_OK;
}

/* Filters of another version are as far apart as the first one is large. */
static peer_status read_filter(const struct sim *sim, const peer_sim_filter_input *filters, uint32_t index,
                               struct sim_filter *filter)
{
    peer_sim_filter_input copy;
    uint32_t stride;
    memcpy(&stride, filters, sizeof(stride));
    PEER_TRY(copy_filter((const void *)((const char *)filters + (size_t)index * stride), &copy));
    return find_hosts(sim, &copy, filter);
}

static peer_status intercept(struct sim *sim, uint32_t count, const peer_sim_filter_input *filters)
{
    peer_status status = PEER_OK;
    struct sim_filter *copy = peer__calloc(count, sizeof(*copy));
    if (copy == NULL)
        return peer__out_of_memory();
    for (uint32_t i = 0; i < count && status >= 0; i++)
        status = read_filter(sim, filters, i, &copy[i]);
    if (status >= 0)
        status = peer__sim_intercept(sim, copy, count);
    peer__free(copy);
    return status;
}

peer_status peer_sim_set_interception(peer_sim *handle, uint32_t filter_count, const peer_sim_filter_input *filters)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    if (filter_count > FILTERS_MAX)
        return peer__fail(E_INVALIDARG, "filter_count is %" PRIu32 ", more than %u", filter_count, FILTERS_MAX);
    if (filter_count > 0)
        PEER_TRY(peer__input_not_null("filters", filters));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, intercept(sim, filter_count, filters));
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

struct listing {
    size_t count; /* so far; the first time, also how much there is */
    size_t size;
    char *views; /* NULL: the first time */
    size_t view_size;
    char *bytes;
};

static void show(void *context, const struct sim_message *message)
{
    struct listing *listing = context;
    if (listing->views != NULL) {
        peer_sim_message_view view = {
            .struct_size = sizeof(view),
            .state = message->state,
            .message_id = message->held_id,
            .connection_id = message->connection_id,
            .type = message->bytes.data[5],
            .from = peer__sim_number_of(message->from),
            .to = peer__sim_number_of(message->to),
            .moment_us = message->moment_us,
            .data = listing->bytes + listing->size,
            .size = message->bytes.size,
        };
        memcpy(listing->bytes + listing->size, message->bytes.data, message->bytes.size);
        peer__view_copy(listing->views + listing->count * listing->view_size, listing->view_size, &view, sizeof(view));
    }
    listing->count++;
    listing->size += message->bytes.size;
}

static peer_status list(struct sim *sim, const struct sim_filter *filter, size_t view_size, struct listing *listing)
{
    *listing = (struct listing){0};
    PEER_TRY(peer__sim_each_message(sim, filter, show, listing));
    if (listing->count == 0)
        return PEER_S_NO_EVENT_DATA;
    size_t views_size = listing->count * view_size;
    char *views = peer__object_create_array(views_size + listing->size, 0);
    if (views == NULL)
        return peer__out_of_memory();
    *listing = (struct listing){.views = views, .view_size = view_size, .bytes = views + views_size};
    peer_status status = peer__sim_each_message(sim, filter, show, listing);
    if (status < 0)
        peer__object_release(views);
    return status;
}

static peer_status get_messages(struct sim *sim, const peer_sim_filter_input *input, size_t view_size,
                                struct listing *listing)
{
    struct sim_filter filter;
    if (input != NULL)
        PEER_TRY(find_hosts(sim, input, &filter));
    return list(sim, input != NULL ? &filter : NULL, view_size, listing);
}

peer_status peer_sim_get_messages(peer_sim *handle, const peer_sim_filter_input *filter, size_t view_size,
                                  uint32_t *count_out, const peer_sim_message_view **views_out)
{
    struct call call;
    struct sim *sim;
    struct listing listing;
    peer_sim_filter_input copy;
    PEER_TRY(peer__check_process());
    if (filter != NULL)
        PEER_TRY(copy_filter(filter, &copy));
    PEER_TRY(peer__view_check_size(view_size, sizeof(peer_sim_message_view)));
    PEER_TRY(peer__input_not_null("count_out", count_out));
    PEER_TRY(peer__input_not_null("views_out", views_out));
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    peer_status status = get_messages(sim, filter != NULL ? &copy : NULL, view_size, &listing);
    if (status >= 0) {
        *count_out = (uint32_t)listing.count;
        *views_out = (const peer_sim_message_view *)(void *)listing.views;
    }
    return peer__leave(&call, status);
}

/* --- deciding --------------------------------------------------------------------------------------------------------- */

static peer_status release(peer_sim *handle, uint64_t message_id, int64_t delay_us, int keep)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    if (delay_us < 0 || delay_us > DELAY_MAX_US)
        return peer__fail(E_INVALIDARG, "delay_us is %" PRId64 ", not within 0 and 10^12", delay_us);
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, peer__sim_release(sim, message_id, delay_us, keep));
}

peer_status peer_sim_release_message(peer_sim *sim, uint64_t message_id, int64_t delay_us)
{
    return release(sim, message_id, delay_us, 0);
}

peer_status peer_sim_duplicate_message(peer_sim *sim, uint64_t message_id, int64_t delay_us)
{
    return release(sim, message_id, delay_us, 1);
}

peer_status peer_sim_drop_message(peer_sim *handle, uint64_t message_id)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, peer__sim_drop(sim, message_id));
}

peer_status peer_sim_edit_message(peer_sim *handle, uint64_t message_id, const void *data, size_t size)
{
    struct call call;
    struct sim *sim;
    PEER_TRY(peer__check_process());
    PEER_TRY(peer__input_not_null("data", data));
    if (size < MESSAGE_HEADER_SIZE || size > EDITED_SIZE_MAX)
        return peer__fail(E_INVALIDARG, "size is %zu, not within %u and %u", size, MESSAGE_HEADER_SIZE,
                          EDITED_SIZE_MAX);
    PEER_TRY(peer__sim_enter(&call, handle, &sim));
    return peer__leave(&call, peer__sim_edit(sim, message_id, (struct span){data, size}));
}
