/** Frames (MS-PPGRH 2.2.1.1; spec part 3): cutting messages into them and putting messages together, bounded. */
#ifndef PEER_WIRE_FRAME_H
#define PEER_WIRE_FRAME_H

#include "base/bytes.h"

/** Appends `message` (whole, unframed) to `out` as frames of at most `frame_size_max` bytes of payload each. */
void peer__frame_message(struct buffer *out, struct span message, size_t frame_size_max);

/** Puts messages together from a stream that arrives in pieces. Zero-initialise, then set the two limits. */
struct frame_assembler {
    size_t frame_size_max;
    size_t message_size_max; /* may be raised when the other side is known */
    struct buffer message;   /* the message under way, or the complete one of the latest call */
    uint8_t size_bytes[2];   /* of the frame under way */
    size_t size_bytes_seen;
    size_t frame_left; /* payload bytes of the current frame still to come */
};

/**
 * Takes bytes from `*input` (moved forward) until a message is complete or the input is used up. `*message_out` is the
 * complete message, valid until the next call, or of size 0 if more input is needed. The memory that it holds never
 * exceeds the bytes received so far by more than a factor of two: a claimed size allocates nothing.
 * PEER_E_INVALID_RECORD: a frame of size 0 or beyond the limit, a message shorter than its header or beyond the limit, a
 * frame that holds bytes past the message's end (D-04).
 */
peer_status peer__frame_assemble(struct frame_assembler *assembler, struct span *input, struct span *message_out);
/** Message Size of the message under way, or 0 as long as its header is incomplete. */
size_t peer__frame_message_size(const struct frame_assembler *assembler);
/** 1 if a message has begun to arrive and is not complete. */
int peer__frame_is_under_way(const struct frame_assembler *assembler);
void peer__frame_assembler_free(struct frame_assembler *assembler);

#endif
