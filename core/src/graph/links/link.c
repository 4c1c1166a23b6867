/* Links: one per connection, from dial or accept to the end (MS-PPGRH 3.1.1; spec part 8). Input is taken apart here. */
#include "graph/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LINK_TIMERS 2u
/** What an application has sent before it closed a direct connection still arrives if the other side is silent for no
 * longer than this. */
#define DIRECT_LINGER_MS 60000u

static void on_timeout(struct timer *timer)
{
    struct link *link = CONTAINER_OF(timer, struct link, timer);
    if (link->broken)
        peer__link_out_of_memory(link);
    else if (link->state == LINK_CONNECTED)
        peer__link_look(link);
    else if (link->state == LINK_DIALLING)
        peer__link_end(link, PEER_E_CONNECTION_FAILED, "\"%s\" could not be reached in time", link->address_text);
    else if (link->state == LINK_CONNECT_WAIT)
        peer__link_end(link, PEER_E_CONNECTION_NOT_AUTHENTICATED, "\"%s\" did not answer within 60 s",
                       link->address_text);
    else
        peer__link_end(link, PEER_E_CONNECTION_NOT_AUTHENTICATED, "\"%s\" took too long to introduce itself",
                       link->address_text);
}

/* Both read the store, and what is uncommitted there could still be dropped. */
static void on_step(struct timer *timer)
{
    struct link *link = CONTAINER_OF(timer, struct link, step);
    (void)peer__graph_commit(link->graph);
    if (link->state != LINK_CONNECTED)
        return;
    peer__sync_hash_step(link);
    if (link->state == LINK_CONNECTED)
        peer__asking_step(link);
    if (link->state == LINK_CONNECTED)
        peer__answering_step(link);
    peer__link_pump(link);
}

peer_status peer__link_create(struct engine *engine, struct graph *graph, struct link **link_out)
{
    PEER_TRY(peer__timers_reserve(&engine->timers, LINK_TIMERS));
    struct link *link = peer__calloc(1, sizeof(*link));
    if (link == NULL) {
        peer__timers_release(&engine->timers, LINK_TIMERS);
        return peer__out_of_memory();
    }
    link->engine = engine;
    link->graph = graph;
    link->connection_id = ++engine->last_connection_id;
    link->type = CONNECTION_NEIGHBOUR;
    link->input.frame_size_max = FRAME_SIZE_MAX;
    link->input.message_size_max = MESSAGE_SIZE_MAX_UNAUTHENTICATED;
    peer__timer_init(&link->timer, on_timeout);
    peer__timer_init(&link->step, on_step);
    list_append(&engine->links, &link->in_engine);
    list_init(&link->in_graph);
    list_init(&link->deferral.brought.records);
    if (graph != NULL)
        list_append(&graph->links, &link->in_graph);
    engine->link_count++;
    *link_out = link;
    return PEER_OK;
}

/* Of a link that has ended, or that never came to life. */
void peer__link_free(struct link *link)
{
    struct engine *engine = link->engine;
    peer__timer_cancel(&engine->timers, &link->timer);
    peer__timer_cancel(&engine->timers, &link->step);
    peer__timers_release(&engine->timers, LINK_TIMERS);
    list_remove(&link->in_engine);
    list_remove(&link->in_graph);
    if (link->state != LINK_ENDED)
        engine->link_count--;
    peer__frame_assembler_free(&link->input);
    peer__sync_free(link);
    peer__sync_walk_free(&link->answer_walk);
    peer__answering_free(link);
    peer__link_answer_free(&link->answer);
    peer__link_answer_free(&link->push);
    peer__buffer_free(&link->acks);
    peer__buffer_free(&link->owed.ids);
    peer__free(link->address_text);
    peer__free(link->peer_id);
    peer__free(link);
}

struct link *peer__graph_find_link(struct graph *graph, uint64_t connection_id)
{
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (link->connection_id == connection_id)
            return link;
    }
    return NULL;
}

int peer__link_is_neighbour(const struct link *link)
{
    return link->state == LINK_CONNECTED && link->type == CONNECTION_NEIGHBOUR;
}

int peer__link_is_read(const struct link *link)
{
    return !link->waits_for_memory && !link->holds_data && !link->is_paused && !link->deferral.is_full &&
           (link->graph == NULL || !link->graph->held_back);
}

void peer__link_apply_reading(struct link *link)
{
    const struct transport *transport = &link->engine->config.transport;
    if (link->connection != NULL && link->state != LINK_DIALLING)
        transport->pause(transport->self, link->connection, !peer__link_is_read(link));
}

void peer__link_update_reading(struct link *link)
{
    peer__link_note_leading(link);
    peer__link_apply_reading(link);
    peer__link_share_out(link);
}

void peer__link_send(struct link *link)
{
    struct engine *engine = link->engine;
    const struct transport *transport = &engine->config.transport;
    int failed = engine->message.failed;
    if (link->state != LINK_ENDED && !link->broken && !failed) {
        peer__frame_message(&engine->frames, (struct span){engine->message.data, engine->message.size},
                            FRAME_SIZE_DEFAULT);
        failed = engine->frames.failed;
        if (!failed) {
            transport->send(transport->self, link->connection, engine->frames.data, engine->frames.size);
            peer__link_note_sent(link, engine->frames.size);
        }
    }
    if (failed) { /* a message that was left out would leave the other side waiting */
        peer__buffer_free(&engine->message);
        peer__buffer_free(&engine->frames);
        link->broken = 1; /* ends in a turn of its own: this may be in the middle of a scan */
        peer__engine_timer_set(engine, &link->timer, 0);
        return;
    }
    peer__buffer_clear(&engine->message);
    peer__buffer_clear(&engine->frames);
}

/* ----------------------------------------------------------------------------------------------------------- the end */

static void lose_neighbour(struct link *link, peer_status reason, const char *message)
{
    struct graph *graph = link->graph;
    int was_synchronizing = link->sync.type != SYNC_NONE;
    if (graph->neighbour_count == 1 && !was_synchronizing)
        (void)peer__graph_note_presence(graph, 1); /* written with the commit that follows */
    graph->neighbour_count--;
    peer__graph_tell_connection(link, PEER_DISCONNECTED, reason, message);
    peer__graph_tell_status(graph);
}

/* A stranger to whom nothing was said is not waited for: a flood of them would use up the descriptors. */
static uint32_t linger_ms(const struct link *link)
{
    const struct transport *transport = &link->engine->config.transport;
    int is_stranger = !link->initiator && link->node_id == 0;
    if (link->type == CONNECTION_DIRECT && link->node_id != 0)
        return DIRECT_LINGER_MS;
    return is_stranger && transport->queued(transport->self, link->connection) == 0 ? 0 : GOODBYE_LINGER_MS;
}

void peer__link_end(struct link *link, peer_status reason, const char *format, ...)
{
    char message[512];
    va_list arguments;
    enum link_state state = link->state;
    int was_neighbour = peer__link_is_neighbour(link);
    int was_direct = state == LINK_CONNECTED && link->type == CONNECTION_DIRECT;
    const struct transport *transport = &link->engine->config.transport;

    if (state == LINK_ENDED)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    peer__text_to_line(message);

    if (state == LINK_ACCEPTED || state == LINK_AUTHENTICATED)
        link->engine->unauthenticated_count--;
    if (was_neighbour)
        lose_neighbour(link, reason, message);
    if (was_direct)
        peer__graph_tell_connection(link, PEER_DISCONNECTED, reason, message);
    link->state = LINK_ENDED;
    link->engine->link_count--;
    peer__timer_cancel(&link->engine->timers, &link->timer);
    peer__timer_cancel(&link->engine->timers, &link->step);
    if (link->connection != NULL)
        transport->close(transport->self, link->connection, linger_ms(link));
    link->connection = NULL;
    peer__link_note_partial(link);
    peer__link_leaves_deferred(link);
    list_remove(&link->in_graph);
    list_remove(&link->in_engine);
    list_append(&link->engine->ending, &link->in_engine);
    if (was_neighbour) /* last: its address can be dialled again from here on */
        peer__graph_neighbour_lost(link);
    else if (link->initiator && link->graph != NULL && !was_direct)
        peer__graph_dial_ended(link, reason, message);
}

/* What came before is dealt with first, so that its events stand before that of the end. */
void peer__link_violation(struct link *link, const char *what)
{
    char reason[256];
    snprintf(reason, sizeof(reason), "%s", what); /* it may be the last error, which a commit may change */
    if (link->graph != NULL)
        (void)peer__graph_commit(link->graph);
    peer__link_end(link, link->state == LINK_CONNECTED ? PEER_E_CONNECTION_FAILED : PEER_E_CONNECTION_NOT_AUTHENTICATED,
                   "\"%s\" broke the protocol: %s", link->address_text, reason);
}

void peer__link_out_of_memory(struct link *link)
{
    peer__link_end(link, E_OUTOFMEMORY, "memory is out");
}

/* ------------------------------------------------------------------------------------------------------------- input */

/* Messages of a neighbour in LINK_STATE_CONNECTED. What follows a bulk of FLOODs must see it stored. */
static void on_neighbour_message(struct link *link, const struct wire_message *message)
{
    switch (message->type) {
    case MESSAGE_SOLICIT_NEW:
    case MESSAGE_SOLICIT_TIME:
        peer__sync_on_solicit(link, message->type, &message->as.solicit);
        break;
    case MESSAGE_SOLICIT_HASH:
        peer__sync_hash_on_solicit(link, &message->as.solicit);
        break;
    case MESSAGE_ADVERTISE:
        peer__sync_hash_on_advertise(link, &message->as.advertise);
        break;
    case MESSAGE_REQUEST:
        peer__sync_hash_on_request(link, &message->as.request);
        break;
    case MESSAGE_FLOOD:
        peer__link_on_flood(link, &message->as.flood);
        break;
    case MESSAGE_SYNC_END:
        if (message->as.sync_end.final) /* D-08 */
            peer__sync_on_end(link);
        break;
    case MESSAGE_ACK:
        peer__link_on_ack(link, &message->as.ack);
        break;
    case MESSAGE_COMPARE:
        peer__link_on_compare(link, &message->as.compare);
        break;
    case MESSAGE_DIFFER:
        peer__link_on_differ(link, &message->as.differ);
        break;
    default:
        break;
    }
}

static int is_for_neighbours_only(uint8_t type)
{
    return type >= MESSAGE_SOLICIT_NEW && type != MESSAGE_PT2PT && type != MESSAGE_SYNC_END;
}

static void on_message(struct link *link, const struct wire_message *message)
{
    if (link->state == LINK_ACCEPTED) { /* 5.1: the first message, and only there */
        if (message->type == MESSAGE_AUTH_INFO)
            peer__link_on_auth_info(link, &message->as.auth_info);
        else
            peer__link_violation(link, "the first message was not AUTH_INFO");
        return;
    }
    switch (message->type) {
    case MESSAGE_AUTH_INFO:
        peer__link_violation(link, "AUTH_INFO came again");
        return;
    case MESSAGE_CONNECT:
        peer__link_on_connect(link, &message->as.connect);
        return;
    case MESSAGE_WELCOME:
        peer__link_on_welcome(link, &message->as.welcome);
        return;
    case MESSAGE_REFUSE:
        peer__link_on_refuse(link, &message->as.refuse);
        return;
    case MESSAGE_DISCONNECT:
        peer__link_on_disconnect(link, &message->as.disconnect);
        return;
    case MESSAGE_PT2PT:
        if (link->state == LINK_CONNECTED)
            peer__link_on_data(link, &message->as.pt2pt);
        else
            peer__link_violation(link, "PT2PT came before the connection was made");
        return;
    default:
        break;
    }
    if (link->state == LINK_CONNECTED && link->type == CONNECTION_NEIGHBOUR)
        on_neighbour_message(link, message);
    else if (is_for_neighbours_only(message->type))
        peer__link_violation(link, peer__message_name(message->type));
}

static void on_message_bytes(struct link *link, struct span bytes)
{
    struct wire_message message;
    if (peer__message_decode(bytes, &message) < 0) {
        peer__link_violation(link, peer__last_error());
        return;
    }
    if (link->graph != NULL && message.type != MESSAGE_FLOOD && message.type != MESSAGE_ACK &&
        message.type != MESSAGE_PT2PT) {
        (void)peer__graph_commit(link->graph); /* a failure has ended the links concerned */
        if (link->state == LINK_ENDED)
            return;
    }
    if (message.type != MESSAGE_PT2PT)
        link->liveness.messages++;
    on_message(link, &message);
}

void peer__engine_received(struct engine *engine, void *tag, const void *data, size_t size)
{
    struct link *link = tag;
    struct span input = {data, size};
    struct span message;
    peer__engine_enter(engine);
    peer__link_note_received(link);
    while (link->state != LINK_ENDED && link->state != LINK_DIALLING) {
        peer_status status = peer__frame_assemble(&link->input, &input, &message);
        if (status == E_OUTOFMEMORY) {
            peer__link_out_of_memory(link);
        } else if (status < 0) {
            peer__link_violation(link, peer__last_error());
        } else if (message.size == 0) {
            break;
        } else {
            on_message_bytes(link, message);
        }
    }
    peer__link_note_partial(link);
    peer__engine_leave(engine);
}

/* Who is owed more than the journal holds: a record whose newer version might still be dropped must not be skipped. */
static int reads_store(const struct link *link)
{
    return peer__link_is_neighbour(link) && (link->answer.kind != ANSWER_NONE || link->push.kind != ANSWER_NONE ||
                                             link->owed.ids.size > 0 || link->next_seq < link->graph->journal.first);
}

void peer__engine_writable(struct engine *engine, void *tag)
{
    struct link *link = tag;
    peer__engine_enter(engine);
    if (reads_store(link))
        (void)peer__graph_commit(link->graph);
    peer__link_tell_writable(link);
    peer__link_pump(link);
    peer__engine_leave(engine);
}

void peer__engine_closed(struct engine *engine, void *tag, peer_status reason, const char *message)
{
    struct link *link = tag;
    peer__engine_enter(engine);
    link->connection = NULL; /* the transport has let go already: what the commit below still sends goes nowhere */
    link->broken = 1;
    if (link->graph != NULL)
        (void)peer__graph_commit(link->graph);
    if (link->state == LINK_CONNECT_WAIT)
        peer__link_end(link, PEER_E_CONNECTION_NOT_AUTHENTICATED,
                       "\"%s\" hung up without a welcome: it has no such graph, or is not the peer that was asked for",
                       link->address_text);
    else
        peer__link_end(link, reason < 0 ? reason : PEER_E_CONNECTION_FAILED, "%s", message);
    peer__engine_leave(engine);
}
