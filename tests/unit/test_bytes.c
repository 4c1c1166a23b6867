#include "unit/check.h"

static void values_are_big_endian(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    peer_guid guid = guid_of("00112233445566778899aabbccddeeff");
    peer__buffer_u8(&buffer, 0x01);
    peer__buffer_u16(&buffer, 0x0203);
    peer__buffer_u32(&buffer, 0x04050607);
    peer__buffer_u64(&buffer, UINT64_C(0x08090a0b0c0d0e0f));
    peer__buffer_guid(&buffer, &guid);
    assert_buffer(&buffer, "01 0203 04050607 08090a0b0c0d0e0f 00112233445566778899aabbccddeeff");

    struct reader reader = peer__reader((struct span){buffer.data, buffer.size});
    assert_int_equal(peer__read_u8(&reader), 0x01);
    assert_int_equal(peer__read_u16(&reader), 0x0203);
    assert_int_equal(peer__read_u32(&reader), 0x04050607);
    assert_true(peer__read_u64(&reader) == UINT64_C(0x08090a0b0c0d0e0f));
    peer_guid read = peer__read_guid(&reader);
    assert_true(peer__guid_equal(&read, &guid));
    assert_int_equal(peer__read_left(&reader), 0);
    assert_false(reader.failed);
    peer__buffer_free(&buffer);
}

static void reader_fails_once_and_for_all(void **state)
{
    (void)state;
    struct span bytes = from_hex("010203");
    struct reader reader = peer__reader(bytes);
    assert_int_equal(peer__read_u16(&reader), 0x0102);
    assert_int_equal(peer__read_u16(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(peer__read_u8(&reader), 0);
    assert_int_equal(peer__read_left(&reader), 0);
    assert_int_equal(peer__read_span(&reader, 1).size, 0);
    peer_guid guid = peer__read_guid(&reader);
    assert_true(peer__guid_is_zero(&guid));
    peer__read_seek(&reader, 0);
    assert_true(reader.failed);
    drop(bytes);
}

static void reader_seeks_and_skips(void **state)
{
    (void)state;
    struct span bytes = from_hex("00010203");
    struct reader reader = peer__reader(bytes);
    peer__read_skip(&reader, 3);
    assert_int_equal(peer__read_u8(&reader), 3);
    peer__read_seek(&reader, 1);
    assert_int_equal(peer__read_u16(&reader), 0x0102);
    peer__read_seek(&reader, 4);
    assert_false(reader.failed);
    assert_int_equal(peer__read_left(&reader), 0);
    peer__read_seek(&reader, 5);
    assert_true(reader.failed);

    reader = peer__reader(bytes);
    peer__read_skip(&reader, 1);
    peer__read_skip(&reader, SIZE_MAX);
    assert_true(reader.failed);

    reader = peer__reader((struct span){0});
    assert_int_equal(peer__read_span(&reader, 0).size, 0);
    assert_false(reader.failed);
    peer__read_u8(&reader);
    assert_true(reader.failed);
    drop(bytes);
}

static void spans_compare_bytewise(void **state)
{
    (void)state;
    struct span empty = {0};
    struct span a = text_span("ab"), b = text_span("abc"), c = text_span("b"), high = text_span("\xff");
    assert_true(peer__span_compare(a, b) < 0 && peer__span_compare(b, a) > 0);
    assert_true(peer__span_compare(b, c) < 0);
    assert_true(peer__span_compare(c, high) < 0);
    assert_true(peer__span_compare(empty, a) < 0 && peer__span_compare(a, empty) > 0);
    assert_int_equal(peer__span_compare(empty, empty), 0);
    assert_int_equal(peer__span_compare(a, text_span("ab")), 0);
    assert_true(peer__span_equal(a, text_span("ab")) && peer__span_equal(empty, text_span("")));
    assert_false(peer__span_equal(a, b) || peer__span_equal(a, text_span("ac")));
}

static void guids_compare_unsigned_and_print(void **state)
{
    (void)state;
    char text[37];
    peer_guid low = guid_of("7f000000000000000000000000000000");
    peer_guid high = guid_of("80000000000000000000000000000000");
    peer_guid id = guid_of("6c7967687732406bbc6e5e9c0d864580");
    assert_true(peer__guid_compare(&low, &high) < 0 && peer__guid_compare(&high, &low) > 0);
    assert_int_equal(peer__guid_compare(&low, &low), 0);
    assert_false(peer__guid_is_zero(&low));
    peer__guid_format(&id, text);
    assert_string_equal(text, "6c796768-7732-406b-bc6e-5e9c0d864580");
}

/* Who does not know the key finds no ids that stand in one bucket, in whatever bytes they differ. */
static void hashes_of_guids_spread(void **state)
{
    enum { IDS = 4096, BUCKETS = 1024 };
    (void)state;
    for (size_t at = 0; at < 15; at++) {
        for (uint64_t key = 1; key != 0; key <<= 9) {
            uint8_t in_bucket[BUCKETS] = {0};
            peer_guid guid = guid_of("00112233445566778899aabbccddeeff");
            for (unsigned number = 0; number < IDS; number++) {
                guid.bytes[at] = (uint8_t)(number << 4);
                guid.bytes[at + 1] = (uint8_t)(number >> 4);
                uint8_t *count = &in_bucket[peer__guid_hash(&guid, key) % BUCKETS];
                assert_in_range(++*count, 1, 40);
            }
        }
    }
}

static void buffer_overwrites_consumes_and_keeps_memory(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    peer__buffer_append(&buffer, NULL, 0);
    assert_null(buffer.data);
    peer__buffer_append(&buffer, "0123456789", 10);
    peer__buffer_set_u16(&buffer, 0, 0xaabb);
    peer__buffer_set_u32(&buffer, 6, 0x01020304);
    assert_buffer(&buffer, "aabb 32333435 01020304");
    peer__buffer_consume(&buffer, 6);
    assert_buffer(&buffer, "01020304");
    peer__buffer_consume(&buffer, 0);
    peer__buffer_consume(&buffer, 4);
    assert_int_equal(buffer.size, 0);
    uint8_t *memory = buffer.data;
    peer__buffer_clear(&buffer);
    assert_ptr_equal(peer__buffer_reserve(&buffer, 10), memory);
    assert_non_null(peer__buffer_reserve(&buffer, 0));
    peer__buffer_free(&buffer);
    assert_null(buffer.data);
    peer__buffer_free(&buffer);
}

static void buffer_never_holds_twice_what_it_got(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t i = 1; i <= 3000; i++) {
        peer__buffer_u8(&buffer, (uint8_t)i);
        assert_true(buffer.capacity < 2 * i || buffer.capacity == 1);
    }
    assert_int_equal(buffer.size, 3000);
    peer__buffer_free(&buffer);
}

static void failure_of_a_buffer_sticks(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    peer__buffer_u16(&buffer, 7);
    assert_null(peer__buffer_reserve(&buffer, SIZE_MAX));
    assert_true(buffer.failed);
    peer__buffer_u8(&buffer, 1);
    peer__buffer_set_u32(&buffer, 100, 1);
    assert_int_equal(buffer.size, 2);
    peer__buffer_free(&buffer);
    assert_false(buffer.failed);

    peer__memory_fail_after(0);
    peer__buffer_u8(&buffer, 1);
    peer__memory_fail_after(-1);
    assert_true(buffer.failed);
    peer__buffer_u8(&buffer, 1);
    assert_int_equal(buffer.size, 0);
    peer__buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_big_endian),
        cmocka_unit_test(reader_fails_once_and_for_all),
        cmocka_unit_test(reader_seeks_and_skips),
        cmocka_unit_test(spans_compare_bytewise),
        cmocka_unit_test(guids_compare_unsigned_and_print),
        cmocka_unit_test(hashes_of_guids_spread),
        cmocka_unit_test(buffer_overwrites_consumes_and_keeps_memory),
        cmocka_unit_test(buffer_never_holds_twice_what_it_got),
        cmocka_unit_test(failure_of_a_buffer_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
