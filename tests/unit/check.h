/** What the unit tests of base and wire share: cmocka, bytes from hex in blocks of exact size, and failing allocations. */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"

/** A copy in a block of exactly its size, so that a read past the end is seen by the address sanitizer. */
static inline struct span exact(const void *data, size_t size)
{
    uint8_t *copy = malloc(size);
    if (size != 0)
        memcpy(copy, data, size);
    return (struct span){copy, size};
}

static inline void drop(struct span span)
{
    free((void *)(uintptr_t)span.data);
}

static inline unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/** The bytes of a vector; drop them. */
static inline struct span from_hex(const char *hex)
{
    uint8_t *data = malloc(strlen(hex) + 1);
    size_t digits = 0;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ')
            continue;
        data[digits / 2] = (uint8_t)(digits % 2 == 0 ? hex_digit(*hex) << 4 : data[digits / 2] | hex_digit(*hex));
        digits++;
    }
    struct span span = exact(data, digits / 2);
    free(data);
    return span;
}

static inline void assert_bytes(struct span actual, const char *hex)
{
    struct span expected = from_hex(hex);
    assert_int_equal(actual.size, expected.size);
    if (expected.size != 0)
        assert_memory_equal(actual.data, expected.data, expected.size);
    drop(expected);
}

static inline void assert_buffer(const struct buffer *buffer, const char *hex)
{
    assert_false(buffer->failed);
    assert_bytes((struct span){buffer->data, buffer->size}, hex);
}

static inline struct span text_span(const char *text)
{
    return text != NULL ? (struct span){(const uint8_t *)text, strlen(text)} : (struct span){0};
}

static inline peer_guid guid_of(const char *hex)
{
    struct span bytes = from_hex(hex);
    peer_guid guid;
    memcpy(guid.bytes, bytes.data, sizeof(guid.bytes));
    drop(bytes);
    return guid;
}

/** Runs with the first, second, third … allocation failing until it succeeds: E_OUTOFMEMORY and no leak each time. */
static inline void assert_survives_no_memory(peer_status (*run)(void))
{
    int64_t live = peer__memory_live();
    for (int64_t count = 0;; count++) {
        assert_true(count < 10000);
        peer__memory_fail_after(count);
        peer_status status = run();
        peer__memory_fail_after(-1);
        assert_int_equal(peer__memory_live(), live);
        if (status == PEER_OK) {
            assert_true(count > 0);
            return;
        }
        assert_int_equal(status, E_OUTOFMEMORY);
    }
}

/** A small generator (xorshift64*): the same numbers on every run. */
static inline uint32_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(2685821657736338717) >> 32);
}

/** The vector, cut or padded with zeros to `size` (0: as it is) with Message Size adjusted, then `patch` put at `at`. */
static inline struct span patched(const char *vector, size_t size, size_t at, const char *patch)
{
    struct span original = from_hex(vector), change = from_hex(patch);
    size = size != 0 ? size : original.size;
    uint8_t *data = calloc(1, size);
    memcpy(data, original.data, size < original.size ? size : original.size);
    struct buffer view = {.data = data, .size = size, .capacity = size};
    peer__buffer_set_u32(&view, 0, (uint32_t)size);
    assert_true(at + change.size <= size);
    memcpy(data + at, change.data, change.size);
    drop(original);
    drop(change);
    return (struct span){data, size};
}

#endif
