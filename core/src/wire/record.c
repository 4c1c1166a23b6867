#include "wire/record.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "wire/limits.h"

/* 6.2 of the notes; MS-PPGRH 2.2.3 and 3.1.1 */
const peer_guid peer__type_graph_info = {{[2] = 0x01}};
const peer_guid peer__type_signature = {{[2] = 0x02}};
const peer_guid peer__type_contact = {{[2] = 0x03}};
const peer_guid peer__type_presence = {{[2] = 0x04}};
const peer_guid peer__id_graph_info = {
    {0x6c, 0x79, 0x67, 0x68, 0x77, 0x32, 0x40, 0x6b, 0xbc, 0x6e, 0x5e, 0x9c, 0x0d, 0x86, 0x45, 0x80}};
const peer_guid peer__id_signature = {
    {0x4c, 0x51, 0x5c, 0x94, 0x42, 0x52, 0x49, 0x4f, 0x84, 0x40, 0x34, 0xcc, 0x79, 0x76, 0x9c, 0x81}};

int peer__type_is_reserved(const peer_guid *type)
{
    static const peer_guid membership = {{0x01}};
    static const peer_guid security_properties = {{0x02}};
    return peer__guid_equal(type, &peer__type_graph_info) || peer__guid_equal(type, &peer__type_signature) ||
           peer__guid_equal(type, &peer__type_contact) || peer__guid_equal(type, &peer__type_presence) ||
           peer__guid_equal(type, &membership) || peer__guid_equal(type, &security_properties);
}

/* A length in UTF-16 units and the text. More than `units_max` fails the reader. */
static struct span read_text(struct reader *reader, uint32_t units_max)
{
    uint32_t units = peer__read_u32(reader);
    if (units > units_max)
        reader->failed = 1;
    return peer__read_span(reader, (size_t)units * 2);
}

static struct span read_bytes(struct reader *reader, uint32_t size_max)
{
    uint32_t size = peer__read_u32(reader);
    if (size > size_max)
        reader->failed = 1;
    return peer__read_span(reader, size);
}

/* 2.2.1.9 */
static int parse(struct span wire, struct record_fields *fields_out)
{
    struct reader reader = peer__reader(wire);
    struct record_fields *fields = fields_out;
    fields->type = peer__read_guid(&reader);
    fields->id = peer__read_guid(&reader);
    fields->version = peer__read_u32(&reader);
    peer__read_skip(&reader, 3); /* Reserved */
    fields->flags = peer__read_u8(&reader);
    fields->creator_id = read_text(&reader, ID_UNITS_MAX);
    fields->modifier_id = read_text(&reader, ID_UNITS_MAX);
    fields->security_data = read_bytes(&reader, SECURITY_DATA_SIZE_MAX);
    fields->created = peer__read_u64(&reader);
    fields->expires = peer__read_u64(&reader);
    fields->modified = peer__read_u64(&reader);
    fields->graph_id = read_text(&reader, ID_UNITS_MAX);
    fields->protocol_version = peer__read_u16(&reader);
    fields->payload = read_bytes(&reader, RECORD_SIZE_MAX);
    fields->attributes = read_text(&reader, RECORD_SIZE_MAX / 2);
    return !reader.failed && peer__read_left(&reader) == 0 && (fields->flags & ~RECORD_FLAG_DELETED) == 0;
}

/* A record with room for its wire form, which the caller fills in. */
static struct record *record_new(size_t wire_size)
{
    struct record *record = peer__malloc(sizeof(*record) + wire_size);
    if (record == NULL)
        return NULL;
    atomic_init(&record->references, 1);
    record->wire_size = (uint32_t)wire_size;
    record->fields = (struct record_fields){0};
    return record;
}

peer_status peer__record_decode(struct span wire, struct record **record_out)
{
    struct record_fields fields;
    if (wire.size > MESSAGE_SIZE_MAX || !parse(wire, &fields))
        return peer__fail(PEER_E_INVALID_RECORD, "%zu bytes do not read as a record", wire.size);
    struct record *record = record_new(wire.size);
    if (record == NULL)
        return peer__out_of_memory();
    memcpy(record->wire, wire.data, wire.size);
    /* Once more, so that the spans point into the copy. */
    parse((struct span){record->wire, wire.size}, &record->fields);
    *record_out = record;
    return PEER_OK;
}

static int text_fits(struct span text, uint32_t units_max)
{
    return text.size % 2 == 0 && text.size / 2 <= units_max;
}

static void write_text(struct buffer *out, struct span text)
{
    peer__buffer_u32(out, (uint32_t)(text.size / 2));
    peer__buffer_append(out, text.data, text.size);
}

static void write_bytes(struct buffer *out, struct span bytes)
{
    peer__buffer_u32(out, (uint32_t)bytes.size);
    peer__buffer_append(out, bytes.data, bytes.size);
}

static void write_fields(struct buffer *out, const struct record_fields *fields)
{
    peer__buffer_guid(out, &fields->type);
    peer__buffer_guid(out, &fields->id);
    peer__buffer_u32(out, fields->version);
    peer__buffer_u32(out, fields->flags); /* D-09: three reserved bytes and the flags */
    write_text(out, fields->creator_id);
    write_text(out, fields->modifier_id);
    write_bytes(out, fields->security_data);
    peer__buffer_u64(out, fields->created);
    peer__buffer_u64(out, fields->expires);
    peer__buffer_u64(out, fields->modified);
    write_text(out, fields->graph_id);
    peer__buffer_u16(out, fields->protocol_version);
    write_bytes(out, fields->payload);
    write_text(out, fields->attributes);
}

peer_status peer__record_encode(const struct record_fields *fields, struct record **record_out)
{
    if (!text_fits(fields->creator_id, ID_UNITS_MAX) || !text_fits(fields->modifier_id, ID_UNITS_MAX) ||
        !text_fits(fields->graph_id, ID_UNITS_MAX) || !text_fits(fields->attributes, RECORD_SIZE_MAX / 2))
        return peer__fail(E_INVALIDARG, "a text of the record is longer than its limit");
    if (fields->payload.size > RECORD_SIZE_MAX || fields->security_data.size > SECURITY_DATA_SIZE_MAX)
        return peer__fail(E_INVALIDARG, "%zu bytes of data, %zu of security data: more than a record holds",
                          fields->payload.size, fields->security_data.size);
    if (peer__record_counted_size(fields) > RECORD_SIZE_MAX)
        return peer__fail(E_INVALIDARG, "%zu bytes of data and attributes: more than a record holds",
                          peer__record_counted_size(fields));
    if ((fields->flags & ~RECORD_FLAG_DELETED) != 0)
        return peer__fail(E_INVALIDARG, "the record flags 0x%x are unknown", (unsigned)fields->flags);

    size_t size = RECORD_FIXED_SIZE + fields->creator_id.size + fields->modifier_id.size + fields->security_data.size +
                  fields->graph_id.size + peer__record_counted_size(fields);
    struct record *record = record_new(size);
    if (record == NULL)
        return peer__out_of_memory();
    struct buffer out = {.data = record->wire, .capacity = size};
    write_fields(&out, fields);
    if (out.size != size || !parse((struct span){record->wire, size}, &record->fields)) {
        peer__record_release(record);
        return peer__fail(PEER_E_INTERNAL, "a record of %zu bytes does not read back", size);
    }
    *record_out = record;
    return PEER_OK;
}

struct record *peer__record_retain(struct record *record)
{
    atomic_fetch_add_explicit(&record->references, 1, memory_order_relaxed);
    return record;
}

void peer__record_release(struct record *record)
{
    if (record != NULL && atomic_fetch_sub_explicit(&record->references, 1, memory_order_acq_rel) == 1)
        peer__free(record);
}

size_t peer__record_counted_size(const struct record_fields *fields)
{
    return fields->payload.size + fields->attributes.size;
}
