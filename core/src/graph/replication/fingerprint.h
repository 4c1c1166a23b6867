/**
 * Fingerprints of ranges of records (decisions.md 8, 9; docs/extensions.md). A record's element is the start of the SHA-256
 * of the record as it travels: id, version, modifier, times and content. A fingerprint hashes the elements one after the
 * other, in the order of the range, with their number. Sums or XOR of elements would be shorter to keep up, but whoever
 * may choose records finds some whose sum is what he wants; here he would have to break SHA-256, or find by chance two
 * records with one element (2^64 tries), which then only these two hide from each other.
 */
#ifndef PEER_GRAPH_FINGERPRINT_H
#define PEER_GRAPH_FINGERPRINT_H

#include "base/crypto.h"
#include "base/store.h"

#define FINGERPRINT_SIZE 16u
#define FINGERPRINT_BLOCK_ELEMENTS 64u

/** A fingerprint in the making. Zero-initialise. The elements are hashed in blocks, each with what came before. */
struct fingerprint {
    uint8_t state[32];
    uint8_t block[FINGERPRINT_BLOCK_ELEMENTS * STORE_ELEMENT_SIZE];
    uint64_t count;
};

peer_status peer__record_element(const struct crypto *crypto, struct span wire,
                                 uint8_t element_out[STORE_ELEMENT_SIZE]);
/** Elements of rows that were stored before there were any are all zero. */
int peer__element_is_known(const uint8_t element[STORE_ELEMENT_SIZE]);

peer_status peer__fingerprint_add(struct fingerprint *fingerprint, const struct crypto *crypto,
                                  const uint8_t element[STORE_ELEMENT_SIZE]);
/** And begins anew. */
peer_status peer__fingerprint_end(struct fingerprint *fingerprint, const struct crypto *crypto,
                                  uint8_t fingerprint_out[FINGERPRINT_SIZE]);

#endif
