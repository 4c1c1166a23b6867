#include <assert.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/layout.h"
#include "wire/message.h"

/* 2.2.4.1 */
const peer_guid peer__data_type_ping = {
    {0x0c, 0xcb, 0xb0, 0xd2, 0xbe, 0x41, 0x4b, 0xd6, 0x91, 0x4b, 0x05, 0x8e, 0xc5, 0xdc, 0xce, 0x64}};

/* A message under the knife: `reader` stands behind the common header. */
struct decoder {
    struct span bytes;
    struct reader reader;
    size_t fixed_size;
    const char *name;
};

static peer_status must(const struct decoder *decoder, int holds, const char *rule)
{
    if (holds)
        return PEER_OK;
    return peer__fail(PEER_E_INVALID_RECORD, "%s of %zu bytes: %s", decoder->name, decoder->bytes.size, rule);
}

/* `count` entries at `offset`, behind the fixed part and not beyond `end`. Without entries the offset need not be behind
 * the fixed part (3.1.5.2.1 sends 0), but is still held to `end`, as everywhere in 3.1.5.2. */
static peer_status take_array(const struct decoder *decoder, uint64_t offset, uint64_t count, uint64_t entry_size,
                              uint64_t end, const uint8_t **entries_out)
{
    PEER_TRY(must(decoder, count == 0 || offset >= decoder->fixed_size, "an array begins inside the fixed part"));
    PEER_TRY(
        must(decoder, end <= decoder->bytes.size && offset + count * entry_size <= end, "an array reaches too far"));
    *entries_out = decoder->bytes.data + offset;
    return PEER_OK;
}

static peer_status take_addresses(const struct decoder *decoder, size_t offset, size_t count,
                                  struct wire_addresses *addresses_out)
{
    addresses_out->count = count;
    return take_array(decoder, offset, count, WIRE_ADDRESS_SIZE, decoder->bytes.size, &addresses_out->data);
}

/* The UTF-8 text that lies within `offset` and `end` and ends there with a NUL. D-31: as long as such a text may be. */
static peer_status take_text(const struct decoder *decoder, size_t offset, size_t end, struct span *text_out)
{
    PEER_TRY(must(decoder, offset >= decoder->fixed_size, "a text begins inside the fixed part"));
    assert(offset < end && end <= decoder->bytes.size); /* the callers have put the offsets in order */
    const uint8_t *text = decoder->bytes.data + offset;
    const uint8_t *terminator = memchr(text, 0, end - offset);
    PEER_TRY(must(decoder, terminator != NULL, "a text has no terminator"));
    size_t units = peer__utf16_units((const char *)text);
    PEER_TRY(must(decoder, units != SIZE_MAX, "a text is not UTF-8"));
    PEER_TRY(must(decoder, units < ID_UNITS_MAX, "a text is longer than 255 characters"));
    *text_out = (struct span){text, (size_t)(terminator - text)};
    return PEER_OK;
}

/* The last text of a message, which is absent if its offset is the message's end. */
static peer_status take_last_text(const struct decoder *decoder, size_t offset, struct span *text_out)
{
    *text_out = (struct span){0};
    return offset == decoder->bytes.size ? PEER_OK : take_text(decoder, offset, decoder->bytes.size, text_out);
}

/* 2.2.2.1; 3.1.5.1.1. Whether graph and peer are ours is the engine's question. */
static peer_status decode_auth_info(struct decoder *decoder, struct wire_message *message)
{
    struct wire_auth_info *info = &message->as.auth_info;
    info->connection_type = peer__read_u8(&decoder->reader);
    peer__read_skip(&decoder->reader, 1); /* Reserved2 */
    size_t graph = peer__read_u16(&decoder->reader);
    size_t source = peer__read_u16(&decoder->reader);
    size_t destination = peer__read_u16(&decoder->reader);
    PEER_TRY(must(decoder, info->connection_type == CONNECTION_NEIGHBOUR || info->connection_type == CONNECTION_DIRECT,
                  "Connection Type is not 1 or 2"));
    PEER_TRY(must(decoder, graph < source && source < destination && destination <= decoder->bytes.size,
                  "the offsets of the texts are out of order"));
    PEER_TRY(take_text(decoder, graph, source, &info->graph_id));
    PEER_TRY(take_text(decoder, source, destination, &info->source_peer_id));
    PEER_TRY(take_last_text(decoder, destination, &info->destination_peer_id));
    PEER_TRY(must(decoder, info->graph_id.size != 0, "Graph ID is empty"));
    PEER_TRY(must(decoder, info->source_peer_id.size != 0, "Source Peer ID is empty"));
    return must(decoder, info->destination_peer_id.data == NULL || info->destination_peer_id.size != 0,
                "Destination Peer ID is empty");
}

/* What lies between the fixed part and the addresses, which were found to be within the message. Without addresses their
 * offset may also be 0. */
static struct span extension_block(const struct decoder *decoder, size_t addresses)
{
    if (addresses < decoder->fixed_size)
        return (struct span){0};
    return (struct span){decoder->bytes.data + decoder->fixed_size, addresses - decoder->fixed_size};
}

/* 2.2.2.2; 3.1.5.2.1. Between the fixed part and Address Offset anything may lie (1.7): there is the extension block. */
static peer_status decode_connect(struct decoder *decoder, struct wire_message *message)
{
    struct wire_connect *connect = &message->as.connect;
    connect->flags =
        peer__read_u8(&decoder->reader) & (CONNECT_FLAG_UPDATE | CONNECT_FLAG_DIRECT | CONNECT_FLAG_NEIGHBOURS);
    size_t count = peer__read_u8(&decoder->reader);
    size_t addresses = peer__read_u16(&decoder->reader);
    size_t name = peer__read_u16(&decoder->reader);
    peer__read_skip(&decoder->reader, 2); /* Reserved2 */
    connect->node_id = peer__read_u64(&decoder->reader);
    PEER_TRY(take_addresses(decoder, addresses, count, &connect->addresses));
    peer__decode_extensions(extension_block(decoder, addresses), &connect->extensions);
    PEER_TRY(must(decoder, name >= addresses + count * WIRE_ADDRESS_SIZE, "Friendly Name begins inside the addresses"));
    PEER_TRY(must(decoder, name <= decoder->bytes.size, "Friendly Name Offset is past the end"));
    return take_last_text(decoder, name, &connect->friendly_name);
}

/* 2.2.2.3; 3.1.5.2.2. As in CONNECT an extension block may precede the addresses. */
static peer_status decode_welcome(struct decoder *decoder, struct wire_message *message)
{
    struct wire_welcome *welcome = &message->as.welcome;
    welcome->node_id = peer__read_u64(&decoder->reader);
    welcome->peer_time = peer__read_u64(&decoder->reader);
    size_t count = peer__read_u8(&decoder->reader);
    peer__read_skip(&decoder->reader, 1); /* Reserved2 */
    size_t addresses = peer__read_u16(&decoder->reader);
    size_t peer_id = peer__read_u16(&decoder->reader);
    size_t name = peer__read_u16(&decoder->reader);
    size_t end = addresses + count * WIRE_ADDRESS_SIZE;
    PEER_TRY(take_addresses(decoder, addresses, count, &welcome->referrals));
    peer__decode_extensions(extension_block(decoder, addresses), &welcome->extensions);
    PEER_TRY(must(decoder, end < decoder->bytes.size, "nothing follows the addresses"));
    PEER_TRY(must(decoder, peer_id >= end, "Peer ID begins inside the addresses"));
    PEER_TRY(must(decoder, name > peer_id, "Friendly Name Offset is not behind Peer ID Offset"));
    PEER_TRY(must(decoder, name <= decoder->bytes.size, "Friendly Name Offset is past the end"));
    PEER_TRY(take_text(decoder, peer_id, name, &welcome->peer_id));
    PEER_TRY(must(decoder, welcome->peer_id.size != 0, "Peer ID is empty")); /* 2.2.2.3: always present */
    return take_last_text(decoder, name, &welcome->friendly_name);
}

/* 2.2.2.4; 3.1.5.2.3 and 2.2.2.5; 3.1.5.2.4 */
static peer_status decode_refuse(struct decoder *decoder, struct wire_message *message)
{
    struct wire_refuse *refuse = &message->as.refuse;
    unsigned code_max = message->type == MESSAGE_REFUSE ? REFUSE_DIRECT_DISALLOWED : DISCONNECT_APPLICATION;
    refuse->code = peer__read_u8(&decoder->reader);
    size_t count = peer__read_u8(&decoder->reader);
    size_t addresses = peer__read_u16(&decoder->reader);
    PEER_TRY(take_addresses(decoder, addresses, count, &refuse->referrals));
    return must(decoder, refuse->code >= 1 && refuse->code <= code_max, "the code is unknown");
}

/* 2.2.2.6 to 2.2.2.8; 3.1.5.2.5 to 3.1.5.2.7. The limit on Inclusion Count is said for the first two only. */
static peer_status decode_solicit(struct decoder *decoder, struct wire_message *message)
{
    struct wire_solicit *solicit = &message->as.solicit;
    solicit->inclusion_count = peer__read_u8(&decoder->reader);
    solicit->exclusion_count = peer__read_u8(&decoder->reader);
    size_t count = (size_t)solicit->inclusion_count + solicit->exclusion_count;
    size_t types = peer__read_u16(&decoder->reader);
    size_t end = decoder->bytes.size;
    PEER_TRY(must(decoder, solicit->inclusion_count == 0 || solicit->exclusion_count == 0,
                  "Inclusion Count and Exclusion Count are both set"));
    PEER_TRY(must(decoder, solicit->inclusion_count <= 1 || message->type == MESSAGE_SOLICIT_HASH,
                  "Inclusion Count is above 1"));
    if (message->type == MESSAGE_SOLICIT_TIME)
        solicit->since = peer__read_u64(&decoder->reader);
    if (message->type == MESSAGE_SOLICIT_HASH) {
        solicit->hash_count = peer__read_u32(&decoder->reader);
        end = peer__read_u16(&decoder->reader);
        /* The text multiplies the offset by 0x28; it means the count. */
        PEER_TRY(
            take_array(decoder, end, solicit->hash_count, WIRE_HASH_ENTRY_SIZE, decoder->bytes.size, &solicit->hashes));
    }
    return take_array(decoder, types, count, WIRE_TYPE_SIZE, end, &solicit->types);
}

/* 2.2.2.9; 3.1.5.2.8 */
static peer_status decode_advertise(struct decoder *decoder, struct wire_message *message)
{
    struct wire_advertise *advertise = &message->as.advertise;
    advertise->boundary_count = peer__read_u32(&decoder->reader);
    advertise->abstract_count = peer__read_u32(&decoder->reader);
    size_t boundaries = peer__read_u16(&decoder->reader);
    peer__read_skip(&decoder->reader, 2); /* Reserved2 */
    size_t abstracts = peer__read_u32(&decoder->reader);
    PEER_TRY(take_array(decoder, abstracts, advertise->abstract_count, WIRE_ABSTRACT_SIZE, decoder->bytes.size,
                        &advertise->abstracts));
    return take_array(decoder, boundaries, advertise->boundary_count, WIRE_BOUNDARY_SIZE, abstracts,
                      &advertise->boundaries);
}

/* 2.2.2.10; 3.1.5.2.9. D-06: an empty one of 16 bytes is accepted although the text asks for 20. */
static peer_status decode_request(struct decoder *decoder, struct wire_message *message)
{
    struct wire_request *request = &message->as.request;
    request->abstract_count = peer__read_u32(&decoder->reader);
    size_t abstracts = peer__read_u32(&decoder->reader);
    return take_array(decoder, abstracts, request->abstract_count, WIRE_ABSTRACT_SIZE, decoder->bytes.size,
                      &request->abstracts);
}

/* 2.2.2.11; 3.1.5.2.10. Size is at least 16; the record is judged by itself (3.1.7.27) and does not end the connection.
 * D-07: Reserved2 other than 0 does. */
static peer_status decode_flood(struct decoder *decoder, struct wire_message *message)
{
    size_t record = peer__read_u16(&decoder->reader);
    uint16_t reserved = peer__read_u16(&decoder->reader);
    PEER_TRY(must(decoder, decoder->bytes.size >= 0x10, "shorter than 16 bytes"));
    PEER_TRY(must(decoder, reserved == 0, "Reserved2 is not 0"));
    PEER_TRY(must(decoder, record >= decoder->fixed_size, "the record begins inside the fixed part"));
    PEER_TRY(must(decoder, record <= decoder->bytes.size, "Record Offset is past the end"));
    message->as.flood.record = (struct span){decoder->bytes.data + record, decoder->bytes.size - record};
    return PEER_OK;
}

/* 2.2.2.12; 3.1.5.2.11. D-08: one that is not final is for the engine to ignore. */
static peer_status decode_sync_end(struct decoder *decoder, struct wire_message *message)
{
    message->as.sync_end.final = peer__read_u8(&decoder->reader) & 0x01;
    return PEER_OK;
}

/* 2.2.2.13; 3.1.5.2.13. The text asks for 16 bytes; the fixed part has 28. */
static peer_status decode_pt2pt(struct decoder *decoder, struct wire_message *message)
{
    struct wire_pt2pt *pt2pt = &message->as.pt2pt;
    size_t data = peer__read_u16(&decoder->reader);
    peer__read_skip(&decoder->reader, 2); /* Reserved2 */
    pt2pt->data_type = peer__read_guid(&decoder->reader);
    PEER_TRY(must(decoder, data >= decoder->fixed_size, "the data begins inside the fixed part"));
    PEER_TRY(must(decoder, data <= decoder->bytes.size, "Data Offset is past the end"));
    pt2pt->data = (struct span){decoder->bytes.data + data, decoder->bytes.size - data};
    return PEER_OK;
}

/* 2.2.2.14; 3.1.5.2.12 */
static peer_status decode_ack(struct decoder *decoder, struct wire_message *message)
{
    struct wire_ack *ack = &message->as.ack;
    ack->count = peer__read_u16(&decoder->reader);
    size_t entries = peer__read_u16(&decoder->reader);
    return take_array(decoder, entries, ack->count, WIRE_ACK_ENTRY_SIZE, decoder->bytes.size, &ack->entries);
}

/* ---- ours, docs/extensions.md ---- */

#define RANGE_LISTS 0x01u
#define RANGE_FOLLOWS 0x02u

int peer__bound_compare(const struct wire_bound *a, const struct wire_bound *b)
{
    if (a->modified != b->modified)
        return a->modified < b->modified ? -1 : 1;
    return peer__guid_compare(&a->record_id, &b->record_id);
}

static struct wire_bound read_bound(struct reader *reader)
{
    struct wire_bound bound = {.modified = peer__read_u64(reader)};
    struct span id = peer__read_span(reader, peer__read_u8(reader));
    if (id.size > sizeof(bound.record_id.bytes))
        reader->failed = 1;
    if (!reader->failed && id.size > 0)
        memcpy(bound.record_id.bytes, id.data, id.size); /* D-01: the bytes as they are */
    return bound;
}

int peer__wire_next_range(struct reader *reader, struct wire_range *range)
{
    if (peer__read_left(reader) == 0)
        return 0;
    uint8_t flags = peer__read_u8(reader);
    range->lower = (flags & RANGE_FOLLOWS) != 0 ? range->upper : read_bound(reader);
    range->upper = read_bound(reader);
    range->lists = flags & RANGE_LISTS;
    if (!range->lists) {
        struct span fingerprint = peer__read_span(reader, WIRE_FINGERPRINT_SIZE);
        if (!reader->failed)
            memcpy(range->fingerprint, fingerprint.data, fingerprint.size);
    }
    return !reader->failed && (flags & ~(RANGE_LISTS | RANGE_FOLLOWS)) == 0;
}

static peer_status decode_compare(struct decoder *decoder, struct wire_message *message)
{
    struct wire_compare *compare = &message->as.compare;
    struct wire_range range = {0};
    compare->cutoff = peer__read_u64(&decoder->reader);
    compare->range_count = peer__read_u16(&decoder->reader);
    peer__read_skip(&decoder->reader, 2); /* Reserved2 */
    PEER_TRY(must(decoder, compare->range_count >= 1 && compare->range_count <= COMPARE_RANGES_MAX,
                  "it has no ranges, or too many"));
    compare->ranges = (struct span){decoder->bytes.data + decoder->fixed_size, peer__read_left(&decoder->reader)};
    for (size_t i = 0; i < compare->range_count; i++) {
        struct wire_bound before = range.upper;
        PEER_TRY(must(decoder, peer__wire_next_range(&decoder->reader, &range), "a range does not parse"));
        PEER_TRY(
            must(decoder,
                 peer__bound_compare(&before, &range.lower) <= 0 && peer__bound_compare(&range.lower, &range.upper) < 0,
                 "the ranges are out of order"));
    }
    return must(decoder, peer__read_left(&decoder->reader) == 0, "something follows the ranges");
}

int peer__wire_next_difference(struct reader *reader, struct wire_difference *difference_out)
{
    struct wire_difference difference = {0};
    if (peer__read_left(reader) == 0)
        return 0;
    difference.index = peer__read_u16(reader);
    difference.kind = peer__read_u8(reader);
    if (difference.kind == DIFFERENCE_PART)
        difference.upper = read_bound(reader);
    if (difference.kind != DIFFERENCE_UNKNOWN) {
        difference.listed_count = peer__read_u16(reader);
        difference.listed = peer__read_span(reader, (size_t)difference.listed_count * WIRE_LISTED_SIZE).data;
    }
    *difference_out = difference;
    return !reader->failed && difference.kind <= DIFFERENCE_PART;
}

/* A part that lists nothing would be asked for again and again. */
static peer_status decode_differ(struct decoder *decoder, struct wire_message *message)
{
    struct wire_differ *differ = &message->as.differ;
    struct wire_difference difference = {0};
    differ->difference_count = peer__read_u16(&decoder->reader);
    peer__read_skip(&decoder->reader, 2); /* Reserved2 */
    PEER_TRY(must(decoder, decoder->bytes.size <= DIFFER_SIZE_MAX && differ->difference_count <= COMPARE_RANGES_MAX,
                  "it is too long"));
    differ->differences = (struct span){decoder->bytes.data + decoder->fixed_size, peer__read_left(&decoder->reader)};
    for (size_t i = 0; i < differ->difference_count; i++) {
        uint16_t before = difference.index;
        PEER_TRY(must(decoder, peer__wire_next_difference(&decoder->reader, &difference), "an entry does not parse"));
        PEER_TRY(must(decoder, i == 0 || difference.index > before, "the entries are out of order"));
        PEER_TRY(must(decoder, difference.kind != DIFFERENCE_PART || difference.listed_count > 0, "a part is empty"));
    }
    return must(decoder, peer__read_left(&decoder->reader) == 0, "something follows the entries");
}

static const struct {
    const char *name;
    size_t fixed_size;
    peer_status (*decode)(struct decoder *decoder, struct wire_message *message);
} messages[] = {
    [MESSAGE_AUTH_INFO] = {"AUTH_INFO", 16, decode_auth_info},
    [MESSAGE_CONNECT] = {"CONNECT", 24, decode_connect},
    [MESSAGE_WELCOME] = {"WELCOME", 32, decode_welcome},
    [MESSAGE_REFUSE] = {"REFUSE", 12, decode_refuse},
    [MESSAGE_DISCONNECT] = {"DISCONNECT", 12, decode_refuse},
    [MESSAGE_SOLICIT_NEW] = {"SOLICIT_NEW", 12, decode_solicit},
    [MESSAGE_SOLICIT_TIME] = {"SOLICIT_TIME", 20, decode_solicit},
    [MESSAGE_SOLICIT_HASH] = {"SOLICIT_HASH", 20, decode_solicit},
    [MESSAGE_ADVERTISE] = {"ADVERTISE", 24, decode_advertise},
    [MESSAGE_REQUEST] = {"REQUEST", 16, decode_request},
    [MESSAGE_FLOOD] = {"FLOOD", 12, decode_flood},
    [MESSAGE_SYNC_END] = {"SYNC_END", 12, decode_sync_end},
    [MESSAGE_PT2PT] = {"PT2PT", 28, decode_pt2pt},
    [MESSAGE_ACK] = {"ACK", 12, decode_ack},
    [MESSAGE_COMPARE] = {"COMPARE", COMPARE_FIXED_SIZE, decode_compare},
    [MESSAGE_DIFFER] = {"DIFFER", DIFFER_FIXED_SIZE, decode_differ},
};

/* 2.2.1.2: 0x00 is not a message, although 3.1.5.2 counts it among the known types. */
static int is_known(uint8_t type)
{
    return type < sizeof(messages) / sizeof(messages[0]) && messages[type].decode != NULL;
}

const char *peer__message_name(uint8_t type)
{
    return is_known(type) ? messages[type].name : "unknown message";
}

/* 2.2.1.2; 3.1.5.2: what holds for every message, then what holds for its type. */
peer_status peer__message_decode(struct span bytes, struct wire_message *message_out)
{
    struct decoder decoder = {.bytes = bytes, .reader = peer__reader(bytes)};
    uint32_t size = peer__read_u32(&decoder.reader);
    uint8_t version = peer__read_u8(&decoder.reader);
    uint8_t type = peer__read_u8(&decoder.reader);
    peer__read_skip(&decoder.reader, 2); /* Reserved */

    if (decoder.reader.failed || size != bytes.size)
        return peer__fail(PEER_E_INVALID_RECORD, "%zu bytes are no message: Message Size is %u", bytes.size,
                          (unsigned)size);
    if (version != PROTOCOL_VERSION_MESSAGE)
        return peer__fail(PEER_E_INVALID_RECORD, "the message version 0x%02x is not 0x10", (unsigned)version);
    if (!is_known(type))
        return peer__fail(PEER_E_INVALID_RECORD, "the message type 0x%02x is unknown", (unsigned)type);

    decoder.name = messages[type].name;
    decoder.fixed_size = messages[type].fixed_size;
    PEER_TRY(must(&decoder, bytes.size >= decoder.fixed_size, "shorter than its fixed part"));
    struct wire_message message = {.type = type};
    PEER_TRY(messages[type].decode(&decoder, &message));
    *message_out = message;
    return PEER_OK;
}

static struct reader entry_reader(const uint8_t *entries, size_t index, size_t entry_size)
{
    return peer__reader((struct span){entries + index * entry_size, entry_size});
}

int peer__wire_address(const struct wire_addresses *addresses, size_t index, struct address *address_out)
{
    struct reader reader = entry_reader(addresses->data, index, WIRE_ADDRESS_SIZE);
    uint16_t family = peer__read_u16(&reader);
    struct address address = {.port = peer__read_u16(&reader)};
    memcpy(address.ip, peer__read_span(&reader, sizeof(address.ip)).data, sizeof(address.ip));
    if (family != FAMILY_IPV6 || address.port == 0)
        return 0;
    *address_out = address;
    return 1;
}

void peer__wire_type(const struct wire_solicit *solicit, size_t index, peer_guid *type_out)
{
    struct reader reader = entry_reader(solicit->types, index, WIRE_TYPE_SIZE);
    *type_out = peer__read_guid(&reader);
}

void peer__wire_hash_entry(const struct wire_solicit *solicit, size_t index, struct wire_hash_entry *entry_out)
{
    struct reader reader = entry_reader(solicit->hashes, index, WIRE_HASH_ENTRY_SIZE);
    memcpy(entry_out->hash, peer__read_span(&reader, sizeof(entry_out->hash)).data, sizeof(entry_out->hash));
    entry_out->modified = peer__read_u64(&reader);
    entry_out->record_id = peer__read_guid(&reader);
}

void peer__wire_boundary(const struct wire_advertise *advertise, size_t index, struct wire_hash_boundary *boundary_out)
{
    struct reader reader = entry_reader(advertise->boundaries, index, WIRE_BOUNDARY_SIZE);
    boundary_out->modified_lower = peer__read_u64(&reader);
    boundary_out->record_id_lower = peer__read_guid(&reader);
    boundary_out->modified_upper = peer__read_u64(&reader);
    boundary_out->record_id_upper = peer__read_guid(&reader);
    boundary_out->count = peer__read_u32(&reader);
}

void peer__wire_abstract(const uint8_t *abstracts, size_t index, struct wire_abstract *abstract_out)
{
    struct reader reader = entry_reader(abstracts, index, WIRE_ABSTRACT_SIZE);
    abstract_out->record_id = peer__read_guid(&reader);
    abstract_out->version = peer__read_u32(&reader);
}

void peer__wire_ack_entry(const struct wire_ack *ack, size_t index, struct wire_ack_entry *entry_out)
{
    struct reader reader = entry_reader(ack->entries, index, WIRE_ACK_ENTRY_SIZE);
    entry_out->record_id = peer__read_guid(&reader);
    entry_out->useful = peer__read_u32(&reader) & 1;
}

void peer__wire_listed(const uint8_t *listed, size_t index, struct wire_listed *listed_out)
{
    struct reader reader = entry_reader(listed, index, WIRE_LISTED_SIZE);
    listed_out->record_id = peer__read_guid(&reader);
    listed_out->version = peer__read_u32(&reader);
    memcpy(listed_out->digest, peer__read_span(&reader, sizeof(listed_out->digest)).data, sizeof(listed_out->digest));
}
