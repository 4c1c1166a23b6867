#include "wire/payload.h"

#include <assert.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/layout.h"
#include "wire/limits.h"

#define GRAPH_INFO_FIXED_SIZE 40u

static peer_status invalid(const char *payload, const char *rule)
{
    return peer__fail(PEER_E_INVALID_RECORD, "%s: %s", payload, rule);
}

static void write_text(struct buffer *out, struct span text)
{
    assert(text.size % 2 == 0 && text.size / 2 <= UINT32_MAX);
    peer__buffer_u32(out, (uint32_t)(text.size / 2));
    peer__buffer_append(out, text.data, text.size);
}

/* A length in UTF-16 units and the text, which is absent or well-formed and ends with NUL; else the reader fails. */
static struct span read_text(struct reader *reader, uint32_t units_min, uint32_t units_max)
{
    uint32_t units = peer__read_u32(reader);
    if (units < units_min || units > units_max)
        reader->failed = 1;
    struct span text = peer__read_span(reader, (size_t)units * 2);
    if (text.size != 0 && !peer__utf16_is_valid(text))
        reader->failed = 1;
    return text;
}

/* 2.2.3.1 */
void peer__graph_info_encode(struct buffer *out, const struct graph_info *info)
{
    size_t size = GRAPH_INFO_FIXED_SIZE + info->graph_id.size + info->creator_id.size + info->friendly_name.size +
                  info->comment.size;
    assert(size <= UINT32_MAX);
    peer__buffer_u32(out, (uint32_t)size);
    peer__buffer_u32(out, info->flags & GRAPH_INFO_FLAG_DEFER_EXPIRATION);
    peer__buffer_u32(out, info->scope);
    write_text(out, info->graph_id);
    write_text(out, info->creator_id);
    write_text(out, info->friendly_name);
    write_text(out, info->comment);
    peer__buffer_u32(out, info->presence_lifetime_s);
    peer__buffer_u32(out, info->presence_max);
    peer__buffer_u32(out, info->record_size_max);
}

/* Bytes after the known part are accepted, here and below: 1.7 allows for additions there. */
peer_status peer__graph_info_decode(struct span payload, struct graph_info *info_out)
{
    static const char name[] = "graph info";
    struct reader outer = peer__reader(payload);
    uint32_t size = peer__read_u32(&outer);
    if (outer.failed || size > payload.size)
        return invalid(name, "Size is beyond the payload");
    struct reader reader = peer__reader((struct span){payload.data, size});
    peer__read_skip(&reader, 4);

    struct graph_info info;
    info.flags = peer__read_u32(&reader) & GRAPH_INFO_FLAG_DEFER_EXPIRATION;
    info.scope = peer__read_u32(&reader);
    info.graph_id = read_text(&reader, 2, ID_UNITS_MAX);
    info.creator_id = read_text(&reader, 2, ID_UNITS_MAX);
    info.friendly_name = read_text(&reader, 0, ID_UNITS_MAX);
    info.comment = read_text(&reader, 0, COMMENT_UNITS_MAX);
    info.presence_lifetime_s = peer__read_u32(&reader);
    info.presence_max = peer__read_u32(&reader);
    info.record_size_max = peer__read_u32(&reader);
    if (reader.failed)
        return invalid(name, "a text is too short, too long or ill-formed, or a field lies past the end");
    if (info.scope < 1 || info.scope > 3)
        return invalid(name, "Scope is not 1 to 3");
    if (info.presence_lifetime_s != 0 && info.presence_lifetime_s < PRESENCE_LIFETIME_MIN_S)
        return invalid(name, "Presence Lifetime is below 300 s");
    if (info.record_size_max != 0 &&
        (info.record_size_max < RECORD_SIZE_MIN_LIMIT || info.record_size_max > RECORD_SIZE_MAX))
        return invalid(name, "Max Record Size is not 1024 to 62914560");
    *info_out = info;
    return PEER_OK;
}

/* 2.2.3.2 */
void peer__signature_encode(struct buffer *out, uint64_t signature)
{
    peer__buffer_u64(out, signature);
}

peer_status peer__signature_decode(struct span payload, uint64_t *signature_out)
{
    struct reader reader = peer__reader(payload);
    uint64_t signature = peer__read_u64(&reader);
    if (reader.failed)
        return invalid("signature", "shorter than 8 bytes");
    *signature_out = signature;
    return PEER_OK;
}

/* Number of Addresses and PEER_ADDRESS array (2.2.1.5). The scope id of an address means nothing elsewhere: it is 0. */
static void write_addresses(struct buffer *out, const struct address *addresses, size_t count)
{
    assert(count <= PAYLOAD_ADDRESS_MAX);
    peer__buffer_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        peer__buffer_u32(out, WIRE_RECORD_ADDRESS_SIZE);
        peer__buffer_u16(out, FAMILY_IPV6);
        peer__buffer_u16(out, addresses[i].port);
        peer__buffer_u32(out, 0); /* Flow Info */
        peer__buffer_append(out, addresses[i].ip, sizeof(addresses[i].ip));
        peer__buffer_u32(out, 0); /* Zero */
    }
}

/* Leaves out what cannot be dialled: another family than IPv6, or port 0. Another Size fails the reader. */
static void read_addresses(struct reader *reader, struct address addresses[PAYLOAD_ADDRESS_MAX], size_t *count_out)
{
    uint32_t count = peer__read_u32(reader);
    if (count > PAYLOAD_ADDRESS_MAX)
        reader->failed = 1;
    *count_out = 0;
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        if (peer__read_u32(reader) != WIRE_RECORD_ADDRESS_SIZE)
            reader->failed = 1;
        uint16_t family = peer__read_u16(reader);
        struct address address = {.port = peer__read_u16(reader)};
        peer__read_skip(reader, 4); /* Flow Info */
        for (size_t byte = 0; byte < sizeof(address.ip); byte++)
            address.ip[byte] = peer__read_u8(reader);
        peer__read_skip(reader, 4); /* Zero */
        if (family == FAMILY_IPV6 && address.port != 0)
            addresses[(*count_out)++] = address;
    }
}

/* 2.2.3.3 */
void peer__contact_encode(struct buffer *out, const struct contact *contact)
{
    peer__buffer_u64(out, contact->signature);
    peer__buffer_u64(out, contact->node_id);
    write_addresses(out, contact->addresses, contact->address_count);
}

peer_status peer__contact_decode(struct span payload, struct contact *contact_out)
{
    struct reader reader = peer__reader(payload);
    struct contact contact = {.signature = peer__read_u64(&reader)};
    contact.node_id = peer__read_u64(&reader);
    read_addresses(&reader, contact.addresses, &contact.address_count);
    if (reader.failed)
        return invalid("contact", "a field lies past the end, or an address is not 32 bytes, or there are too many");
    *contact_out = contact;
    return PEER_OK;
}

/* 2.2.3.4 */
void peer__presence_encode(struct buffer *out, const struct presence *presence)
{
    peer__buffer_u64(out, presence->node_id);
    write_text(out, presence->attributes);
    write_addresses(out, presence->addresses, presence->address_count);
}

peer_status peer__presence_decode(struct span payload, struct presence *presence_out)
{
    struct reader reader = peer__reader(payload);
    struct presence presence = {.node_id = peer__read_u64(&reader)};
    presence.attributes = read_text(&reader, 0, RECORD_SIZE_MAX / 2);
    read_addresses(&reader, presence.addresses, &presence.address_count);
    if (reader.failed)
        return invalid("presence", "a field lies past the end, the attributes are no text, an address is not 32 "
                                   "bytes, or there are too many");
    *presence_out = presence;
    return PEER_OK;
}
