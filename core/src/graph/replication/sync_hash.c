/*
 * Hash-based synchronization (MS-PPGRH 3.1.7.31, 3.1.5.2.7 to 3.1.5.2.9; spec 11.4). Both sides sort their records by
 * (modification time, id); the initiator cuts them into ranges of ten and sends a hash of each; what differs is compared
 * record by record. Whole databases are walked here, so everything goes in steps, one a turn.
 */
#include "graph/parts.h"

#include <string.h>

#define RANGE_RECORDS 10u /* 3.1.7.31 */
#define ROWS_A_STEP 256u
/** So many of the newest records get a range of their own each, and the gaps before them too. */
#define NEWEST_RECORDS 256u
#define ABSTRACT_SIZE 20u
#define BOUNDARY_SIZE 52u
#define ADVERTISE_HEAD_SIZE 24u
/** Enough for four million records. What more would cost is a neighbour's to choose, and ours to pay. */
#define RANGES_MAX 400000u
/** Ranges of a neighbour that are compared in one step. */
#define CLOSES_A_STEP 4096u

static peer_status walk_rows(struct walk *walk, size_t row_max, store_visit visit, int *end_out)
{
    const struct store_scan scan = {.by_modified = 1, .seq_max = UINT64_MAX};
    struct store *store = walk->link->graph->store;
    return store->operations->scan(store, &scan, &walk->position, 0, row_max, visit, walk, end_out);
}

static void start_walk(struct link *link, struct walk *walk, enum walk_kind kind)
{
    walk->kind = kind;
    walk->link = link;
    walk->position = (struct store_position){0};
    walk->at = 0;
    peer__engine_timer_set(link->engine, &link->step, 0);
}

void peer__sync_walk_free(struct walk *walk)
{
    peer__buffer_free(&walk->ranges);
    peer__advertised_free(&walk->theirs);
    peer__buffer_free(&walk->range);
    peer__buffer_free(&walk->result);
    peer__buffer_free(&walk->abstracts);
    *walk = (struct walk){.kind = WALK_NONE};
}

static int walk_failed(const struct walk *walk)
{
    return walk->ranges.failed || walk->range.failed || walk->result.failed || walk->abstracts.failed ||
           (walk->kind == WALK_COMPARE && walk->link->sync.send.failed);
}

static size_t count_of(const struct buffer *buffer, size_t item_size)
{
    return buffer->size / item_size;
}

static const uint8_t md5_of_nothing[16] = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04,
                                           0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e};

/* The hash covers the concatenated RECORD_ABSTRACTs of a range (2.2.1.7). */
static void append_abstract(struct buffer *range, const struct store_row *row)
{
    peer__buffer_guid(range, &row->id);
    peer__buffer_u32(range, row->version);
}

static peer_status hash_range(const struct walk *walk, uint8_t hash_out[16])
{
    const struct crypto *crypto = &walk->link->engine->config.crypto;
    struct span part = {walk->range.data, walk->range.size};
    if (part.size == 0) { /* the other side may send a million of these */
        memcpy(hash_out, md5_of_nothing, sizeof(md5_of_nothing));
        return PEER_OK;
    }
    return crypto->md5(crypto->self, &part, 1, hash_out);
}

static void remember_last(struct walk *walk, const struct store_row *row)
{
    walk->last_modified = row->modified;
    walk->last_id = row->id;
}

/* -------------------------------------------------------------------------------------------- initiator: SOLICIT_HASH */

void peer__sync_hash_start(struct link *link)
{
    link->sync.type = SYNC_HASH;
    link->sync.then_compare = 0;
    link->sync.refused_before = link->graph->refused_count;
    link->walk.rows_seen = 0;
    peer_status status = link->graph->store->operations->count(link->graph->store, &link->walk.row_count);
    if (status < 0)
        peer__link_end(link, status, "the database could not be compared with that of \"%s\": %s", link->address_text,
                       peer__last_error());
    else
        start_walk(link, &link->walk, WALK_SOLICIT);
}

static peer_status close_own_range(struct walk *walk, uint64_t modified, const peer_guid *id)
{
    struct wire_hash_entry entry = {.modified = modified, .record_id = *id};
    PEER_TRY(hash_range(walk, entry.hash));
    peer__buffer_append(&walk->result, &entry, sizeof(entry));
    peer__buffer_clear(&walk->range);
    return PEER_OK;
}

/* The hash does not cover modification times, so two versions of one number that were made apart look alike as long as
 * they stand between the same neighbours (spec 11.4). What was changed last is where such pairs are: there the bounds say
 * to the tick where a record stands. A copy that stands elsewhere falls into a gap, which then differs. */
static peer_status close_range_before(struct walk *walk, const struct store_row *row)
{
    uint64_t modified = row->modified;
    peer_guid before = row->id;
    size_t at = sizeof(before.bytes);
    while (at > 0 && before.bytes[at - 1]-- == 0)
        at--;
    if (at == 0) /* the id was zero: all its bytes have become 0xff */
        modified--;
    return close_own_range(walk, modified, &before);
}

static int is_among_newest(const struct walk *walk)
{
    return walk->rows_seen + NEWEST_RECORDS >= walk->row_count;
}

static peer_status close_last_range(struct walk *walk)
{
    return walk->range.size > 0 ? close_own_range(walk, walk->last_modified, &walk->last_id) : PEER_OK;
}

static peer_status begin_row(struct walk *walk, const struct store_row *row)
{
    if (count_of(&walk->result, sizeof(struct wire_hash_entry)) + 2 * NEWEST_RECORDS >= RANGES_MAX)
        return PEER_OK; /* the last range takes what is left */
    if (is_among_newest(walk)) {
        PEER_TRY(close_last_range(walk));
        return close_range_before(walk, row);
    }
    return walk->range.size >= (size_t)RANGE_RECORDS * ABSTRACT_SIZE ? close_last_range(walk) : PEER_OK;
}

static int solicit_row(void *context, const struct store_row *row)
{
    struct walk *walk = context;
    walk->rows_seen++;
    if (peer__time_is_expired(walk->link->graph, &row->type, row->expires))
        return 0;
    if (begin_row(walk, row) < 0)
        walk->result.failed = 1;
    append_abstract(&walk->range, row);
    remember_last(walk, row);
    return walk->range.failed || walk->result.failed;
}

static peer_guid last_guid(void)
{
    peer_guid guid;
    memset(guid.bytes, 0xff, sizeof(guid.bytes));
    return guid;
}

static peer_status step_solicit(struct walk *walk)
{
    struct link *link = walk->link;
    int end = 0;
    PEER_TRY(walk_rows(walk, ROWS_A_STEP, solicit_row, &end));
    if (!end || walk_failed(walk))
        return PEER_OK;
    peer_guid last = last_guid();
    PEER_TRY(close_last_range(walk)); /* the last one reaches to the end of time (D-22) */
    PEER_TRY(close_own_range(walk, UINT64_MAX, &last));
    if (walk_failed(walk))
        return PEER_OK;
    link->sync.range_count = count_of(&walk->result, sizeof(struct wire_hash_entry));
    peer__encode_solicit_hash(&link->engine->message, (const void *)walk->result.data, link->sync.range_count);
    peer__sync_walk_free(walk);
    peer__link_send(link);
    return PEER_OK;
}

/* ----------------------------------------------------------------------------------------------- responder: ADVERTISE */

void peer__sync_hash_on_solicit(struct link *link, const struct wire_solicit *message)
{
    if (peer__sync_is_answering(link)) {
        peer__link_violation(link, "a second SOLICIT before the first was answered");
        return;
    }
    if (message->hash_count > RANGES_MAX) {
        peer__link_violation(link, "SOLICIT_HASH has more ranges than can be answered");
        return;
    }
    for (size_t i = 0; i < message->hash_count; i++) {
        struct wire_hash_entry entry;
        peer__wire_hash_entry(message, i, &entry);
        peer__buffer_append(&link->answer_walk.ranges, &entry, sizeof(entry));
    }
    link->answered = SYNC_HASH;
    start_walk(link, &link->answer_walk, WALK_ADVERTISE);
}

static int is_after(uint64_t modified, const peer_guid *id, uint64_t than_modified, const peer_guid *than_id)
{
    return modified != than_modified ? modified > than_modified : peer__guid_compare(id, than_id) > 0;
}

static void append_range_abstracts(struct walk *walk)
{
    for (size_t at = 0; at < walk->range.size; at += ABSTRACT_SIZE) {
        struct wire_abstract abstract;
        peer__wire_abstract(walk->range.data + at, 0, &abstract);
        peer__buffer_append(&walk->abstracts, &abstract, sizeof(abstract));
    }
}

/* One message holds the answer; what does not fit is left to the next comparison. */
static int has_room_to_advertise(const struct walk *walk)
{
    size_t size = ADVERTISE_HEAD_SIZE + count_of(&walk->result, sizeof(struct wire_hash_boundary)) * BOUNDARY_SIZE +
                  count_of(&walk->abstracts, sizeof(struct wire_abstract)) * ABSTRACT_SIZE;
    return size + BOUNDARY_SIZE + walk->range.size <= MESSAGE_SIZE_MAX;
}

/* Range i reaches from behind the upper end of range i-1 to its own (11.4). */
static peer_status close_their_range(struct walk *walk)
{
    const struct wire_hash_entry *entries = (const void *)walk->ranges.data;
    const struct wire_hash_entry *entry = &entries[walk->at];
    uint8_t hash[16];
    PEER_TRY(hash_range(walk, hash));
    if (memcmp(hash, entry->hash, sizeof(hash)) != 0 && has_room_to_advertise(walk)) {
        struct wire_hash_boundary boundary = {.modified_upper = entry->modified,
                                              .record_id_upper = entry->record_id,
                                              .count = (uint32_t)(walk->range.size / ABSTRACT_SIZE)};
        if (walk->at > 0) {
            boundary.modified_lower = entry[-1].modified;
            boundary.record_id_lower = entry[-1].record_id;
        }
        peer__buffer_append(&walk->result, &boundary, sizeof(boundary));
        append_range_abstracts(walk);
    }
    peer__buffer_clear(&walk->range);
    walk->at++;
    return PEER_OK;
}

static size_t their_range_count(const struct walk *walk)
{
    return count_of(&walk->ranges, sizeof(struct wire_hash_entry));
}

/* Puts the row at hand into its range, for which those before are closed. It stays at hand if they are too many for one
 * step. */
static peer_status place_row(struct walk *walk)
{
    const struct wire_hash_entry *entries = (const void *)walk->ranges.data;
    const struct store_row *row = &walk->row;
    size_t count = their_range_count(walk);
    while (walk->at < count &&
           is_after(row->modified, &row->id, entries[walk->at].modified, &entries[walk->at].record_id)) {
        if (walk->closes_left == 0)
            return PEER_OK;
        walk->closes_left--;
        PEER_TRY(close_their_range(walk));
    }
    walk->has_row = 0;
    if (walk->at < count) /* beyond the last range there is nothing to compare; a plain peer may end early */
        append_abstract(&walk->range, row);
    return PEER_OK;
}

static int advertise_row(void *context, const struct store_row *row)
{
    struct walk *walk = context;
    if (peer__time_is_expired(walk->link->graph, &row->type, row->expires))
        return 0;
    walk->row = *row;
    walk->row.creator_id = walk->row.wire = (struct span){0}; /* gone after this call */
    walk->has_row = 1;
    if (place_row(walk) < 0)
        walk->result.failed = 1;
    return walk->has_row || walk->at == their_range_count(walk) || walk->range.failed || walk->result.failed;
}

/* 1: all ranges are closed. */
static peer_status walk_their_ranges(struct walk *walk, int *done_out)
{
    *done_out = 0;
    walk->closes_left = CLOSES_A_STEP;
    if (walk->has_row)
        PEER_TRY(place_row(walk));
    if (!walk->has_row && !walk->at_end)
        PEER_TRY(walk_rows(walk, ROWS_A_STEP, advertise_row, &walk->at_end));
    if (walk->has_row || walk_failed(walk) || (!walk->at_end && walk->at < their_range_count(walk)))
        return PEER_OK;
    for (; walk->at < their_range_count(walk) && walk->closes_left > 0; walk->closes_left--)
        PEER_TRY(close_their_range(walk));
    *done_out = walk->at == their_range_count(walk);
    return PEER_OK;
}

static peer_status step_advertise(struct walk *walk)
{
    struct link *link = walk->link;
    int done;
    PEER_TRY(walk_their_ranges(walk, &done));
    if (!done || walk_failed(walk))
        return PEER_OK;
    peer__encode_advertise(&link->engine->message, (const void *)walk->result.data,
                           count_of(&walk->result, sizeof(struct wire_hash_boundary)),
                           (const void *)walk->abstracts.data,
                           count_of(&walk->abstracts, sizeof(struct wire_abstract)));
    peer__sync_walk_free(walk);
    peer__link_send(link);
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------- initiator: REQUEST */

/* The abstracts of all ranges follow one another; each boundary says how many are its own. */
static int take_boundaries(struct walk *walk, const struct wire_advertise *message)
{
    size_t end = 0;
    for (size_t range = 0; range < message->boundary_count; range++) {
        struct wire_hash_boundary boundary;
        peer__wire_boundary(message, range, &boundary);
        if (boundary.count > message->abstract_count - end)
            return 0;
        end += boundary.count;
        boundary.count = (uint32_t)end;
        peer__buffer_append(&walk->ranges, &boundary, sizeof(boundary));
    }
    return end == message->abstract_count;
}

void peer__sync_hash_on_advertise(struct link *link, const struct wire_advertise *message)
{
    struct walk *walk = &link->walk;
    if (link->sync.type != SYNC_HASH || walk->kind != WALK_NONE || link->sync.advertised) { /* 5.9 */
        peer__link_violation(link, "ADVERTISE without SOLICIT_HASH");
        return;
    }
    if (message->boundary_count > link->sync.range_count) {
        peer__link_violation(link, "ADVERTISE has more ranges than were solicited");
        return;
    }
    if (!take_boundaries(walk, message)) {
        peer__link_violation(link, "the counts of ADVERTISE do not add up");
        return;
    }
    if (peer__advertised_take(&walk->theirs, message, &link->engine->config.random) < 0) {
        peer__link_out_of_memory(link);
        return;
    }
    link->sync.advertised = 1;
    walk->range_at = 0;
    start_walk(link, walk, WALK_REQUEST);
}

static int note_version(void *context, const struct store_row *row)
{
    *(int64_t *)context = row->version;
    return 1;
}

/* The range of the advertised record that is next. */
static size_t range_of_next(struct walk *walk)
{
    const struct wire_hash_boundary *ranges = (const void *)walk->ranges.data;
    while (walk->at >= ranges[walk->range_at].count)
        walk->range_at++;
    return walk->range_at;
}

/* decisions.md 8: the held version is compared wherever the record stands. */
static peer_status step_request(struct walk *walk)
{
    struct store *store = walk->link->graph->store;
    for (size_t i = 0; i < ROWS_A_STEP && walk->at < walk->theirs.count; i++, walk->at++) {
        int64_t held = -1; /* the version of a foreign record may be 0 */
        struct wire_abstract theirs;
        peer__advertised_at(&walk->theirs, walk->at, &theirs);
        peer__advertised_note(&walk->theirs, walk->at, range_of_next(walk));
        peer_status status = store->operations->get(store, &theirs.record_id, 0, note_version, &held);
        if (status < 0 && status != PEER_E_RECORD_NOT_FOUND)
            return status;
        if (held < theirs.version)
            peer__buffer_append(&walk->abstracts, &theirs, sizeof(theirs));
    }
    if (walk->at == walk->theirs.count)
        start_walk(walk->link, walk, WALK_COMPARE);
    return PEER_OK;
}

/* A record of ours in an advertised range goes over unless that very version was advertised there (decisions.md 8). */
static int compare_row(void *context, const struct store_row *row)
{
    struct walk *walk = context;
    struct buffer *send = &walk->link->sync.send;
    const struct wire_hash_boundary *ranges = (const void *)walk->ranges.data;
    size_t count = count_of(&walk->ranges, sizeof(*ranges));
    while (walk->at < count &&
           is_after(row->modified, &row->id, ranges[walk->at].modified_upper, &ranges[walk->at].record_id_upper))
        walk->at++;
    if (walk->at == count)
        return 1;
    const struct wire_hash_boundary *range = &ranges[walk->at];
    int inside = (range->modified_lower == 0 && peer__guid_is_zero(&range->record_id_lower)) ||
                 is_after(row->modified, &row->id, range->modified_lower, &range->record_id_lower);
    struct wire_abstract ours = {.record_id = row->id, .version = row->version};
    if (inside && !peer__time_is_expired(walk->link->graph, &row->type, row->expires) &&
        !peer__advertised_has(&walk->theirs, &ours, walk->at))
        peer__buffer_append(send, &ours, sizeof(ours));
    return send->failed;
}

static peer_status step_compare(struct walk *walk)
{
    struct link *link = walk->link;
    int end = 0;
    PEER_TRY(walk_rows(walk, ROWS_A_STEP, compare_row, &end));
    if (!end && walk->at < count_of(&walk->ranges, sizeof(struct wire_hash_boundary)))
        return PEER_OK;
    if (walk_failed(walk))
        return PEER_OK;
    peer__encode_request(&link->engine->message, (const void *)walk->abstracts.data,
                         count_of(&walk->abstracts, sizeof(struct wire_abstract)));
    peer__sync_walk_free(walk);
    peer__link_send(link);
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------- responder: FLOODs */

void peer__sync_hash_on_request(struct link *link, const struct wire_request *message)
{
    struct answer *answer = &link->answer;
    if (link->answered != SYNC_HASH || peer__sync_is_answering(link)) { /* 5.10 */
        peer__link_violation(link, "REQUEST without SOLICIT_HASH");
        return;
    }
    *answer = (struct answer){.kind = ANSWER_IDS};
    for (size_t i = 0; i < message->abstract_count; i++) {
        struct wire_abstract abstract;
        peer__wire_abstract(message->abstracts, i, &abstract);
        peer__buffer_append(&answer->ids, &abstract, sizeof(abstract));
    }
    if (answer->ids.failed)
        peer__link_out_of_memory(link);
    else
        peer__link_pump(link);
}

static void step(struct link *link, struct walk *walk)
{
    peer_status status = PEER_OK;
    switch (walk->kind) {
    case WALK_SOLICIT:
        status = step_solicit(walk);
        break;
    case WALK_ADVERTISE:
        status = step_advertise(walk);
        break;
    case WALK_REQUEST:
        status = step_request(walk);
        break;
    case WALK_COMPARE:
        status = step_compare(walk);
        break;
    case WALK_NONE:
        return;
    }
    if (walk_failed(walk))
        peer__link_out_of_memory(link);
    else if (status < 0)
        peer__link_end(link, status, "the database could not be compared with that of \"%s\": %s", link->address_text,
                       peer__last_error());
    else if (link->state == LINK_CONNECTED && walk->kind != WALK_NONE)
        peer__engine_timer_set(link->engine, &link->step, 0);
}

void peer__sync_hash_step(struct link *link)
{
    step(link, &link->walk);
    if (link->state == LINK_CONNECTED)
        step(link, &link->answer_walk);
}
