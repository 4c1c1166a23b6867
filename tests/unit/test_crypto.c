#include <pthread.h>

#include "tls/crypto.h"
#include "unit/check.h"

static void digests_are_the_known_ones(void **state)
{
    (void)state;
    struct crypto crypto;
    struct random random;
    uint8_t md5[16], sha256[32];
    struct span parts[] = {text_span("a"), {0}, text_span("bc")};
    assert_int_equal(peer__crypto_create(&crypto, &random), PEER_OK);

    assert_int_equal(crypto.md5(crypto.self, NULL, 0, md5), PEER_OK); /* RFC 1321 A.5 */
    assert_bytes((struct span){md5, 16}, "d41d8cd98f00b204e9800998ecf8427e");
    assert_int_equal(crypto.md5(crypto.self, parts, 3, md5), PEER_OK);
    assert_bytes((struct span){md5, 16}, "900150983cd24fb0d6963f7d28e17f72");
    assert_int_equal(crypto.sha256(crypto.self, parts, 3, sha256), PEER_OK); /* FIPS 180-2 B.1 */
    assert_bytes((struct span){sha256, 32}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    peer__crypto_destroy(&crypto);
    peer__crypto_destroy(&crypto);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    struct crypto crypto;
    struct random random;
    uint8_t a[32] = {0}, b[32] = {0};
    assert_int_equal(peer__crypto_create(&crypto, &random), PEER_OK);
    assert_int_equal(random.fill(random.self, a, sizeof(a)), PEER_OK);
    assert_int_equal(random.fill(random.self, b, sizeof(b)), PEER_OK);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(random.fill(random.self, a, 0), PEER_OK);
    peer__crypto_destroy(&crypto);
}

static void *digest_often(void *argument)
{
    struct crypto *crypto = argument;
    struct span part = text_span("abc");
    uint8_t expected[16], digest[16];
    crypto->md5(crypto->self, &part, 1, expected);
    for (int i = 0; i < 2000; i++) {
        if (crypto->md5(crypto->self, &part, 1, digest) != PEER_OK || memcmp(digest, expected, 16) != 0)
            return crypto;
    }
    return NULL;
}

static void threads_may_share_it(void **state)
{
    (void)state;
    struct crypto crypto;
    struct random random;
    pthread_t threads[4];
    assert_int_equal(peer__crypto_create(&crypto, &random), PEER_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, digest_often, &crypto), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    peer__crypto_destroy(&crypto);
}

static peer_status create(void)
{
    struct crypto crypto;
    struct random random;
    peer_status status = peer__crypto_create(&crypto, &random);
    if (status == PEER_OK)
        peer__crypto_destroy(&crypto);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(create);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_the_known_ones),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(threads_may_share_it),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
