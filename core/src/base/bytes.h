/** Spans of bytes, a growing buffer, and the one reader and one writer for everything foreign: bounded, sticky, big-endian. */
#ifndef PEER_BASE_BYTES_H
#define PEER_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "peergraph/peergraph.h"

/** Bytes that belong to somebody else. `data` may be NULL if `size` is 0. */
struct span {
    const uint8_t *data;
    size_t size;
};

int peer__span_equal(struct span a, struct span b);
/** As memcmp, a prefix before what it begins: unsigned bytewise. */
int peer__span_compare(struct span a, struct span b);

int peer__guid_equal(const peer_guid *a, const peer_guid *b);
int peer__guid_compare(const peer_guid *a, const peer_guid *b); /* D-01: unsigned bytewise */
int peer__guid_is_zero(const peer_guid *guid);
/** For a table whose ids others choose: without the key they cannot find some that collide. */
uint64_t peer__guid_hash(const peer_guid *guid, uint64_t key);
/** A GUID as it travels (D-01) and back. */
void peer__guid_to_wire(const peer_guid *guid, uint8_t bytes_out[16]);
peer_guid peer__guid_from_wire(const uint8_t bytes[16]);
/** 36 characters and a NUL. */
void peer__guid_format(const peer_guid *guid, char text[37]);

/** A growing run of bytes. Zero-initialise. After a failed allocation `failed` sticks and appends do nothing. */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    int failed;
};

void peer__buffer_append(struct buffer *buffer, const void *data, size_t size);
void peer__buffer_u8(struct buffer *buffer, uint8_t value);
void peer__buffer_u16(struct buffer *buffer, uint16_t value);
void peer__buffer_u32(struct buffer *buffer, uint32_t value);
void peer__buffer_u64(struct buffer *buffer, uint64_t value);
void peer__buffer_guid(struct buffer *buffer, const peer_guid *guid);
/** Overwrites bytes that were appended before; `at + width` must lie within `size` (asserted). */
void peer__buffer_set_u16(struct buffer *buffer, size_t at, uint16_t value);
void peer__buffer_set_u32(struct buffer *buffer, size_t at, uint32_t value);
/** Makes room for `size` more bytes and returns where to write them, or NULL; then add to `size` what was written. */
uint8_t *peer__buffer_reserve(struct buffer *buffer, size_t size);
/** Makes the capacity exactly this, if it is less. */
void peer__buffer_set_capacity(struct buffer *buffer, size_t capacity);
/** Drops the first `size` bytes. */
void peer__buffer_consume(struct buffer *buffer, size_t size);
/** Empty, the memory kept. */
void peer__buffer_clear(struct buffer *buffer);
void peer__buffer_free(struct buffer *buffer);

/** Reads big-endian values from a span. The first read past the end sets `failed`; reads after that give zeros. */
struct reader {
    struct span from;
    size_t at;
    int failed;
};

struct reader peer__reader(struct span from);
uint8_t peer__read_u8(struct reader *reader);
uint16_t peer__read_u16(struct reader *reader);
uint32_t peer__read_u32(struct reader *reader);
uint64_t peer__read_u64(struct reader *reader);
peer_guid peer__read_guid(struct reader *reader);
struct span peer__read_span(struct reader *reader, size_t size);
void peer__read_skip(struct reader *reader, size_t size);
/** Continues at `at`, counted from the start of the span. */
void peer__read_seek(struct reader *reader, size_t at);
size_t peer__read_left(const struct reader *reader);

#endif
