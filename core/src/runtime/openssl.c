#include "runtime/openssl.h"

#include <pthread.h>

#include "tls/crypto.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct crypto crypto; /* `self` is NULL until it is made */
static struct random random_source;

peer_status peer__openssl_shared(struct crypto *crypto_out, struct random *random_out)
{
    peer_status status = PEER_OK;

    pthread_mutex_lock(&mutex);
    if (crypto.self == NULL)
        status = peer__crypto_create(&crypto, &random_source);
    *crypto_out = crypto;
    *random_out = random_source;
    pthread_mutex_unlock(&mutex);
    return status;
}
