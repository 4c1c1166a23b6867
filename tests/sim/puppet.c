#include "puppet.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/time.h"
#include "tls/crypto.h"

static struct span text_span(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static struct transport transport_of(struct puppet *puppet)
{
    return peer__sim_host_transport(puppet->host);
}

static void forget_messages(struct puppet *puppet)
{
    for (size_t i = 0; i < puppet->count; i++)
        peer__buffer_free(&puppet->messages[i]);
    memset(puppet->messages, 0, sizeof(puppet->messages));
    puppet->count = puppet->seen = 0;
    peer__frame_assembler_free(&puppet->input);
    puppet->input = (struct frame_assembler){.frame_size_max = FRAME_SIZE_MAX, .message_size_max = MESSAGE_SIZE_MAX};
}

static peer_status on_accepted(void *self, void *listener_tag, struct transport_connection *connection,
                               const struct address *remote, void **tag_out)
{
    struct puppet *puppet = self;
    (void)listener_tag;
    (void)remote;
    if (puppet->connection != NULL)
        return PEER_E_CONNECTION_REFUSED;
    forget_messages(puppet);
    puppet->connection = connection;
    puppet->connected = 1;
    puppet->closed = 0;
    *tag_out = puppet;
    return PEER_OK;
}

static void on_connected(void *self, void *tag, const struct address *remote)
{
    struct puppet *puppet = self;
    (void)tag;
    (void)remote;
    puppet->connected = 1;
}

static void on_received(void *self, void *tag, const void *data, size_t size)
{
    struct puppet *puppet = self;
    struct span input = {data, size};
    struct span message;

    (void)tag;
    while (!puppet->deaf && input.size > 0) {
        assert_status(peer__frame_assemble(&puppet->input, &input, &message), PEER_OK);
        if (message.size == 0)
            break;
        assert_true(puppet->count < PUPPET_MESSAGES_MAX);
        peer__buffer_append(&puppet->messages[puppet->count++], message.data, message.size);
    }
}

static void on_writable(void *self, void *tag)
{
    (void)self;
    (void)tag;
}

static void on_closed(void *self, void *tag, peer_status reason, const char *message)
{
    struct puppet *puppet = self;
    (void)tag;
    (void)reason;
    (void)message;
    puppet->connection = NULL;
    puppet->closed = 1;
}

struct puppet *puppet_create(struct world *world, uint64_t node_id)
{
    struct puppet *puppet = peer__calloc(1, sizeof(*puppet));
    assert_non_null(puppet);
    struct sim_endpoint endpoint = {.accepted = on_accepted,
                                    .connected = on_connected,
                                    .received = on_received,
                                    .writable = on_writable,
                                    .closed = on_closed,
                                    .self = puppet};
    puppet->world = world;
    puppet->node_id = node_id;
    snprintf(puppet->peer_id, sizeof(puppet->peer_id), "puppet%u", (unsigned)(node_id % 1000));
    assert_status(peer__sim_host_create_raw(world->sim, &endpoint, &puppet->host), PEER_OK);
    forget_messages(puppet);
    return puppet;
}

void puppet_free(struct puppet *puppet)
{
    puppet_hang_up(puppet);
    if (puppet->listener != NULL)
        transport_of(puppet).unlisten(puppet->host, puppet->listener);
    forget_messages(puppet);
    peer__free(puppet);
}

void puppet_listen(struct puppet *puppet)
{
    size_t count;
    assert_status(transport_of(puppet).listen(puppet->host, 0, 0, SCENARIO_PORT, puppet, &puppet->listener,
                                              puppet->addresses, &count),
                  PEER_OK);
}

static int is_connected_or_closed(void *context)
{
    const struct puppet *puppet = context;
    return puppet->connected || puppet->closed;
}

void puppet_dial(struct puppet *puppet, size_t node)
{
    struct address address = *peer__sim_host_address(puppet->world->nodes[node].host);
    address.port = SCENARIO_PORT;
    forget_messages(puppet);
    puppet->connected = puppet->closed = 0;
    assert_status(transport_of(puppet).dial(puppet->host, "", "", &address, puppet, &puppet->connection), PEER_OK);
    peer__sim_run_until(puppet->world->sim, is_connected_or_closed, puppet,
                        peer__sim_now_us(puppet->world->sim) + 30 * SECOND);
    assert_true(puppet->connected);
}

void puppet_is_dialled(struct puppet *puppet, size_t node)
{
    char text[ADDRESS_TEXT_SIZE];
    struct driver *driver = peer__sim_host_driver(puppet->world->nodes[node].host);
    peer__address_format(&puppet->addresses[0], text);
    puppet->connected = puppet->closed = 0;
    driver->lock(driver);
    assert_status(peer__graph_connect(puppet->world->nodes[node].graph, NULL, text, NULL), PEER_OK);
    driver->unlock(driver);
}

void puppet_welcome(struct puppet *puppet)
{
    struct buffer message = {0};
    struct wire_message connect;
    uint64_t now = peer__ticks_from_us(SIM_EPOCH_US + peer__sim_now_us(puppet->world->sim));
    assert_true(puppet_expect(puppet, MESSAGE_CONNECT, &connect));
    struct wire_extensions extensions = {.reconciles = puppet->reconciles};
    peer__encode_welcome(&message, puppet->node_id, now, NULL, 0, text_span(puppet->peer_id), (struct span){NULL, 0},
                         &extensions);
    puppet_send(puppet, &message);
}

int puppet_is_held(struct puppet *puppet, size_t node)
{
    return peer__sim_connections(puppet->host, puppet->world->nodes[node].host) > 0;
}

void puppet_hang_up(struct puppet *puppet)
{
    if (puppet->connection != NULL)
        transport_of(puppet).close(puppet->host, puppet->connection, 1000);
    puppet->connection = NULL;
}

void puppet_send_bytes(struct puppet *puppet, const void *data, size_t size)
{
    if (puppet->connection != NULL)
        transport_of(puppet).send(puppet->host, puppet->connection, data, size);
}

void puppet_send(struct puppet *puppet, struct buffer *message)
{
    struct buffer frames = {0};
    peer__frame_message(&frames, (struct span){message->data, message->size}, FRAME_SIZE_DEFAULT);
    assert_false(message->failed || frames.failed);
    puppet_send_bytes(puppet, frames.data, frames.size);
    peer__buffer_free(&frames);
    peer__buffer_free(message);
}

void puppet_ping(struct puppet *puppet)
{
    struct buffer message = {0};
    peer__encode_pt2pt(&message, &peer__data_type_ping, (struct span){NULL, 0});
    puppet_send(puppet, &message);
}

void puppet_pause(struct puppet *puppet, int paused)
{
    transport_of(puppet).pause(puppet->host, puppet->connection, paused);
}

size_t puppet_queued(struct puppet *puppet)
{
    return puppet->connection != NULL ? transport_of(puppet).queued(puppet->host, puppet->connection) : 0;
}

void puppet_auth(struct puppet *puppet)
{
    struct buffer message = {0};
    peer__encode_auth_info(&message, CONNECTION_NEIGHBOUR, text_span(SCENARIO_GRAPH), text_span(puppet->peer_id),
                           (struct span){NULL, 0});
    puppet_send(puppet, &message);
}

void puppet_connect(struct puppet *puppet, uint8_t flags)
{
    struct buffer message = {0};
    struct wire_extensions extensions = {.keep_alive = puppet->announces_keep_alive, .reconciles = puppet->reconciles};
    peer__encode_connect(&message, flags, puppet->node_id, puppet->addresses, puppet->listener != NULL ? 1 : 0,
                         (struct span){NULL, 0}, &extensions);
    puppet_send(puppet, &message);
}

void puppet_join(struct puppet *puppet, size_t node)
{
    struct wire_message message;
    puppet_dial(puppet, node);
    puppet_auth(puppet);
    puppet_connect(puppet, CONNECT_FLAG_NEIGHBOURS);
    assert_true(puppet_expect(puppet, MESSAGE_WELCOME, &message));
}

struct expectation {
    struct puppet *puppet;
    uint8_t type;
};

static int find(struct puppet *puppet, uint8_t type)
{
    for (; puppet->seen < puppet->count; puppet->seen++) {
        if (puppet->messages[puppet->seen].data[5] == type)
            return 1;
    }
    return 0;
}

static int has_come(void *context)
{
    struct expectation *expectation = context;
    return find(expectation->puppet, expectation->type) || expectation->puppet->closed;
}

int puppet_expect(struct puppet *puppet, uint8_t type, struct wire_message *message_out)
{
    struct expectation expectation = {puppet, type};
    struct sim *sim = puppet->world->sim;
    peer__sim_run_until(sim, has_come, &expectation, peer__sim_now_us(sim) + 30 * SECOND);
    if (!find(puppet, type))
        return 0;
    const struct buffer *message = &puppet->messages[puppet->seen++];
    assert_status(peer__message_decode((struct span){message->data, message->size}, message_out), PEER_OK);
    return 1;
}

void puppet_forget_seen(struct puppet *puppet)
{
    for (size_t i = 0; i < puppet->seen; i++)
        peer__buffer_free(&puppet->messages[i]);
    puppet->count -= puppet->seen;
    memmove(puppet->messages, puppet->messages + puppet->seen, puppet->count * sizeof(puppet->messages[0]));
    memset(puppet->messages + puppet->count, 0, puppet->seen * sizeof(puppet->messages[0]));
    puppet->seen = 0;
}

static int is_closed(void *context)
{
    return ((struct puppet *)context)->closed;
}

int puppet_is_hung_up(struct puppet *puppet, int64_t seconds)
{
    struct sim *sim = puppet->world->sim;
    return peer__sim_run_until(sim, is_closed, puppet, peer__sim_now_us(sim) + seconds * SECOND);
}

size_t puppet_count(const struct puppet *puppet, uint8_t type)
{
    size_t count = 0;
    for (size_t i = 0; i < puppet->count; i++)
        count += puppet->messages[i].data[5] == type;
    return count;
}

/* ------------------------------------------------------------------------------------------------------ records */

/* An id whose high half fits the creator; the low half is drawn from the network's chance. */
static peer_guid id_for(struct puppet *puppet, struct span creator)
{
    struct crypto crypto;
    struct random random;
    uint8_t chance[16];
    peer_guid id;

    for (size_t i = 0; i < sizeof(chance); i++)
        chance[i] = (uint8_t)peer__sim_draw(puppet->world->sim, 256);
    assert_status(peer__crypto_create(&crypto, &random), PEER_OK);
    assert_status(peer__record_id_make(&crypto, creator, chance, &id), PEER_OK);
    peer__crypto_destroy(&crypto);
    return id;
}

void puppet_record_init(struct puppet *puppet, struct puppet_record *record, const char *creator, const char *modifier)
{
    uint64_t now = peer__ticks_from_us(SIM_EPOCH_US + peer__sim_now_us(puppet->world->sim));
    memset(record, 0, sizeof(*record));
    peer__utf16_append(&record->creator, creator);
    peer__utf16_append(&record->graph_id, SCENARIO_GRAPH);
    record->fields = (struct record_fields){
        .type = scenario_note,
        .version = 1,
        .creator_id = {record->creator.data, record->creator.size},
        .created = now,
        .modified = now,
        .expires = now + HOUR_S * TICKS_PER_SECOND,
        .graph_id = {record->graph_id.data, record->graph_id.size},
        .protocol_version = 0x0100,
        .payload = {(const uint8_t *)"puppet", 6},
    };
    record->fields.id = id_for(puppet, record->fields.creator_id);
    if (modifier != NULL) {
        peer__utf16_append(&record->modifier, modifier);
        record->fields.modifier_id = (struct span){record->modifier.data, record->modifier.size};
        record->fields.modified += TICKS_PER_SECOND;
    }
}

void puppet_record_free(struct puppet_record *record)
{
    peer__buffer_free(&record->creator);
    peer__buffer_free(&record->modifier);
    peer__buffer_free(&record->graph_id);
}

void puppet_flood(struct puppet *puppet, const struct record_fields *fields)
{
    struct record *record;
    struct buffer message = {0};
    assert_status(peer__record_encode(fields, &record), PEER_OK);
    peer__encode_flood(&message, (struct span){record->wire, record->wire_size});
    peer__record_release(record);
    puppet_send(puppet, &message);
}
