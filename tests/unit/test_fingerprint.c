/* Fingerprints of ranges: every record counts, and its place, and how many there are. */
#include "graph/replication/fingerprint.h"
#include "tls/crypto.h"
#include "unit/check.h"

static struct crypto crypto;

static int make_crypto(void **state)
{
    struct random random;
    (void)state;
    return peer__crypto_create(&crypto, &random);
}

static int free_crypto(void **state)
{
    (void)state;
    peer__crypto_destroy(&crypto);
    return 0;
}

static void element_of(uint32_t number, uint8_t element[STORE_ELEMENT_SIZE])
{
    struct span wire = {(const uint8_t *)&number, sizeof(number)};
    assert_int_equal(peer__record_element(&crypto, wire, element), PEER_OK);
    assert_true(peer__element_is_known(element));
}

/* Of the elements 0 … count - 1, but that of `changed` is another, and `swapped` stands one place later. */
static void print(size_t count, size_t changed, size_t swapped, uint8_t out[FINGERPRINT_SIZE])
{
    struct fingerprint fingerprint = {0};
    for (size_t i = 0; i < count; i++) {
        uint8_t element[STORE_ELEMENT_SIZE];
        size_t number = i == swapped ? i + 1 : i == swapped + 1 ? i - 1 : i;
        element_of(i == changed ? 1000000 : (uint32_t)number, element);
        assert_int_equal(peer__fingerprint_add(&fingerprint, &crypto, element), PEER_OK);
    }
    assert_int_equal(peer__fingerprint_end(&fingerprint, &crypto, out), PEER_OK);
}

#define NONE (SIZE_MAX - 1)

static void the_element_is_the_start_of_the_hash(void **state)
{
    (void)state;
    uint8_t element[STORE_ELEMENT_SIZE] = {0};
    struct span expected = from_hex("ba7816bf8f01cfea414140de5dae2223"); /* SHA-256 of "abc", FIPS 180-2 */
    assert_false(peer__element_is_known(element));
    assert_int_equal(peer__record_element(&crypto, text_span("abc"), element), PEER_OK);
    assert_memory_equal(element, expected.data, sizeof(element));
    drop(expected);
}

/* SHA-256 of 32 zero bytes, the elements, and their number in 8 bytes. */
static void few_records_are_hashed_at_once(void **state)
{
    (void)state;
    uint8_t plain[32 + 16 + 8] = {0}, digest[32], out[FINGERPRINT_SIZE];
    element_of(0, plain + 32);
    plain[sizeof(plain) - 1] = 1;
    struct span all = {plain, sizeof(plain)};
    assert_int_equal(crypto.sha256(crypto.self, &all, 1, digest), PEER_OK);
    print(1, NONE, NONE, out);
    assert_memory_equal(out, digest, sizeof(out));
}

static void each_number_of_records_has_its_own(void **state)
{
    (void)state;
    uint8_t prints[200][FINGERPRINT_SIZE];
    for (size_t count = 0; count < 200; count++) {
        print(count, NONE, NONE, prints[count]);
        for (size_t other = 0; other < count; other++)
            assert_memory_not_equal(prints[count], prints[other], FINGERPRINT_SIZE);
    }
}

static void every_record_and_its_place_counts(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 63, 64, 65, 130};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint8_t whole[FINGERPRINT_SIZE], again[FINGERPRINT_SIZE], other[FINGERPRINT_SIZE];
        print(counts[i], NONE, NONE, whole);
        print(counts[i], NONE, NONE, again);
        assert_memory_equal(whole, again, sizeof(whole));
        for (size_t at = 0; at < counts[i]; at++) {
            print(counts[i], at, NONE, other);
            assert_memory_not_equal(whole, other, sizeof(whole));
            if (at + 1 == counts[i])
                continue;
            print(counts[i], NONE, at, other);
            assert_memory_not_equal(whole, other, sizeof(whole));
        }
    }
}

static void it_begins_anew(void **state)
{
    (void)state;
    struct fingerprint fingerprint = {0};
    uint8_t element[STORE_ELEMENT_SIZE], first[FINGERPRINT_SIZE], second[FINGERPRINT_SIZE];
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 70; i++) {
            element_of(i, element);
            assert_int_equal(peer__fingerprint_add(&fingerprint, &crypto, element), PEER_OK);
        }
        assert_int_equal(peer__fingerprint_end(&fingerprint, &crypto, round == 0 ? first : second), PEER_OK);
    }
    assert_memory_equal(first, second, sizeof(first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_element_is_the_start_of_the_hash),
        cmocka_unit_test(few_records_are_hashed_at_once),
        cmocka_unit_test(each_number_of_records_has_its_own),
        cmocka_unit_test(every_record_and_its_place_counts),
        cmocka_unit_test(it_begins_anew),
    };
    return cmocka_run_group_tests(tests, make_crypto, free_crypto);
}
