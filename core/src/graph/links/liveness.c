/*
 * Whether a connected link still lives and moves (decisions.md 7, 11). One timer for each link looks at what was counted
 * on the way; sending and receiving only note the moment.
 */
#include "graph/parts.h"

/** A link is looked at as often; what takes as long again is noticed so much later. */
#define LOOK_PERIOD_US INT64_C(10000000)
/** A node that has sent nothing for so long says that it is still there. */
#define PING_AFTER_US INT64_C(30000000)
/** A neighbour that has announced to do so and is silent for so long is gone: three of its pings were lost. */
#define SILENCE_MAX_US INT64_C(100000000)
/** Neither what waits to be sent nor a synchronization may stand still for so long. */
#define STALL_MAX_US INT64_C(60000000)
/** Nor a message that has begun to arrive: less, so that rubbish behind a good handshake is gone within a minute. */
#define MESSAGE_STALL_MAX_US INT64_C(50000000)
/** What the one that others wait for (partial.c) brings in a period of looks, at least. */
#define LEADER_BYTES_MIN (160u * 1024)

void peer__link_ping(struct link *link)
{
    peer__encode_pt2pt(&link->engine->message, &peer__data_type_ping, (struct span){NULL, 0});
    peer__link_send(link);
}

void peer__link_note_sent(struct link *link, size_t size)
{
    link->liveness.sent_us = peer__engine_now_us(link->engine);
    link->liveness.bytes_sent += size;
}

void peer__link_note_received(struct link *link)
{
    link->liveness.received_us = peer__engine_now_us(link->engine);
}

static void count_leading(struct liveness *liveness, int64_t now_us)
{
    if (liveness->leads)
        liveness->led_us += now_us - liveness->led_from_us;
    liveness->led_from_us = now_us;
}

void peer__link_note_leading(struct link *link)
{
    int leads = peer__link_leads(link);
    if (leads == link->liveness.leads)
        return;
    count_leading(&link->liveness, peer__engine_now_us(link->engine));
    link->liveness.leads = leads;
}

static void forget_leading(struct liveness *liveness, int64_t now_us)
{
    liveness->led_us = 0;
    liveness->led_from_us = now_us;
}

/* Only the time counts in which others waited for it and it was read: a message may have begun just now, or have waited
 * itself until now. */
static int holds_others_up(struct link *link, int64_t now_us)
{
    struct liveness *liveness = &link->liveness;
    count_leading(liveness, now_us);
    if (liveness->led_us < LOOK_PERIOD_US)
        return 0;
    int is_slow = liveness->leads && liveness->messages == liveness->messages_before &&
                  link->partial < liveness->partial_before + LEADER_BYTES_MIN;
    liveness->led_us = 0;
    liveness->partial_before = link->partial;
    liveness->messages_before = liveness->messages;
    return is_slow;
}

/* It is the other side's turn to move our synchronization. */
static int awaits_sync(const struct link *link)
{
    return link->sync.type != SYNC_NONE && link->walk.kind == WALK_NONE && !link->deferral.finish_waits &&
           !peer__asking_is_busy(link);
}

/* Bytes of a large answer count before the message is whole, and so do those of a large question that is still on its way
 * out. A neighbour that only pings does not move anything. */
static void note_sync_progress(struct link *link, int has_sent, int64_t now_us)
{
    struct liveness *liveness = &link->liveness;
    int waits = awaits_sync(link);
    if (!waits || !liveness->awaited_sync || has_sent || liveness->messages != liveness->messages_seen ||
        link->input.message.size != liveness->partial_seen)
        liveness->sync_us = now_us;
    liveness->awaited_sync = waits;
    liveness->messages_seen = liveness->messages;
    liveness->partial_seen = link->input.message.size;
}

static void note_progress(struct link *link, int64_t now_us)
{
    struct liveness *liveness = &link->liveness;
    const struct transport *transport = &link->engine->config.transport;
    size_t queued = transport->queued(transport->self, link->connection);
    uint64_t gone = liveness->bytes_sent - queued;
    int has_moved = gone != liveness->bytes_gone;
    if (queued == 0 || has_moved)
        liveness->gone_us = now_us;
    liveness->bytes_gone = gone;
    note_sync_progress(link, queued > 0 && has_moved, now_us);
}

static void forgive(struct liveness *liveness, int64_t now_us)
{
    liveness->received_us = now_us;
    liveness->sync_us = now_us;
}

/* The program behind a direct connection may be slow; that its node lives is seen by its pings. */
static int may_stall(const struct link *link)
{
    return link->type == CONNECTION_DIRECT && link->extensions.keep_alive;
}

static void end_if_dead(struct link *link, int64_t now_us)
{
    const struct liveness *liveness = &link->liveness;
    if (now_us - liveness->gone_us >= STALL_MAX_US && !may_stall(link))
        peer__link_end(link, PEER_E_CONNECTION_FAILED, "\"%s\" has read nothing for 60 s", link->address_text);
    else if (peer__frame_is_under_way(&link->input) && now_us - liveness->received_us >= MESSAGE_STALL_MAX_US)
        peer__link_end(link, PEER_E_CONNECTION_FAILED, "\"%s\" fell silent in the middle of a message",
                       link->address_text);
    else if (now_us - liveness->sync_us >= STALL_MAX_US)
        peer__link_end(link, PEER_E_CONNECTION_FAILED,
                       "\"%s\" has sent nothing for 60 s in the middle of a synchronization", link->address_text);
    else if (link->extensions.keep_alive && now_us - liveness->received_us >= SILENCE_MAX_US)
        peer__link_end(link, PEER_E_CONNECTION_FAILED, "\"%s\" has been silent for 100 s", link->address_text);
}

/* The moment is set to the tick where one is known, so that a ping is neither late nor early. */
static void look_again(struct link *link, int64_t now_us)
{
    struct liveness *liveness = &link->liveness;
    int64_t next_us = now_us + LOOK_PERIOD_US;
    if (next_us > liveness->sent_us + PING_AFTER_US)
        next_us = liveness->sent_us + PING_AFTER_US;
    if (peer__frame_is_under_way(&link->input) && next_us > liveness->received_us + MESSAGE_STALL_MAX_US)
        next_us = liveness->received_us + MESSAGE_STALL_MAX_US;
    liveness->look_us = next_us;
    peer__timer_set(&link->engine->timers, &link->timer, next_us);
}

void peer__link_look(struct link *link)
{
    struct liveness *liveness = &link->liveness;
    int64_t now_us = peer__engine_now_us(link->engine);
    if (now_us - liveness->look_us >= LOOK_PERIOD_US) { /* this process slept: what has arrived is not read yet */
        forgive(liveness, now_us);
        liveness->gone_us = now_us;
        forget_leading(liveness, now_us);
    }
    if (!peer__link_is_read(link))
        forgive(liveness, now_us);
    note_progress(link, now_us);
    end_if_dead(link, now_us);
    if (link->state == LINK_CONNECTED && holds_others_up(link, now_us))
        peer__link_end(link, PEER_E_CONNECTION_FAILED, "\"%s\" sends a large message too slowly while others wait",
                       link->address_text);
    if (link->state != LINK_CONNECTED)
        return;
    if (now_us - liveness->sent_us >= PING_AFTER_US)
        peer__link_ping(link);
    if (!link->broken)
        look_again(link, now_us);
}

void peer__link_watch(struct link *link)
{
    struct liveness *liveness = &link->liveness;
    int64_t now_us = peer__engine_now_us(link->engine);
    forgive(liveness, now_us);
    liveness->gone_us = now_us;
    forget_leading(liveness, now_us);
    look_again(link, now_us);
}
