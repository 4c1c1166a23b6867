#include "wire/extension.h"

#include <string.h>

enum extension_tag { EXTENSION_KEEP_ALIVE = 1, EXTENSION_RECONCILES = 2 };

#define ENTRY_HEAD_SIZE 4u

/* Drawn once. */
static const uint8_t magic[16] = {0x5b, 0xd0, 0x8e, 0x80, 0x41, 0xcd, 0xc2, 0x92,
                                  0x12, 0x11, 0x06, 0xbb, 0x13, 0x05, 0xe9, 0xb7};

size_t peer__extensions_size(const struct wire_extensions *extensions)
{
    size_t entries = (extensions->keep_alive != 0) + (extensions->reconciles != 0);
    return entries > 0 ? sizeof(magic) + entries * ENTRY_HEAD_SIZE : 0;
}

/* Its being there says it all. */
static void put_flag(struct buffer *out, uint16_t tag, int flag)
{
    if (!flag)
        return;
    peer__buffer_u16(out, tag);
    peer__buffer_u16(out, 0);
}

void peer__encode_extensions(struct buffer *out, const struct wire_extensions *extensions)
{
    if (peer__extensions_size(extensions) == 0)
        return;
    peer__buffer_append(out, magic, sizeof(magic));
    put_flag(out, EXTENSION_KEEP_ALIVE, extensions->keep_alive);
    put_flag(out, EXTENSION_RECONCILES, extensions->reconciles);
}

static void take(struct wire_extensions *extensions, uint16_t tag, struct span value)
{
    if (tag == EXTENSION_KEEP_ALIVE && value.size == 0)
        extensions->keep_alive = 1;
    if (tag == EXTENSION_RECONCILES && value.size == 0)
        extensions->reconciles = 1;
}

void peer__decode_extensions(struct span block, struct wire_extensions *extensions_out)
{
    struct reader reader = peer__reader(block);
    struct wire_extensions extensions = {0};
    *extensions_out = extensions;
    struct span start = peer__read_span(&reader, sizeof(magic));
    if (reader.failed || memcmp(start.data, magic, sizeof(magic)) != 0)
        return;
    while (peer__read_left(&reader) > 0) {
        uint16_t tag = peer__read_u16(&reader);
        struct span value = peer__read_span(&reader, peer__read_u16(&reader));
        if (reader.failed)
            return;
        take(&extensions, tag, value);
    }
    *extensions_out = extensions;
}
