/**
 * What the files of graph/ do for each other, file by file; the folders have theirs beside them. Nothing outside graph/
 * includes this.
 */
#ifndef PEER_GRAPH_PARTS_H
#define PEER_GRAPH_PARTS_H

#include "graph/links/parts.h"
#include "graph/mesh/parts.h"
#include "graph/records/parts.h"
#include "graph/replication/parts.h"
#include "graph/state.h"

/* engine.c */
void peer__engine_enter(struct engine *engine);
void peer__engine_leave(struct engine *engine);
int64_t peer__engine_now_us(const struct engine *engine);
/** Local UTC less elapsed time: changes when the clock is stepped. */
int64_t peer__engine_clock_offset_us(const struct engine *engine);
void peer__engine_timer_set(struct engine *engine, struct timer *timer, int64_t delay_us);
/** A random number below `bound`, which is not 0. */
uint64_t peer__engine_draw(struct engine *engine, uint64_t bound);
/** The graph that listens there. `peer_id` without data: any. */
struct graph *peer__engine_find_graph(struct engine *engine, const struct listener *listener, struct span graph_id,
                                      struct span peer_id);

/* peer_time.c */
uint64_t peer__graph_now(const struct graph *graph);
/** decisions.md 5: a step of the local clock changes the delta, not peer time. With every input. */
void peer__graph_look_at_clock(struct graph *graph, int64_t offset_us);
/** Whether what has expired by our clock may be deleted. */
int peer__graph_clock_is_sure(const struct graph *graph);
/** Notes that peer time is right now; into the transaction under way. */
void peer__graph_note_time(struct graph *graph);
peer_status peer__graph_load_time(struct graph *graph);
/** That of an exported database, into the transaction under way. `*taken_out` 0: this node knows better. */
peer_status peer__graph_take_time(struct graph *graph, const struct archive_head *head, int *taken_out);
/** 10: a WELCOME with the neighbour's peer time arrived. */
void peer__graph_adjust_time(struct graph *graph, const struct link *link, uint64_t remote_time);

/* commit.c */
/** Room for one more effect, so that adding it cannot fail. */
peer_status peer__graph_reserve_effect(struct graph *graph);
/** Adds an effect; the record of EFFECT_STORED is retained. */
peer_status peer__graph_add_effect(struct graph *graph, const struct effect *effect);
/** A timer: the store was behind; reading goes on if it is no longer. */
void peer__graph_relieve(struct timer *timer);
/** Commits and lets effects out. On failure they are dropped and the links that brought them end. */
peer_status peer__graph_commit(struct graph *graph);
void peer__graph_drop_effects(struct graph *graph);
/** After a commit that did not come through here. */
void peer__graph_maintain_store(struct graph *graph);

/* events.c */
void peer__graph_tell(struct graph *graph, const peer_event_view *event);
void peer__graph_tell_record(struct graph *graph, const struct record *record, int32_t change);
void peer__graph_tell_connection(struct link *link, int32_t change, peer_status reason, const char *message);
/** A dial that the application asked for did not become a connection; `next` is what follows in its place, or 0. */
void peer__graph_tell_failure(struct link *link, peer_status reason, const char *message, uint64_t next);
void peer__graph_tell_status(struct graph *graph);
void peer__graph_tell_progress(struct graph *graph, struct progress *progress);

/* settings.c */
peer_status peer__setting_put_u64(struct store *store, const char *name, uint64_t value);
peer_status peer__setting_get_u64(struct store *store, const char *name, uint64_t *value_out); /* 0 if absent */
/** Notes in the store that we are connected and synchronized now; `force` 0: not more often than every 5 s. */
peer_status peer__graph_note_presence(struct graph *graph, int force);

#endif
