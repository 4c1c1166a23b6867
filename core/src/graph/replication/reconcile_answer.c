/* Reconciliation, the side that answers: of each range that COMPARE asks about, whether it differs here, and if it holds few
 * records, or is asked for, which ones. Nothing is kept from one question to the next. */
#include "graph/parts.h"

#include <string.h>

#define ROWS_A_STEP 256u
/** Lists go on as long; each that was asked for has one record all the same, so that the other side comes to an end. */
#define ANSWER_ROOM (64u * 1024)
#define LISTED_SIZE 28u

static const struct wire_range *current(const struct answering *answering)
{
    return (const struct wire_range *)(const void *)answering->ranges.data + answering->at;
}

static size_t listed_count(const struct answering *answering)
{
    return answering->listed.size / sizeof(struct wire_listed);
}

static int has_room_for(const struct answering *answering, size_t count)
{
    return answering->answer.size + count * LISTED_SIZE <= ANSWER_ROOM;
}

static void list_row(struct answering *answering, const struct store_row *row)
{
    struct wire_listed listed;
    peer__row_listed(row, &listed);
    peer__buffer_append(&answering->listed, &listed, sizeof(listed));
}

static int answer_row(void *context, const struct store_row *row)
{
    struct answering *answering = context;
    const struct crypto *crypto = &answering->walk.link->engine->config.crypto;
    if (!current(answering)->lists) {
        if (answering->count++ < LISTED_AT_ONCE)
            list_row(answering, row);
        answering->walk.status = peer__fingerprint_add(&answering->fingerprint, crypto, row->element);
        return answering->walk.status < 0 || answering->listed.failed;
    }
    if (answering->count > 0 && !has_room_for(answering, listed_count(answering) + 1)) {
        answering->cut = peer__row_bound(row);
        answering->is_cut = 1;
        return 1;
    }
    answering->count++;
    list_row(answering, row);
    return answering->listed.failed;
}

static void put_difference(struct answering *answering, uint8_t kind)
{
    struct wire_difference difference = {.index = (uint16_t)answering->at, .kind = kind, .upper = answering->cut};
    if (kind != DIFFERENCE_UNKNOWN)
        difference.listed_count = (uint16_t)listed_count(answering);
    peer__encode_difference(&answering->answer, &difference, (const void *)answering->listed.data);
    answering->answer_count++;
}

static peer_status end_range(struct answering *answering)
{
    const struct wire_range *range = current(answering);
    const struct crypto *crypto = &answering->walk.link->engine->config.crypto;
    uint8_t fingerprint[FINGERPRINT_SIZE];
    PEER_TRY(peer__fingerprint_end(&answering->fingerprint, crypto, fingerprint));
    if (range->lists)
        put_difference(answering, answering->is_cut ? DIFFERENCE_PART : DIFFERENCE_LIST);
    else if (memcmp(fingerprint, range->fingerprint, sizeof(fingerprint)) != 0)
        put_difference(answering,
                       answering->count <= LISTED_AT_ONCE && has_room_for(answering, (size_t)answering->count)
                           ? DIFFERENCE_LIST
                           : DIFFERENCE_UNKNOWN);
    answering->at++;
    answering->is_walking = 0;
    return PEER_OK;
}

static void begin_range(struct answering *answering)
{
    const struct wire_range *range = current(answering);
    peer__buffer_clear(&answering->listed);
    answering->count = 0;
    answering->is_cut = 0;
    answering->is_walking = 1;
    peer__range_walk_start(&answering->walk, &range->lower, &range->upper);
}

static int has_failed(const struct answering *answering)
{
    return answering->ranges.failed || answering->listed.failed || answering->answer.failed;
}

/* An empty range costs a look into the store too. */
static peer_status answer_some(struct answering *answering)
{
    size_t count = answering->ranges.size / sizeof(struct wire_range);
    size_t budget = ROWS_A_STEP;
    while (answering->at < count && budget > 0 && !has_failed(answering)) {
        if (!answering->is_walking) {
            begin_range(answering);
            budget--;
        }
        PEER_TRY(peer__range_walk_step(&answering->walk, &budget));
        if (answering->walk.done)
            PEER_TRY(end_range(answering));
    }
    return PEER_OK;
}

static void end_answer(struct link *link)
{
    const struct answering *answering = link->answering;
    peer__encode_differ(&link->engine->message, answering->answer_count,
                        (struct span){answering->answer.data, answering->answer.size});
    peer__answering_free(link);
    peer__link_send(link);
}

void peer__answering_step(struct link *link)
{
    struct answering *answering = link->answering;
    if (answering == NULL)
        return;
    peer_status status = answer_some(answering);
    if (has_failed(answering))
        peer__link_out_of_memory(link);
    else if (status < 0)
        peer__link_end(link, status, "the database could not be compared with that of \"%s\": %s", link->address_text,
                       peer__last_error());
    else if (answering->at == answering->ranges.size / sizeof(struct wire_range))
        end_answer(link);
    else
        peer__engine_timer_set(link->engine, &link->step, 0);
}

void peer__answering_free(struct link *link)
{
    struct answering *answering = link->answering;
    if (answering == NULL)
        return;
    peer__buffer_free(&answering->ranges);
    peer__buffer_free(&answering->listed);
    peer__buffer_free(&answering->answer);
    peer__free(answering);
    link->answering = NULL;
}

static void take_ranges(struct answering *answering, const struct wire_compare *message)
{
    struct reader reader = peer__reader(message->ranges);
    struct wire_range range = {0};
    while (peer__wire_next_range(&reader, &range))
        peer__buffer_append(&answering->ranges, &range, sizeof(range));
}

void peer__link_on_compare(struct link *link, const struct wire_compare *message)
{
    if (!peer__link_reconciles(link)) {
        peer__link_violation(link, "COMPARE, which it did not announce");
        return;
    }
    if (peer__sync_is_answering(link)) {
        peer__link_violation(link, "COMPARE before the last question was answered");
        return;
    }
    struct answering *answering = peer__calloc(1, sizeof(*answering));
    if (answering == NULL) {
        peer__link_out_of_memory(link);
        return;
    }
    link->answering = answering;
    link->answered = SYNC_HASH; /* REQUEST may follow */
    answering->cutoff = message->cutoff;
    answering->walk =
        (struct range_walk){.link = link, .cutoff = message->cutoff, .visit = answer_row, .context = answering};
    take_ranges(answering, message);
    peer__engine_timer_set(link->engine, &link->step, 0);
}
