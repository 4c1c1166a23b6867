/** One connection each, from dial or accept to its end, and what crosses it. For the rest of the engine, file by file. */
#ifndef PEER_GRAPH_LINKS_PARTS_H
#define PEER_GRAPH_LINKS_PARTS_H

#include "graph/state.h"

/* link.c */
peer_status peer__link_create(struct engine *engine, struct graph *graph, struct link **link_out);
struct link *peer__graph_find_link(struct graph *graph, uint64_t connection_id);
/** Sends what stands in engine->message and clears it. */
void peer__link_send(struct link *link);
int peer__link_has_room(const struct link *link);
/** Reading stops while the graph's store is behind or memory for messages is short; TCP holds the sender back. */
int peer__link_is_read(const struct link *link);
/** Something of that has changed. */
void peer__link_update_reading(struct link *link);
/** Tells the transport, and no more. */
void peer__link_apply_reading(struct link *link);
int peer__link_is_neighbour(const struct link *link); /* CONNECTED and not direct */
/**
 * Ends a link: events, status, the transport told to let go after what is queued was sent. `message` says why in one line.
 * The memory goes when the input under way has been dealt with.
 */
void peer__link_end(struct link *link, peer_status reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for input that breaks the protocol; `what` is for people. */
void peer__link_violation(struct link *link, const char *what);
void peer__link_out_of_memory(struct link *link);
void peer__link_free(struct link *link);

/* liveness.c */
/** A link has become CONNECTED: from now on its timer looks whether it lives. */
void peer__link_watch(struct link *link);
/** The timer: ends a link that is dead or stands still, pings one that is idle. */
void peer__link_look(struct link *link);
void peer__link_ping(struct link *link);
void peer__link_note_sent(struct link *link, size_t size);
void peer__link_note_received(struct link *link);
/** peer__link_leads has changed, maybe. */
void peer__link_note_leading(struct link *link);

/* crowd.c */
/** A connection from there is about to be accepted: if too many have not introduced themselves, one of them ends. */
void peer__engine_make_place(struct engine *engine, const struct address *remote);

/* partial.c */
/** After input, and when the link has ended: how much of a message it holds; large ones may have to wait. */
void peer__link_note_partial(struct link *link);
/** Whether it may be read has changed, maybe: another one may have to go on. */
void peer__link_share_out(struct link *link);
/** 1 if other messages wait for the one of this link, which is read. */
int peer__link_leads(const struct link *link);

/* handshake.c */
struct dial_request {
    const char *address;
    const char *peer_id; /* who must answer; NULL: anyone */
    int64_t timeout_us;  /* for the TCP connection; 0: D-13 */
    int automatic;
    int referred;
    uint8_t type; /* enum connection_type; 0: a neighbour's */
};
peer_status peer__link_dial(struct graph *graph, const struct dial_request *request, struct link **link_out);
void peer__link_say_auth_info_and_connect(struct link *link);
void peer__link_on_auth_info(struct link *link, const struct wire_auth_info *message);
void peer__link_on_connect(struct link *link, const struct wire_connect *message);
void peer__link_on_welcome(struct link *link, const struct wire_welcome *message);
void peer__link_on_refuse(struct link *link, const struct wire_refuse *message);
void peer__link_on_disconnect(struct link *link, const struct wire_refuse *message);
void peer__link_say_disconnect(struct link *link, uint8_t reason);
void peer__graph_tell_addresses(struct graph *graph);
/** Whether both sides have announced reconciliation. */
int peer__link_reconciles(const struct link *link);

/* direct.c */
/** Why a direct connection may not come in now; NULL: it may. */
const char *peer__link_refuses_direct(const struct link *link);
void peer__link_direct_is_up(struct link *link);
void peer__link_on_data(struct link *link, const struct wire_pt2pt *message);
void peer__link_tell_writable(struct link *link);

/* listen.c */
/** Whether the address leads to where this graph listens; other graphs may listen there, too. */
int peer__graph_listens_at(const struct graph *graph, const struct address *address);
void peer__graph_unlisten(struct graph *graph);

#endif
