/** A host whose bytes the test writes itself, so that it can say what no engine says. One connection at a time. */
#ifndef PEER_TESTS_SIM_PUPPET_H
#define PEER_TESTS_SIM_PUPPET_H

#include "scenario.h"
#include "wire/frame.h"
#include "wire/message.h"
#include "wire/record.h"

#define PUPPET_MESSAGES_MAX 512

struct puppet {
    struct world *world;
    struct sim_host *host;
    struct transport_connection *connection; /* NULL: none */
    struct transport_listener *listener;
    struct address addresses[LISTEN_ADDRESS_MAX];
    char peer_id[16];
    uint64_t node_id;
    int connected;
    int closed;
    int deaf;                 /* takes bytes and forgets them */
    int announces_keep_alive; /* in CONNECT */
    int reconciles;           /* announces it in CONNECT and WELCOME; else it is a plain node */
    struct frame_assembler input;
    struct buffer messages[PUPPET_MESSAGES_MAX]; /* whole, in order of arrival */
    size_t count;
    size_t seen; /* taken by puppet_expect so far */
};

/** Made anew; `node_id` as the puppet will claim it. */
struct puppet *puppet_create(struct world *world, uint64_t node_id);
void puppet_free(struct puppet *puppet);
/** Accepts connections on SCENARIO_PORT. */
void puppet_listen(struct puppet *puppet);
/** The node dials the puppet, which listens. */
void puppet_is_dialled(struct puppet *puppet, size_t node);
/** Waits for the CONNECT of a node that dials, and answers it. */
void puppet_welcome(struct puppet *puppet);
/** 1 while the node has a connection to the puppet; seen from there, so that it holds for a puppet that does not read. */
int puppet_is_held(struct puppet *puppet, size_t node);
/** Dials a node and waits for the TCP connection. */
void puppet_dial(struct puppet *puppet, size_t node);
/** AUTH_INFO as a neighbour, without CONNECT. */
void puppet_auth(struct puppet *puppet);
/** CONNECT with the puppet's addresses if it listens. */
void puppet_connect(struct puppet *puppet, uint8_t flags);
/** Dials, authenticates, connects, and waits for the WELCOME. */
void puppet_join(struct puppet *puppet, size_t node);
void puppet_hang_up(struct puppet *puppet);

/** Sends a message in frames, and empties the buffer. */
void puppet_send(struct puppet *puppet, struct buffer *message);
void puppet_ping(struct puppet *puppet);
/** Stops (1) or starts (0) taking bytes from the connection. */
void puppet_pause(struct puppet *puppet, int paused);
/** Bytes that were sent and have not left the puppet's host. */
size_t puppet_queued(struct puppet *puppet);
/** Forgets the messages that were taken by puppet_expect. */
void puppet_forget_seen(struct puppet *puppet);
/** Sends bytes as they are. */
void puppet_send_bytes(struct puppet *puppet, const void *data, size_t size);
/** Runs until a message of that type arrives, leaving others aside: 1; or until the end of the connection or 30 s: 0. */
int puppet_expect(struct puppet *puppet, uint8_t type, struct wire_message *message_out);
/** Runs for at most so long until the other side hangs up. */
int puppet_is_hung_up(struct puppet *puppet, int64_t seconds);
/** Messages of a type that arrived since the last connection was made. */
size_t puppet_count(const struct puppet *puppet, uint8_t type);

/** A record of the puppet's own, complete and valid; the texts and spans of `fields` may be changed before it is sent. */
struct puppet_record {
    struct record_fields fields;
    struct buffer creator;
    struct buffer modifier;
    struct buffer graph_id;
};
void puppet_record_init(struct puppet *puppet, struct puppet_record *record, const char *creator, const char *modifier);
void puppet_record_free(struct puppet_record *record);
void puppet_flood(struct puppet *puppet, const struct record_fields *fields);

#endif
