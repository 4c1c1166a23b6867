#include "tls/crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/error.h"
#include "base/memory.h"

/* Immutable once made, so that every thread may use it. */
struct openssl {
    OSSL_LIB_CTX *context;
    EVP_MD *md5;
    EVP_MD *sha256;
};

/* Takes what OpenSSL left in the thread's queue: nobody else may find our error there. */
static peer_status openssl_failed(const char *what)
{
    char reason[128];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
    ERR_clear_error();
    return peer__fail(PEER_E_INTERNAL, "OpenSSL: %s: %s", what, reason);
}

static peer_status digest(const EVP_MD *algorithm, const struct span *parts, size_t part_count, uint8_t *digest_out)
{
    EVP_MD_CTX *run = EVP_MD_CTX_new();
    if (run == NULL)
        return peer__out_of_memory();
    int good = EVP_DigestInit_ex2(run, algorithm, NULL);
    for (size_t i = 0; good && i < part_count; i++)
        good = EVP_DigestUpdate(run, parts[i].data, parts[i].size);
    good = good && EVP_DigestFinal_ex(run, digest_out, NULL);
    EVP_MD_CTX_free(run);
    return good ? PEER_OK : openssl_failed(EVP_MD_get0_name(algorithm));
}

static peer_status openssl_md5(void *self, const struct span *parts, size_t part_count, uint8_t digest_out[16])
{
    const struct openssl *openssl = self;
    return digest(openssl->md5, parts, part_count, digest_out);
}

static peer_status openssl_sha256(void *self, const struct span *parts, size_t part_count, uint8_t digest_out[32])
{
    const struct openssl *openssl = self;
    return digest(openssl->sha256, parts, part_count, digest_out);
}

static peer_status openssl_random(void *self, void *data, size_t size)
{
    const struct openssl *openssl = self;
    return RAND_bytes_ex(openssl->context, data, size, 0) == 1 ? PEER_OK : openssl_failed("randomness");
}

static void openssl_free(struct openssl *openssl)
{
    EVP_MD_free(openssl->md5);
    EVP_MD_free(openssl->sha256);
    OSSL_LIB_CTX_free(openssl->context);
    peer__free(openssl);
}

peer_status peer__crypto_create(struct crypto *crypto_out, struct random *random_out)
{
    struct openssl *openssl = peer__calloc(1, sizeof(*openssl));
    if (openssl == NULL)
        return peer__out_of_memory();
    openssl->context = OSSL_LIB_CTX_new();
    if (openssl->context == NULL) {
        openssl_free(openssl);
        return peer__out_of_memory();
    }
    openssl->md5 = EVP_MD_fetch(openssl->context, "MD5", NULL);
    openssl->sha256 = EVP_MD_fetch(openssl->context, "SHA256", NULL);
    if (openssl->md5 == NULL || openssl->sha256 == NULL) {
        openssl_free(openssl);
        return openssl_failed("MD5 and SHA-256");
    }
    *crypto_out = (struct crypto){.md5 = openssl_md5, .sha256 = openssl_sha256, .self = openssl};
    *random_out = (struct random){.fill = openssl_random, .self = openssl};
    return PEER_OK;
}

void peer__crypto_destroy(struct crypto *crypto)
{
    if (crypto->self != NULL)
        openssl_free(crypto->self);
    *crypto = (struct crypto){0};
}
