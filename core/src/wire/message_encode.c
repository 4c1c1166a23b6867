#include <assert.h>

#include "wire/layout.h"
#include "wire/message.h"

/* 2.2.1.2. Makes room for the whole message first, so that a failed allocation leaves no half of one. */
static void begin(struct buffer *out, uint8_t type, size_t size)
{
    assert(size <= MESSAGE_SIZE_MAX);
    peer__buffer_reserve(out, size);
    peer__buffer_u32(out, (uint32_t)size);
    peer__buffer_u8(out, PROTOCOL_VERSION_MESSAGE);
    peer__buffer_u8(out, type);
    peer__buffer_u16(out, 0); /* Reserved */
}

static void put_offset(struct buffer *out, size_t offset)
{
    assert(offset <= UINT16_MAX);
    peer__buffer_u16(out, (uint16_t)offset);
}

static void put_count(struct buffer *out, size_t count)
{
    assert(count <= UINT8_MAX);
    peer__buffer_u8(out, (uint8_t)count);
}

static void put_count32(struct buffer *out, size_t count)
{
    assert(count <= UINT32_MAX);
    peer__buffer_u32(out, (uint32_t)count);
}

static size_t text_size(struct span text)
{
    return text.data != NULL ? text.size + 1 : 0;
}

static void put_text(struct buffer *out, struct span text)
{
    if (text.data == NULL)
        return;
    peer__buffer_append(out, text.data, text.size);
    peer__buffer_u8(out, 0);
}

static size_t extensions_size(const struct wire_extensions *extensions)
{
    return extensions != NULL ? peer__extensions_size(extensions) : 0;
}

static void put_extensions(struct buffer *out, const struct wire_extensions *extensions)
{
    if (extensions != NULL)
        peer__encode_extensions(out, extensions);
}

/* 2.2.1.3. A scope id means nothing on another machine: it stays here. */
static void put_addresses(struct buffer *out, const struct address *addresses, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        peer__buffer_u16(out, FAMILY_IPV6);
        peer__buffer_u16(out, addresses[i].port);
        peer__buffer_append(out, addresses[i].ip, sizeof(addresses[i].ip));
    }
}

static void put_abstracts(struct buffer *out, const struct wire_abstract *abstracts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        peer__buffer_guid(out, &abstracts[i].record_id);
        peer__buffer_u32(out, abstracts[i].version);
    }
}

/* 2.2.2.1 */
void peer__encode_auth_info(struct buffer *out, uint8_t connection_type, struct span graph_id,
                            struct span source_peer_id, struct span destination_peer_id)
{
    size_t source = AUTH_INFO_FIXED_SIZE + text_size(graph_id);
    size_t destination = source + text_size(source_peer_id);
    begin(out, MESSAGE_AUTH_INFO, destination + text_size(destination_peer_id));
    peer__buffer_u8(out, connection_type);
    peer__buffer_u8(out, 0); /* Reserved2 */
    put_offset(out, AUTH_INFO_FIXED_SIZE);
    put_offset(out, source);
    put_offset(out, destination);
    put_text(out, graph_id);
    put_text(out, source_peer_id);
    put_text(out, destination_peer_id);
}

/* 2.2.2.2 */
void peer__encode_connect(struct buffer *out, uint8_t flags, uint64_t node_id, const struct address *addresses,
                          size_t address_count, struct span friendly_name, const struct wire_extensions *extensions)
{
    size_t list = CONNECT_FIXED_SIZE + extensions_size(extensions);
    size_t name = list + address_count * WIRE_ADDRESS_SIZE;
    begin(out, MESSAGE_CONNECT, name + text_size(friendly_name));
    peer__buffer_u8(out, flags);
    put_count(out, address_count);
    put_offset(out, list);
    put_offset(out, name);
    peer__buffer_u16(out, 0); /* Reserved2 */
    peer__buffer_u64(out, node_id);
    put_extensions(out, extensions);
    put_addresses(out, addresses, address_count);
    put_text(out, friendly_name);
}

/* 2.2.2.3 */
void peer__encode_welcome(struct buffer *out, uint64_t node_id, uint64_t peer_time, const struct address *referrals,
                          size_t referral_count, struct span peer_id, struct span friendly_name,
                          const struct wire_extensions *extensions)
{
    size_t list = WELCOME_FIXED_SIZE + extensions_size(extensions);
    size_t peer = list + referral_count * WIRE_ADDRESS_SIZE;
    size_t name = peer + text_size(peer_id);
    begin(out, MESSAGE_WELCOME, name + text_size(friendly_name));
    peer__buffer_u64(out, node_id);
    peer__buffer_u64(out, peer_time);
    put_count(out, referral_count);
    peer__buffer_u8(out, 0); /* Reserved2 */
    put_offset(out, list);
    put_offset(out, peer);
    put_offset(out, name);
    put_extensions(out, extensions);
    put_addresses(out, referrals, referral_count);
    put_text(out, peer_id);
    put_text(out, friendly_name);
}

/* 2.2.2.4. Without referrals the offset is 0 (3.1.5.2.1). */
void peer__encode_refuse(struct buffer *out, uint8_t code, const struct address *referrals, size_t referral_count)
{
    begin(out, MESSAGE_REFUSE, REFUSE_FIXED_SIZE + referral_count * WIRE_ADDRESS_SIZE);
    peer__buffer_u8(out, code);
    put_count(out, referral_count);
    put_offset(out, referral_count != 0 ? REFUSE_FIXED_SIZE : 0);
    put_addresses(out, referrals, referral_count);
}

/* 2.2.2.5 */
void peer__encode_disconnect(struct buffer *out, uint8_t reason, const struct address *referrals, size_t referral_count)
{
    begin(out, MESSAGE_DISCONNECT, REFUSE_FIXED_SIZE + referral_count * WIRE_ADDRESS_SIZE);
    peer__buffer_u8(out, reason);
    put_count(out, referral_count);
    put_offset(out, REFUSE_FIXED_SIZE);
    put_addresses(out, referrals, referral_count);
}

static void put_types(struct buffer *out, const peer_guid *types, size_t count)
{
    for (size_t i = 0; i < count; i++)
        peer__buffer_guid(out, &types[i]);
}

static void put_type_counts(struct buffer *out, size_t inclusion_count, size_t exclusion_count)
{
    assert(inclusion_count <= 1 && (inclusion_count == 0 || exclusion_count == 0));
    put_count(out, inclusion_count);
    put_count(out, exclusion_count);
}

/* 2.2.2.6 */
void peer__encode_solicit_new(struct buffer *out, size_t inclusion_count, size_t exclusion_count,
                              const peer_guid *types)
{
    size_t count = inclusion_count + exclusion_count;
    begin(out, MESSAGE_SOLICIT_NEW, SOLICIT_NEW_FIXED_SIZE + count * WIRE_TYPE_SIZE);
    put_type_counts(out, inclusion_count, exclusion_count);
    put_offset(out, SOLICIT_NEW_FIXED_SIZE);
    put_types(out, types, count);
}

/* 2.2.2.7 */
void peer__encode_solicit_time(struct buffer *out, size_t inclusion_count, size_t exclusion_count,
                               const peer_guid *types, uint64_t since)
{
    size_t count = inclusion_count + exclusion_count;
    begin(out, MESSAGE_SOLICIT_TIME, SOLICIT_TIME_FIXED_SIZE + count * WIRE_TYPE_SIZE);
    put_type_counts(out, inclusion_count, exclusion_count);
    put_offset(out, SOLICIT_TIME_FIXED_SIZE);
    peer__buffer_u64(out, since);
    put_types(out, types, count);
}

/* 2.2.2.8, for all record types */
void peer__encode_solicit_hash(struct buffer *out, const struct wire_hash_entry *entries, size_t entry_count)
{
    begin(out, MESSAGE_SOLICIT_HASH, SOLICIT_HASH_FIXED_SIZE + entry_count * WIRE_HASH_ENTRY_SIZE);
    put_type_counts(out, 0, 0);
    put_offset(out, SOLICIT_HASH_FIXED_SIZE);
    put_count32(out, entry_count);
    put_offset(out, SOLICIT_HASH_FIXED_SIZE);
    peer__buffer_u16(out, 0); /* Reserved2 */
    for (size_t i = 0; i < entry_count; i++) {
        peer__buffer_append(out, entries[i].hash, sizeof(entries[i].hash));
        peer__buffer_u64(out, entries[i].modified);
        peer__buffer_guid(out, &entries[i].record_id);
    }
}

/* 2.2.2.9 */
void peer__encode_advertise(struct buffer *out, const struct wire_hash_boundary *boundaries, size_t boundary_count,
                            const struct wire_abstract *abstracts, size_t abstract_count)
{
    size_t at = ADVERTISE_FIXED_SIZE + boundary_count * WIRE_BOUNDARY_SIZE;
    begin(out, MESSAGE_ADVERTISE, at + abstract_count * WIRE_ABSTRACT_SIZE);
    put_count32(out, boundary_count);
    put_count32(out, abstract_count);
    put_offset(out, ADVERTISE_FIXED_SIZE);
    peer__buffer_u16(out, 0); /* Reserved2 */
    put_count32(out, at);
    for (size_t i = 0; i < boundary_count; i++) {
        peer__buffer_u64(out, boundaries[i].modified_lower);
        peer__buffer_guid(out, &boundaries[i].record_id_lower);
        peer__buffer_u64(out, boundaries[i].modified_upper);
        peer__buffer_guid(out, &boundaries[i].record_id_upper);
        peer__buffer_u32(out, boundaries[i].count);
    }
    put_abstracts(out, abstracts, abstract_count);
}

/* 2.2.2.10. D-06: 3.1.5.2.9 asks for 20 bytes, which an empty one has only with four of padding. */
void peer__encode_request(struct buffer *out, const struct wire_abstract *abstracts, size_t abstract_count)
{
    begin(out, MESSAGE_REQUEST, abstract_count != 0 ? REQUEST_FIXED_SIZE + abstract_count * WIRE_ABSTRACT_SIZE : 20);
    put_count32(out, abstract_count);
    peer__buffer_u32(out, REQUEST_FIXED_SIZE);
    put_abstracts(out, abstracts, abstract_count);
    if (abstract_count == 0)
        peer__buffer_u32(out, 0);
}

/* 2.2.2.11 */
void peer__encode_flood(struct buffer *out, struct span record)
{
    begin(out, MESSAGE_FLOOD, FLOOD_FIXED_SIZE + record.size);
    put_offset(out, FLOOD_FIXED_SIZE);
    peer__buffer_u16(out, 0); /* Reserved2 */
    peer__buffer_append(out, record.data, record.size);
}

/* 2.2.2.12. D-08: 3.1.5.2.5 also sends some that are not final; receivers ignore them, so nobody needs them. */
void peer__encode_sync_end(struct buffer *out)
{
    begin(out, MESSAGE_SYNC_END, SYNC_END_FIXED_SIZE);
    peer__buffer_u8(out, 0x01);
    peer__buffer_u8(out, 0);  /* Reserved2 */
    peer__buffer_u16(out, 0); /* Reserved3 */
}

/* 2.2.2.13 */
void peer__encode_pt2pt(struct buffer *out, const peer_guid *data_type, struct span data)
{
    begin(out, MESSAGE_PT2PT, PT2PT_FIXED_SIZE + data.size);
    put_offset(out, PT2PT_FIXED_SIZE);
    peer__buffer_u16(out, 0); /* Reserved2 */
    peer__buffer_guid(out, data_type);
    peer__buffer_append(out, data.data, data.size);
}

/* 2.2.2.14 */
void peer__encode_ack(struct buffer *out, const struct wire_ack_entry *entries, size_t entry_count)
{
    assert(entry_count <= UINT16_MAX);
    begin(out, MESSAGE_ACK, ACK_FIXED_SIZE + entry_count * WIRE_ACK_ENTRY_SIZE);
    peer__buffer_u16(out, (uint16_t)entry_count);
    put_offset(out, ACK_FIXED_SIZE);
    for (size_t i = 0; i < entry_count; i++) {
        peer__buffer_guid(out, &entries[i].record_id);
        peer__buffer_u32(out, entries[i].useful != 0);
    }
}

/* ---- ours, docs/extensions.md ---- */

static size_t bound_id_size(const struct wire_bound *bound)
{
    size_t size = sizeof(bound->record_id.bytes);
    while (size > 0 && bound->record_id.bytes[size - 1] == 0)
        size--;
    return size;
}

static void put_bound(struct buffer *out, const struct wire_bound *bound)
{
    size_t size = bound_id_size(bound);
    peer__buffer_u64(out, bound->modified);
    peer__buffer_u8(out, (uint8_t)size);
    peer__buffer_append(out, bound->record_id.bytes, size); /* D-01: the bytes as they are */
}

static void put_range(struct buffer *out, const struct wire_range *range, const struct wire_bound *before)
{
    int follows = peer__bound_compare(&range->lower, before) == 0;
    peer__buffer_u8(out, (uint8_t)((range->lists ? 0x01 : 0) | (follows ? 0x02 : 0)));
    if (!follows)
        put_bound(out, &range->lower);
    put_bound(out, &range->upper);
    if (!range->lists)
        peer__buffer_append(out, range->fingerprint, sizeof(range->fingerprint));
}

void peer__encode_compare(struct buffer *out, uint64_t cutoff, const struct wire_range *ranges, size_t range_count)
{
    struct wire_bound before = {0};
    size_t start = out->size;
    assert(range_count >= 1 && range_count <= COMPARE_RANGES_MAX);
    begin(out, MESSAGE_COMPARE, COMPARE_FIXED_SIZE);
    peer__buffer_u64(out, cutoff);
    peer__buffer_u16(out, (uint16_t)range_count);
    peer__buffer_u16(out, 0); /* Reserved2 */
    for (size_t i = 0; i < range_count; i++) {
        put_range(out, &ranges[i], &before);
        before = ranges[i].upper;
    }
    if (!out->failed)
        peer__buffer_set_u32(out, start, (uint32_t)(out->size - start));
}

void peer__encode_difference(struct buffer *out, const struct wire_difference *difference,
                             const struct wire_listed *listed)
{
    peer__buffer_u16(out, difference->index);
    peer__buffer_u8(out, difference->kind);
    if (difference->kind == DIFFERENCE_UNKNOWN)
        return;
    if (difference->kind == DIFFERENCE_PART)
        put_bound(out, &difference->upper);
    peer__buffer_u16(out, difference->listed_count);
    for (size_t i = 0; i < difference->listed_count; i++) {
        peer__buffer_guid(out, &listed[i].record_id);
        peer__buffer_u32(out, listed[i].version);
        peer__buffer_append(out, listed[i].digest, sizeof(listed[i].digest));
    }
}

void peer__encode_differ(struct buffer *out, size_t difference_count, struct span differences)
{
    assert(difference_count <= COMPARE_RANGES_MAX);
    begin(out, MESSAGE_DIFFER, DIFFER_FIXED_SIZE + differences.size);
    peer__buffer_u16(out, (uint16_t)difference_count);
    peer__buffer_u16(out, 0); /* Reserved2 */
    peer__buffer_append(out, differences.data, differences.size);
}
