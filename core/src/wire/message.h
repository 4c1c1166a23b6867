/**
 * The fourteen messages (MS-PPGRH 2.2.2; spec part 5), and two of ours (docs/extensions.md). Decoding enforces every "must hold" of part 5 that the bytes alone
 * decide and fails with PEER_E_INVALID_RECORD, upon which the connection ends; what depends on the state of a link is the
 * engine's. Spans and arrays of a decoded message point into the bytes that were given.
 */
#ifndef PEER_WIRE_MESSAGE_H
#define PEER_WIRE_MESSAGE_H

#include "base/address.h"
#include "base/bytes.h"
#include "wire/extension.h"
#include "wire/limits.h"

#define MESSAGE_HEADER_SIZE 8u
#define PROTOCOL_VERSION_MESSAGE 0x10u

enum message_type {
    MESSAGE_AUTH_INFO = 0x01,
    MESSAGE_CONNECT = 0x02,
    MESSAGE_WELCOME = 0x03,
    MESSAGE_REFUSE = 0x04,
    MESSAGE_DISCONNECT = 0x05,
    MESSAGE_SOLICIT_NEW = 0x06,
    MESSAGE_SOLICIT_TIME = 0x07,
    MESSAGE_SOLICIT_HASH = 0x08,
    MESSAGE_ADVERTISE = 0x09,
    MESSAGE_REQUEST = 0x0A,
    MESSAGE_FLOOD = 0x0B,
    MESSAGE_SYNC_END = 0x0C,
    MESSAGE_PT2PT = 0x0D,
    MESSAGE_ACK = 0x0E,
    MESSAGE_COMPARE = 0x21, /* ours, only to those who announced it */
    MESSAGE_DIFFER = 0x22
};

enum connection_type { CONNECTION_NEIGHBOUR = 1, CONNECTION_DIRECT = 2 };
enum refuse_code { REFUSE_BUSY = 1, REFUSE_ALREADY_CONNECTED = 2, REFUSE_DUPLICATE = 3, REFUSE_DIRECT_DISALLOWED = 4 };
enum disconnect_reason { DISCONNECT_LEAVING = 1, DISCONNECT_LEAST_USEFUL = 2, DISCONNECT_APPLICATION = 3 };

#define CONNECT_FLAG_UPDATE 0x08u
#define CONNECT_FLAG_DIRECT 0x04u
#define CONNECT_FLAG_NEIGHBOURS 0x01u

extern const peer_guid peer__data_type_ping; /* 2.2.4.1 */

/** Addresses as they stand in a message: `count` times 20 bytes. Entries of another family than IPv6 are skipped. */
struct wire_addresses {
    const uint8_t *data;
    size_t count;
};
/** Reads entry `index` (below count): 1, or 0 if its family is not 0x0017 or its port is 0. */
int peer__wire_address(const struct wire_addresses *addresses, size_t index, struct address *address_out);

/** Text of a message is UTF-8 without its terminator here; `data` is NULL if the text is absent. */
struct wire_auth_info {
    uint8_t connection_type;
    struct span graph_id;
    struct span source_peer_id;
    struct span destination_peer_id;
};
struct wire_connect {
    uint8_t flags;
    uint64_t node_id;
    struct wire_addresses addresses;
    struct span friendly_name;
    struct wire_extensions extensions;
};
struct wire_welcome {
    uint64_t node_id;
    uint64_t peer_time;
    struct wire_addresses referrals;
    struct span peer_id;
    struct span friendly_name;
    struct wire_extensions extensions;
};
struct wire_refuse { /* REFUSE and DISCONNECT have one layout */
    uint8_t code;
    struct wire_addresses referrals;
};
struct wire_solicit { /* SOLICIT_NEW, _TIME and _HASH */
    uint8_t inclusion_count;
    uint8_t exclusion_count;
    const uint8_t *types; /* 16 bytes each */
    uint64_t since;       /* _TIME */
    uint32_t hash_count;  /* _HASH */
    const uint8_t *hashes;
};
struct wire_hash_entry { /* 2.2.1.7 */
    uint8_t hash[16];
    uint64_t modified;
    peer_guid record_id;
};
struct wire_hash_boundary { /* 2.2.1.8 */
    uint64_t modified_lower;
    peer_guid record_id_lower;
    uint64_t modified_upper;
    peer_guid record_id_upper;
    uint32_t count;
};
struct wire_abstract { /* 2.2.1.6 */
    peer_guid record_id;
    uint32_t version;
};
struct wire_advertise {
    uint32_t boundary_count;
    const uint8_t *boundaries;
    uint32_t abstract_count;
    const uint8_t *abstracts;
};
struct wire_request {
    uint32_t abstract_count;
    const uint8_t *abstracts;
};
struct wire_flood {
    struct span record; /* not decoded */
};
struct wire_sync_end {
    uint8_t final;
};
struct wire_pt2pt {
    peer_guid data_type;
    struct span data;
};
struct wire_ack {
    uint16_t count;
    const uint8_t *entries;
};
struct wire_ack_entry {
    peer_guid record_id;
    uint8_t useful;
};

/* COMPARE asks about ranges of records in the order (modification time, record id); DIFFER answers. */

/** Above COMPARE and DIFFER, of ours and of theirs. */
#define COMPARE_RANGES_MAX 256u
#define DIFFER_SIZE_MAX (128u * 1024)

/** A place in that order, before the record of this time and id if there is one. Short if the id ends in zeros. */
struct wire_bound {
    uint64_t modified;
    peer_guid record_id;
};
int peer__bound_compare(const struct wire_bound *a, const struct wire_bound *b);

/** From `lower` on, up to and without what begins at `upper`. */
struct wire_range {
    struct wire_bound lower;
    struct wire_bound upper;
    uint8_t lists; /* 1: the records are asked for; 0: whether their fingerprint is this one */
    uint8_t fingerprint[16];
};
struct wire_compare {
    uint64_t cutoff; /* of records that expire up to then nobody speaks */
    uint16_t range_count;
    struct span ranges;
};

enum difference_kind {
    DIFFERENCE_UNKNOWN = 0, /* another fingerprint */
    DIFFERENCE_LIST = 1,    /* these are the records */
    DIFFERENCE_PART = 2     /* these are the records before `upper` */
};
struct wire_difference {
    uint16_t index; /* of the range in COMPARE */
    uint8_t kind;
    struct wire_bound upper;
    uint16_t listed_count;
    const uint8_t *listed;
};
struct wire_listed {
    peer_guid record_id;
    uint32_t version;
    uint8_t digest[8]; /* the first bytes of the element */
};
struct wire_differ {
    uint16_t difference_count;
    struct span differences;
};

struct wire_message {
    uint8_t type; /* enum message_type */
    union {
        struct wire_auth_info auth_info;
        struct wire_connect connect;
        struct wire_welcome welcome;
        struct wire_refuse refuse;
        struct wire_refuse disconnect;
        struct wire_solicit solicit;
        struct wire_advertise advertise;
        struct wire_request request;
        struct wire_flood flood;
        struct wire_sync_end sync_end;
        struct wire_pt2pt pt2pt;
        struct wire_ack ack;
        struct wire_compare compare;
        struct wire_differ differ;
    } as;
};

/** Decodes one whole message. PEER_E_INVALID_RECORD with a line that names the message and the rule. */
peer_status peer__message_decode(struct span bytes, struct wire_message *message_out);
const char *peer__message_name(uint8_t type);

/** Entries of arrays by index (below the count). */
void peer__wire_type(const struct wire_solicit *solicit, size_t index, peer_guid *type_out);
void peer__wire_hash_entry(const struct wire_solicit *solicit, size_t index, struct wire_hash_entry *entry_out);
void peer__wire_boundary(const struct wire_advertise *advertise, size_t index, struct wire_hash_boundary *boundary_out);
void peer__wire_abstract(const uint8_t *abstracts, size_t index, struct wire_abstract *abstract_out);
void peer__wire_ack_entry(const struct wire_ack *ack, size_t index, struct wire_ack_entry *entry_out);
/** Entries of different sizes are read one after the other: 0 if there is none left or it does not parse, which a decoded
 *  message rules out. `range` is the one before, zero for the first: ranges may begin where it ended. */
int peer__wire_next_range(struct reader *reader, struct wire_range *range);
int peer__wire_next_difference(struct reader *reader, struct wire_difference *difference_out);
void peer__wire_listed(const uint8_t *listed, size_t index, struct wire_listed *listed_out);

/* Encoders append one whole message, unframed. They cannot fail but for memory (buffer->failed). Texts are UTF-8 spans
 * without terminator; an absent one has data NULL. Extensions may be NULL: none. Counts beyond a field's width are the caller's defect (asserted). */
void peer__encode_auth_info(struct buffer *out, uint8_t connection_type, struct span graph_id,
                            struct span source_peer_id, struct span destination_peer_id);
void peer__encode_connect(struct buffer *out, uint8_t flags, uint64_t node_id, const struct address *addresses,
                          size_t address_count, struct span friendly_name, const struct wire_extensions *extensions);
void peer__encode_welcome(struct buffer *out, uint64_t node_id, uint64_t peer_time, const struct address *referrals,
                          size_t referral_count, struct span peer_id, struct span friendly_name,
                          const struct wire_extensions *extensions);
void peer__encode_refuse(struct buffer *out, uint8_t code, const struct address *referrals, size_t referral_count);
void peer__encode_disconnect(struct buffer *out, uint8_t reason, const struct address *referrals,
                             size_t referral_count);
/** Exactly one of the counts may be non-zero; inclusion is 0 or 1. */
void peer__encode_solicit_new(struct buffer *out, size_t inclusion_count, size_t exclusion_count,
                              const peer_guid *types);
void peer__encode_solicit_time(struct buffer *out, size_t inclusion_count, size_t exclusion_count,
                               const peer_guid *types, uint64_t since);
void peer__encode_solicit_hash(struct buffer *out, const struct wire_hash_entry *entries, size_t entry_count);
void peer__encode_advertise(struct buffer *out, const struct wire_hash_boundary *boundaries, size_t boundary_count,
                            const struct wire_abstract *abstracts, size_t abstract_count);
/** An empty one is padded to 20 bytes (D-06). */
void peer__encode_request(struct buffer *out, const struct wire_abstract *abstracts, size_t abstract_count);
void peer__encode_flood(struct buffer *out, struct span record);
void peer__encode_sync_end(struct buffer *out); /* final (D-08) */
void peer__encode_pt2pt(struct buffer *out, const peer_guid *data_type, struct span data);
void peer__encode_ack(struct buffer *out, const struct wire_ack_entry *entries, size_t entry_count);
/** In their order, at most COMPARE_RANGES_MAX (asserted). */
void peer__encode_compare(struct buffer *out, uint64_t cutoff, const struct wire_range *ranges, size_t range_count);
/** `differences` are entries that peer__encode_difference made, `difference_count` of them. */
void peer__encode_differ(struct buffer *out, size_t difference_count, struct span differences);
/** One entry; `difference->listed` is not used. */
void peer__encode_difference(struct buffer *out, const struct wire_difference *difference,
                             const struct wire_listed *listed);

#endif
