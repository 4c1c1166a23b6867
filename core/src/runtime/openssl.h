/** The cryptography that all runtimes of the process share. */
#ifndef PEER_RUNTIME_OPENSSL_H
#define PEER_RUNTIME_OPENSSL_H

#include "base/crypto.h"
#include "base/random.h"

/**
 * Gives the interfaces; the first call initialises OpenSSL. They live until the process ends: OpenSSL keeps state of a
 * library context for each thread that drew randomness from it, looks at it when that thread or the process ends, and
 * finds freed memory if the context has gone before. Threads that call us are not ours to clean up.
 */
peer_status peer__openssl_shared(struct crypto *crypto_out, struct random *random_out);

#endif
