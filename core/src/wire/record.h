/** PEER_RECORD (MS-PPGRH 2.2.1.9; spec part 6): decoded once, kept as its wire bytes, immutable and counted. */
#ifndef PEER_WIRE_RECORD_H
#define PEER_WIRE_RECORD_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/crypto.h"

#define RECORD_FLAG_DELETED 0x02u
/** 2.2.1.9: every fixed field. */
#define RECORD_FIXED_SIZE 90u

extern const peer_guid peer__type_graph_info; /* 00000100-… */
extern const peer_guid peer__type_signature;
extern const peer_guid peer__type_contact;
extern const peer_guid peer__type_presence;
extern const peer_guid peer__id_graph_info; /* fixed record ids, 6.2 */
extern const peer_guid peer__id_signature;

/** 1 for the four internal types and the two that grouping reserves (01000000-…, 02000000-…). */
int peer__type_is_reserved(const peer_guid *type);

/** The fields of a record; strings are UTF-16BE with terminator, or empty. The spans belong to somebody else. */
struct record_fields {
    peer_guid type;
    peer_guid id;
    uint32_t version;
    uint32_t flags; /* RECORD_FLAG_DELETED */
    struct span creator_id;
    struct span modifier_id;
    struct span security_data;
    uint64_t created; /* ticks of peer time */
    uint64_t expires;
    uint64_t modified;
    struct span graph_id;
    uint16_t protocol_version; /* 0x0100 */
    struct span payload;
    struct span attributes;
};

/** A record and its wire form in one block; the spans of `fields` point into `wire`. */
struct record {
    atomic_uint references;
    uint32_t wire_size;
    struct record_fields fields;
    uint8_t wire[];
};

/**
 * Reads one record that fills `wire` exactly and copies it. PEER_E_INVALID_RECORD if it does not parse: too short, a
 * length past the end, bytes left over, flags other than deleted, a string whose length is beyond its limit. The rules
 * of 6.8 that need no more than the bytes themselves are in peer__record_check.
 */
peer_status peer__record_decode(struct span wire, struct record **record_out);

/** Encodes fields into a new record. E_INVALIDARG if a length does not fit its field. */
peer_status peer__record_encode(const struct record_fields *fields, struct record **record_out);

struct record *peer__record_retain(struct record *record);
/** NULL is accepted. */
void peer__record_release(struct record *record);

/** Payload bytes and attribute bytes, what the graph's maximum counts (6.8 rule 8). */
size_t peer__record_counted_size(const struct record_fields *fields);

/**
 * Rules 2 to 7 and 9 of 6.8, those that neither the graph nor the attribute schema decides: lengths of ids, well-formed
 * UTF-16, order of the three times, protocol version, tombstones without payload and attributes, no modifier on an
 * unmodified record, and the record id's high half against the creator (fixed ids exempt). PEER_E_INVALID_RECORD.
 */
peer_status peer__record_check(const struct record_fields *fields, const struct crypto *crypto);

/** High 64 bits of every record id of a creator (6.7, D-10): wire bytes of the Creator ID field. */
peer_status peer__record_id_high(const struct crypto *crypto, struct span creator_id, uint8_t high_out[8]);
/** Record id for a creator and 16 random bytes (6.7). */
peer_status peer__record_id_make(const struct crypto *crypto, struct span creator_id, const uint8_t random[16],
                                 peer_guid *id_out);

/** 6.9: above 0 if `a` wins over `b`, below 0 if it loses, 0 if all seven keys are equal. Both have the same id. */
int peer__record_compare(const struct record_fields *a, const struct record_fields *b);

#endif
