#include "wire/frame.h"

#include <assert.h>

#include "base/agreement.h"
#include "base/error.h"
#include "wire/limits.h"
#include "wire/message.h"

/* D-03: what Frame Size counts besides the payload. */
#define OVERHEAD (WIRE_FRAME_SIZE_COUNTS_ITSELF ? 2u : 0u)

/* A message of this size keeps its memory for the next one. */
#define KEPT_CAPACITY ((size_t)64 * 1024)

void peer__frame_message(struct buffer *out, struct span message, size_t frame_size_max)
{
    assert(frame_size_max >= 1 && frame_size_max <= FRAME_SIZE_MAX && message.size >= MESSAGE_HEADER_SIZE);
    size_t frame_count = (message.size + frame_size_max - 1) / frame_size_max;
    if (peer__buffer_reserve(out, message.size + 2 * frame_count) == NULL)
        return;
    for (size_t at = 0; at < message.size;) {
        size_t size = message.size - at < frame_size_max ? message.size - at : frame_size_max;
        peer__buffer_u16(out, (uint16_t)(size + OVERHEAD));
        peer__buffer_append(out, message.data + at, size);
        at += size;
    }
}

/* 2.2.1.2 */
size_t peer__frame_message_size(const struct frame_assembler *assembler)
{
    if (assembler->message.size < MESSAGE_HEADER_SIZE)
        return 0;
    struct reader reader = peer__reader((struct span){assembler->message.data, assembler->message.size});
    return peer__read_u32(&reader);
}

/* A complete message has been handed out by the call before: make room. */
static void forget_complete(struct frame_assembler *assembler)
{
    size_t size = peer__frame_message_size(assembler);
    if (size == 0 || assembler->message.size != size)
        return;
    if (assembler->message.capacity > KEPT_CAPACITY)
        peer__buffer_free(&assembler->message);
    else
        peer__buffer_clear(&assembler->message);
}

/* 2.2.1.1: the frame's size, byte by byte. */
static peer_status take_frame_size(struct frame_assembler *assembler, struct span *input)
{
    assembler->size_bytes[assembler->size_bytes_seen++] = *input->data;
    input->data++;
    input->size--;
    if (assembler->size_bytes_seen < sizeof(assembler->size_bytes))
        return PEER_OK;
    assembler->size_bytes_seen = 0;
    size_t frame_size = (size_t)assembler->size_bytes[0] << 8 | assembler->size_bytes[1];
    if (frame_size < OVERHEAD + 1 || frame_size - OVERHEAD > assembler->frame_size_max)
        return peer__fail(PEER_E_INVALID_RECORD, "a frame of %zu bytes; 1 to %zu are allowed", frame_size,
                          assembler->frame_size_max);
    assembler->frame_left = frame_size - OVERHEAD;
    return PEER_OK;
}

/* The message's own size, as soon as it is known and whenever a frame may reach beyond it. */
static peer_status check_message_size(const struct frame_assembler *assembler)
{
    if (assembler->message.size < MESSAGE_HEADER_SIZE)
        return PEER_OK;
    size_t size = peer__frame_message_size(assembler);
    if (size < MESSAGE_HEADER_SIZE || size > assembler->message_size_max)
        return peer__fail(PEER_E_INVALID_RECORD, "a message of %zu bytes; %u to %zu are allowed", size,
                          MESSAGE_HEADER_SIZE, assembler->message_size_max);
    if (assembler->frame_left > size - assembler->message.size) /* D-04 */
        return peer__fail(PEER_E_INVALID_RECORD, "a frame holds %zu bytes past the end of its message",
                          assembler->frame_left - (size - assembler->message.size));
    return PEER_OK;
}

/* Doubling for the last time, the memory is made as large as the message and no larger. */
static void make_room(struct frame_assembler *assembler, size_t size)
{
    struct buffer *message = &assembler->message;
    size_t whole = peer__frame_message_size(assembler);
    if (message->capacity - message->size < size && whole <= 2 * message->capacity)
        peer__buffer_set_capacity(message, whole);
}

/* Takes payload, up to the header's end first: what follows depends on the size that stands in it. */
static peer_status take_payload(struct frame_assembler *assembler, struct span *input)
{
    size_t size = assembler->frame_left < input->size ? assembler->frame_left : input->size;
    size_t seen = assembler->message.size;
    if (seen < MESSAGE_HEADER_SIZE && size > MESSAGE_HEADER_SIZE - seen)
        size = MESSAGE_HEADER_SIZE - seen;
    make_room(assembler, size);
    peer__buffer_append(&assembler->message, input->data, size);
    if (assembler->message.failed)
        return peer__out_of_memory();
    input->data += size;
    input->size -= size;
    assembler->frame_left -= size;
    return PEER_OK;
}

peer_status peer__frame_assemble(struct frame_assembler *assembler, struct span *input, struct span *message_out)
{
    forget_complete(assembler);
    while (input->size != 0) {
        if (assembler->frame_left == 0)
            PEER_TRY(take_frame_size(assembler, input));
        else
            PEER_TRY(take_payload(assembler, input));
        PEER_TRY(check_message_size(assembler));
        size_t size = peer__frame_message_size(assembler);
        if (size != 0 && size == assembler->message.size) {
            *message_out = (struct span){assembler->message.data, size};
            return PEER_OK;
        }
    }
    *message_out = (struct span){0};
    return PEER_OK;
}

int peer__frame_is_under_way(const struct frame_assembler *assembler)
{
    size_t size = peer__frame_message_size(assembler);
    int is_complete = size != 0 && assembler->message.size == size;
    return assembler->size_bytes_seen > 0 || assembler->frame_left > 0 || (assembler->message.size > 0 && !is_complete);
}

void peer__frame_assembler_free(struct frame_assembler *assembler)
{
    peer__buffer_free(&assembler->message);
}
