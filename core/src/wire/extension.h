/**
 * The extension block (decisions.md 12): what a node of ours announces in CONNECT and WELCOME beyond MS-PPGRH. It lies
 * between the fixed part and Address Offset, where 1.7 of MS-PPGRH lets anything lie, and a plain implementation skips it:
 *
 *   16 bytes of magic, then any number of: tag (2 bytes), length (2), value (length bytes)
 *
 * Tags that are not known are skipped; a block that does not add up announces nothing.
 */
#ifndef PEER_WIRE_EXTENSION_H
#define PEER_WIRE_EXTENSION_H

#include "base/bytes.h"

/** What a node announces; all zero if it has no block of ours. */
struct wire_extensions {
    int keep_alive; /* it pings a connection on which it sends nothing else (decisions.md 11) */
    int reconciles; /* it answers COMPARE (decisions.md 9) */
};

/** Size of the block; 0 if there is nothing to announce. */
size_t peer__extensions_size(const struct wire_extensions *extensions);
void peer__encode_extensions(struct buffer *out, const struct wire_extensions *extensions);
/** `block` is what lies between the fixed part and Address Offset, whoever wrote it. Cannot fail. */
void peer__decode_extensions(struct span block, struct wire_extensions *extensions_out);

#endif
