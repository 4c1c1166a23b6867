/** Interface: cryptography. Implemented by tls/; grows with groups. */
#ifndef PEER_BASE_CRYPTO_H
#define PEER_BASE_CRYPTO_H

#include "base/bytes.h"

struct crypto {
    /** MD5 of the parts one after the other; the protocol's record ids and range hashes (MS-PPGRH 3.1.7.2, 2.2.1.7). */
    peer_status (*md5)(void *self, const struct span *parts, size_t part_count, uint8_t digest_out[16]);
    /** SHA-256 of the parts one after the other. */
    peer_status (*sha256)(void *self, const struct span *parts, size_t part_count, uint8_t digest_out[32]);
    void *self;
};

#endif
