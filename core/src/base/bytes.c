#include "base/bytes.h"

#include <assert.h>
#include <string.h>

#include "base/agreement.h"
#include "base/memory.h"

int peer__span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int peer__span_compare(struct span a, struct span b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter != 0 ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

int peer__guid_equal(const peer_guid *a, const peer_guid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int peer__guid_compare(const peer_guid *a, const peer_guid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

int peer__guid_is_zero(const peer_guid *guid)
{
    static const peer_guid zero;
    return peer__guid_equal(guid, &zero);
}

/* Stafford's variant 13 of the finalizer of MurmurHash3: each bit changes all others. One round less, and ids that differ
 * only at their end stand in one bucket, whatever the key. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

uint64_t peer__guid_hash(const peer_guid *guid, uint64_t key)
{
    uint64_t words[2];
    memcpy(words, guid->bytes, sizeof(words));
    return mix(mix(words[0] ^ key) ^ words[1]);
}

/* D-01: the bytes of a peer_guid stand in the order of its printed form; so does the wire, by our choice. */
static void guid_copy_in_wire_order(uint8_t to[16], const uint8_t from[16])
{
    static const uint8_t little_endian[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t i = 0; i < 16; i++)
        to[i] = from[WIRE_GUID_IN_STRING_ORDER ? i : little_endian[i]];
}

void peer__guid_to_wire(const peer_guid *guid, uint8_t bytes_out[16])
{
    guid_copy_in_wire_order(bytes_out, guid->bytes);
}

peer_guid peer__guid_from_wire(const uint8_t bytes[16])
{
    peer_guid guid;
    guid_copy_in_wire_order(guid.bytes, bytes);
    return guid;
}

void peer__guid_format(const peer_guid *guid, char text[37])
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[guid->bytes[i] >> 4];
        *at++ = digits[guid->bytes[i] & 15];
    }
    *at = '\0';
}

void peer__buffer_set_capacity(struct buffer *buffer, size_t capacity)
{
    if (buffer->failed || (buffer->data != NULL && capacity <= buffer->capacity))
        return;
    uint8_t *data = peer__realloc(buffer->data, capacity);
    if (data == NULL) {
        buffer->failed = 1;
        return;
    }
    buffer->data = data;
    buffer->capacity = capacity;
}

/* Growth at least doubles the capacity, and goes beyond what is needed by less than a factor of two: a buffer never
 * holds more than twice the bytes that were put into it. */
uint8_t *peer__buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->failed)
        return NULL;
    if (buffer->data == NULL || buffer->capacity - buffer->size < size) {
        size_t needed = buffer->size + size;
        size_t capacity = buffer->capacity <= SIZE_MAX / 2 ? buffer->capacity * 2 : SIZE_MAX;
        if (capacity < needed)
            capacity = needed;
        if (needed < size)
            buffer->failed = 1;
        peer__buffer_set_capacity(buffer, capacity);
        if (buffer->failed)
            return NULL;
    }
    return buffer->data + buffer->size;
}

void peer__buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    uint8_t *to = peer__buffer_reserve(buffer, size);
    if (to == NULL)
        return;
    memcpy(to, data, size);
    buffer->size += size;
}

static void put_big_endian(uint8_t *to, uint64_t value, size_t width)
{
    for (size_t i = width; i > 0; i--) {
        to[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

static void append_big_endian(struct buffer *buffer, uint64_t value, size_t width)
{
    uint8_t bytes[8];
    put_big_endian(bytes, value, width);
    peer__buffer_append(buffer, bytes, width);
}

void peer__buffer_u8(struct buffer *buffer, uint8_t value)
{
    append_big_endian(buffer, value, 1);
}

void peer__buffer_u16(struct buffer *buffer, uint16_t value)
{
    append_big_endian(buffer, value, 2);
}

void peer__buffer_u32(struct buffer *buffer, uint32_t value)
{
    append_big_endian(buffer, value, 4);
}

void peer__buffer_u64(struct buffer *buffer, uint64_t value)
{
    append_big_endian(buffer, value, 8);
}

void peer__buffer_guid(struct buffer *buffer, const peer_guid *guid)
{
    uint8_t bytes[16];
    peer__guid_to_wire(guid, bytes);
    peer__buffer_append(buffer, bytes, sizeof(bytes));
}

/* After a failure the bytes to overwrite may be missing: then nobody will read the others either. */
static void set_big_endian(struct buffer *buffer, size_t at, uint64_t value, size_t width)
{
    if (buffer->failed)
        return;
    assert(at <= buffer->size && width <= buffer->size - at);
    put_big_endian(buffer->data + at, value, width);
}

void peer__buffer_set_u16(struct buffer *buffer, size_t at, uint16_t value)
{
    set_big_endian(buffer, at, value, 2);
}

void peer__buffer_set_u32(struct buffer *buffer, size_t at, uint32_t value)
{
    set_big_endian(buffer, at, value, 4);
}

void peer__buffer_consume(struct buffer *buffer, size_t size)
{
    assert(size <= buffer->size);
    buffer->size -= size;
    if (size != 0 && buffer->size != 0)
        memmove(buffer->data, buffer->data + size, buffer->size);
}

void peer__buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = 0;
}

void peer__buffer_free(struct buffer *buffer)
{
    peer__free(buffer->data);
    *buffer = (struct buffer){0};
}

struct reader peer__reader(struct span from)
{
    return (struct reader){.from = from};
}

struct span peer__read_span(struct reader *reader, size_t size)
{
    if (reader->failed || size > reader->from.size - reader->at) {
        reader->failed = 1;
        return (struct span){0};
    }
    struct span span = {.size = size};
    if (reader->from.data != NULL)
        span.data = reader->from.data + reader->at;
    reader->at += size;
    return span;
}

static uint64_t read_big_endian(struct reader *reader, size_t width)
{
    uint64_t value = 0;
    struct span bytes = peer__read_span(reader, width);
    for (size_t i = 0; i < bytes.size; i++)
        value = value << 8 | bytes.data[i];
    return value;
}

uint8_t peer__read_u8(struct reader *reader)
{
    return (uint8_t)read_big_endian(reader, 1);
}

uint16_t peer__read_u16(struct reader *reader)
{
    return (uint16_t)read_big_endian(reader, 2);
}

uint32_t peer__read_u32(struct reader *reader)
{
    return (uint32_t)read_big_endian(reader, 4);
}

uint64_t peer__read_u64(struct reader *reader)
{
    return read_big_endian(reader, 8);
}

peer_guid peer__read_guid(struct reader *reader)
{
    struct span bytes = peer__read_span(reader, sizeof(peer_guid));
    return bytes.size != 0 ? peer__guid_from_wire(bytes.data) : (peer_guid){{0}};
}

void peer__read_skip(struct reader *reader, size_t size)
{
    peer__read_span(reader, size);
}

void peer__read_seek(struct reader *reader, size_t at)
{
    if (at > reader->from.size)
        reader->failed = 1;
    else
        reader->at = at;
}

size_t peer__read_left(const struct reader *reader)
{
    return reader->failed ? 0 : reader->from.size - reader->at;
}
