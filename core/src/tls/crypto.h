/** The interfaces crypto and random on OpenSSL, in a library context of their own (decisions.md 30). */
#ifndef PEER_TLS_CRYPTO_H
#define PEER_TLS_CRYPTO_H

#include "base/crypto.h"
#include "base/random.h"

/**
 * Fills in both interfaces; they share one object and may be called from any thread. PEER_E_INTERNAL if OpenSSL has no
 * MD5 or no SHA-256.
 */
peer_status peer__crypto_create(struct crypto *crypto_out, struct random *random_out);
/** Ends both. A zeroed `crypto` is accepted. */
void peer__crypto_destroy(struct crypto *crypto);

#endif
