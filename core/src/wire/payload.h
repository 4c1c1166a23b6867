/** Payloads of the four internal record types (MS-PPGRH 2.2.3; spec 6.3 to 6.5). Strings are UTF-16BE with terminator, or empty. */
#ifndef PEER_WIRE_PAYLOAD_H
#define PEER_WIRE_PAYLOAD_H

#include "base/address.h"
#include "base/bytes.h"

#define GRAPH_INFO_FLAG_DEFER_EXPIRATION 0x2u
#define PRESENCE_MAX_ALL UINT32_MAX
#define PRESENCE_LIFETIME_MIN_S 300u
/** Addresses in one contact or presence record that we read; more is invalid (decisions.md 14 takes four of them). */
#define PAYLOAD_ADDRESS_MAX 16u

struct graph_info {
    uint32_t flags;
    uint32_t scope;
    struct span graph_id;
    struct span creator_id;
    struct span friendly_name;
    struct span comment;
    uint32_t presence_lifetime_s; /* 0 means 300 */
    uint32_t presence_max;        /* PRESENCE_MAX_ALL: all */
    uint32_t record_size_max;     /* 0 means RECORD_SIZE_MAX */
};

struct contact {
    uint64_t signature;
    uint64_t node_id;
    size_t address_count;
    struct address addresses[PAYLOAD_ADDRESS_MAX];
};

struct presence {
    uint64_t node_id;
    struct span attributes;
    size_t address_count;
    struct address addresses[PAYLOAD_ADDRESS_MAX];
};

void peer__graph_info_encode(struct buffer *out, const struct graph_info *info);
/** PEER_E_INVALID_RECORD if a rule of 6.3 does not hold; spans point into `payload`. */
peer_status peer__graph_info_decode(struct span payload, struct graph_info *info_out);
void peer__signature_encode(struct buffer *out, uint64_t signature);
peer_status peer__signature_decode(struct span payload, uint64_t *signature_out);
void peer__contact_encode(struct buffer *out, const struct contact *contact);
peer_status peer__contact_decode(struct span payload, struct contact *contact_out);
void peer__presence_encode(struct buffer *out, const struct presence *presence);
peer_status peer__presence_decode(struct span payload, struct presence *presence_out);

#endif
