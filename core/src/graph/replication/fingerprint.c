#include "graph/replication/fingerprint.h"

#include <string.h>

#include "base/error.h"

peer_status peer__record_element(const struct crypto *crypto, struct span wire, uint8_t element_out[STORE_ELEMENT_SIZE])
{
    uint8_t digest[32];
    PEER_TRY(crypto->sha256(crypto->self, &wire, 1, digest));
    memcpy(element_out, digest, STORE_ELEMENT_SIZE);
    return PEER_OK;
}

int peer__element_is_known(const uint8_t element[STORE_ELEMENT_SIZE])
{
    static const uint8_t unknown[STORE_ELEMENT_SIZE];
    return memcmp(element, unknown, sizeof(unknown)) != 0;
}

peer_status peer__fingerprint_add(struct fingerprint *fingerprint, const struct crypto *crypto,
                                  const uint8_t element[STORE_ELEMENT_SIZE])
{
    size_t place = (size_t)(fingerprint->count % FINGERPRINT_BLOCK_ELEMENTS);
    memcpy(fingerprint->block + place * STORE_ELEMENT_SIZE, element, STORE_ELEMENT_SIZE);
    fingerprint->count++;
    if (place + 1 < FINGERPRINT_BLOCK_ELEMENTS)
        return PEER_OK;
    struct span parts[] = {{fingerprint->state, sizeof(fingerprint->state)},
                           {fingerprint->block, sizeof(fingerprint->block)}};
    return crypto->sha256(crypto->self, parts, 2, fingerprint->state);
}

/* The last part is shorter than any block with what came before it, so no two lists of elements look alike. */
peer_status peer__fingerprint_end(struct fingerprint *fingerprint, const struct crypto *crypto,
                                  uint8_t fingerprint_out[FINGERPRINT_SIZE])
{
    uint8_t count[8];
    uint8_t digest[32];
    size_t left = (size_t)(fingerprint->count % FINGERPRINT_BLOCK_ELEMENTS) * STORE_ELEMENT_SIZE;
    for (size_t i = 0; i < sizeof(count); i++)
        count[i] = (uint8_t)(fingerprint->count >> (56 - 8 * i));
    struct span parts[] = {
        {fingerprint->state, sizeof(fingerprint->state)}, {fingerprint->block, left}, {count, sizeof(count)}};
    PEER_TRY(crypto->sha256(crypto->self, parts, 3, digest));
    memcpy(fingerprint_out, digest, FINGERPRINT_SIZE);
    memset(fingerprint->state, 0, sizeof(fingerprint->state));
    fingerprint->count = 0;
    return PEER_OK;
}
