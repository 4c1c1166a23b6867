/*
 * Messages that are arriving, over all links of an engine (decisions.md 6). When they hold too much, all large ones but
 * one wait: their links are not read, and TCP holds the senders back. Nobody is ended for it: that several neighbours send
 * one large record at the same moment is nothing bad, and who is ended comes again with the same bytes. The one that goes
 * on has the fewest bytes left, so that it is whole and gone soonest; while others wait for it, it has to move. It is none
 * that the application does not read: that one keeps what it holds, as a direct connection 4 MiB at most.
 */
#include "graph/parts.h"

#define PARTIAL_BYTES_MAX (128u * 1024 * 1024)
/** From here on one message grows, and to its end: what is left up to the maximum is room for the largest. */
#define PARTIAL_BYTES_TIGHT (PARTIAL_BYTES_MAX - MESSAGE_SIZE_MAX - 1024 * 1024)
/** Smaller ones never wait. */
#define PARTIAL_SMALL (64u * 1024)

static size_t bytes_left(const struct link *link)
{
    return peer__frame_message_size(&link->input) - link->input.message.size;
}

/* By this node's application. What holds back a whole graph is over soon. */
static int is_held(const struct link *link)
{
    return link->holds_data || link->is_paused || link->deferral.is_full;
}

static struct link *choose_leader(struct engine *engine)
{
    struct link *leader = NULL;
    LIST_FOR (node, following, &engine->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_engine);
        if (link->partial > PARTIAL_SMALL && !is_held(link) &&
            (leader == NULL || bytes_left(link) < bytes_left(leader)))
            leader = link;
    }
    return leader;
}

static void set_waiting(struct link *link, int waits)
{
    if (link->waits_for_memory == waits)
        return;
    link->waits_for_memory = waits;
    peer__link_apply_reading(link);
}

static void share_out(struct engine *engine)
{
    int was_tight = engine->partial_is_tight;
    engine->partial_is_tight = engine->partial_bytes > PARTIAL_BYTES_TIGHT;
    if (!was_tight && !engine->partial_is_tight)
        return;
    const struct link *leader = engine->partial_is_tight ? choose_leader(engine) : NULL;
    LIST_FOR (node, following, &engine->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_engine);
        set_waiting(link, engine->partial_is_tight && link != leader && link->partial > PARTIAL_SMALL);
        peer__link_note_leading(link);
    }
}

void peer__link_note_partial(struct link *link)
{
    size_t before = link->partial;
    link->partial = link->state != LINK_ENDED && peer__frame_is_under_way(&link->input) ? link->input.message.size : 0;
    link->engine->partial_bytes += link->partial;
    link->engine->partial_bytes -= before;
    if (link->partial != before)
        share_out(link->engine);
}

void peer__link_share_out(struct link *link)
{
    if (link->partial > PARTIAL_SMALL)
        share_out(link->engine);
}

int peer__link_leads(const struct link *link)
{
    return link->engine->partial_is_tight && link->partial > PARTIAL_SMALL && peer__link_is_read(link);
}
