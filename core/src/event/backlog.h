/**
 * What a queue holds, without its lock: the events in order, bounded in bytes. When full, changes of one record are
 * merged; if that does not suffice, one OVERFLOW per type replaces the events of that type and swallows later ones until
 * it is taken, so that whoever enumerates after reading it has missed nothing (decisions.md 17).
 */
#ifndef PEER_EVENT_BACKLOG_H
#define PEER_EVENT_BACKLOG_H

#include "base/list.h"
#include "peergraph/peergraph.h"

/** Places for all types of events: PEER_GRAPH_EVENT_* 1 … 9, then those from 0x100. */
#define EVENT_TYPE_PLACES 15u
/** Room for the message of CLOSED, with its NUL. */
#define CLOSED_MESSAGE_SIZE 512u

/** 0 if there is no such type. */
unsigned peer__event_type_place(int32_t type);

enum item_kind {
    ITEM_RECORD, /* struct record_item */
    ITEM_EVENT,  /* struct peer_event, an object that is handed out as it is */
    ITEM_MARK    /* struct mark, part of the backlog */
};

struct item {
    struct list list;
    enum item_kind kind;
    int32_t type;
};

/** A change of a record. There may be hundreds of thousands, so it carries nothing else. */
struct record_item {
    struct item item;
    struct record_item *next_in_bucket;
    peer_guid id;
    peer_guid record_type;
    int32_t change;
};

struct peer_event {
    struct item item;
    size_t cost;
    int is_direct;        /* INCOMING_DATA of a direct connection, which is never dropped */
    peer_event_view view; /* texts and data follow in the same block */
};

/** An event with reserved room. */
struct mark {
    struct item item; /* in no list: not queued */
    uint32_t status;
    peer_status reason;
    uint64_t lost_count;
    int32_t change; /* PROGRESS, like the next two */
    uint64_t connection_id;
    uint64_t next_connection_id;
};

/** What is queued of the data of one neighbour. */
struct quota {
    uint64_t connection_id;
    size_t bytes; /* 0: the place is free */
};
#define QUOTA_PLACES 8u
#define QUOTA_BYTES (1024u * 1024) /* decisions.md 16 */

struct backlog {
    struct list items;
    size_t count;
    size_t bytes;
    size_t bytes_max;
    size_t direct_bytes; /* of them, of INCOMING_DATA of direct connections */
    struct quota quotas[QUOTA_PLACES];
    struct record_item **buckets; /* by record id, while changes are merged; else NULL */
    size_t bucket_mask;
    struct mark reserved[EVENT_TYPE_PLACES]; /* STATUS_CHANGED and its like, of which the latest says everything */
    struct mark overflow[EVENT_TYPE_PLACES]; /* by type of what was lost */
    struct peer_event *closed;               /* room for CLOSED, until it is queued */
};

/** E_OUTOFMEMORY */
peer_status peer__backlog_init(struct backlog *backlog, size_t bytes_max);
/** Queues a copy. Cannot fail: see above. */
void peer__backlog_add(struct backlog *backlog, const peer_event_view *event);
/** Queues a copy of INCOMING_DATA of a direct connection, full or not. E_OUTOFMEMORY: it is not queued. */
peer_status peer__backlog_add_direct(struct backlog *backlog, const peer_event_view *event);
/** Once. */
void peer__backlog_add_closed(struct backlog *backlog, peer_status reason, const char *message);
/** Takes the first event as an object; NULL when memory is out, then nothing has changed. There must be one. */
struct peer_event *peer__backlog_take(struct backlog *backlog);
/** Takes the first event as a view. The event that is returned holds what the pointers lead to; NULL: there are none. */
struct peer_event *peer__backlog_take_view(struct backlog *backlog, peer_event_view *view_out);
/** Drops everything, also the room for CLOSED. */
void peer__backlog_clear(struct backlog *backlog);

/** What two changes of one record are together. */
int32_t peer__record_change_merge(int32_t first, int32_t second);

#endif
