/* The extension block: its bytes, both ways, and what others may put in its place. */
#include "unit/check.h"
#include "wire/message.h"

#define MAGIC "5bd08e8041cdc292121106bb1305e9b7"

static const struct wire_extensions pings = {.keep_alive = 1};

static int announces_keep_alive(const char *hex)
{
    struct wire_extensions extensions;
    struct span block = from_hex(hex);
    memset(&extensions, 0xff, sizeof(extensions));
    peer__decode_extensions(block, &extensions);
    drop(block);
    return extensions.keep_alive;
}

static void both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    peer__encode_extensions(&out, &pings);
    assert_int_equal(out.size, peer__extensions_size(&pings));
    assert_buffer(&out, MAGIC "0001 0000");
    assert_true(announces_keep_alive(MAGIC "0001 0000"));
    peer__buffer_clear(&out);

    struct wire_extensions none = {0};
    peer__encode_extensions(&out, &none);
    assert_int_equal(out.size, 0);
    assert_int_equal(peer__extensions_size(&none), 0);
    peer__buffer_free(&out);
}

static void reconciliation_is_a_tag_of_its_own(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_extensions both = {.keep_alive = 1, .reconciles = 1}, alone = {.reconciles = 1}, read;
    peer__encode_extensions(&out, &both);
    assert_int_equal(out.size, peer__extensions_size(&both));
    assert_buffer(&out, MAGIC "0001 0000 0002 0000");
    peer__decode_extensions((struct span){out.data, out.size}, &read);
    assert_true(read.keep_alive && read.reconciles);
    peer__buffer_clear(&out);
    peer__encode_extensions(&out, &alone);
    assert_buffer(&out, MAGIC "0002 0000");
    peer__decode_extensions((struct span){out.data, out.size}, &read);
    assert_true(!read.keep_alive && read.reconciles);
    struct span with_value = from_hex(MAGIC "0002 0001 00");
    peer__decode_extensions(with_value, &read);
    assert_false(read.reconciles);
    drop(with_value);
    peer__buffer_free(&out);
}

static void tags_of_later_versions_are_skipped(void **state)
{
    (void)state;
    assert_true(announces_keep_alive(MAGIC "0077 0003 010203 0001 0000 fffe 0000"));
    assert_true(announces_keep_alive(MAGIC "0001 0000 0001 0000"));
    assert_false(announces_keep_alive(MAGIC));
    assert_false(announces_keep_alive(MAGIC "0077 0003 010203"));
    assert_false(announces_keep_alive(MAGIC "0001 0001 00")); /* keep-alive with a value is none that we know */
}

static void what_is_malformed_announces_nothing(void **state)
{
    (void)state;
    static const char *const blocks[] = {
        "",
        "00",
        "0001 0000",
        "00000000000000000000000000000000 0001 0000",
        MAGIC "0001 0000 00",
        MAGIC "0001 0000 0002 0001",
        MAGIC "0001 0000 0002 ffff 00",
    };
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        assert_false(announces_keep_alive(blocks[i]));

    struct span whole = from_hex(MAGIC "0001 0000");
    for (size_t size = 0; size < whole.size; size++) {
        struct wire_extensions extensions;
        struct span prefix = exact(whole.data, size); /* a read past its end is one past the end of the heap block */
        peer__decode_extensions(prefix, &extensions);
        assert_false(extensions.keep_alive);
        drop(prefix);
    }
    drop(whole);
}

static void decode(const struct buffer *bytes, struct wire_message *message_out)
{
    if (peer__message_decode((struct span){bytes->data, bytes->size}, message_out) != PEER_OK)
        fail_msg("%s", peer__last_error());
}

static void connect_carries_it(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_message message;
    struct address read, address = {.ip = {0x20, 0x01, [15] = 7}, .port = 5000};
    peer__encode_connect(&out, 0, 5, &address, 1, text_span("Al"), &pings);
    decode(&out, &message);
    assert_true(message.as.connect.extensions.keep_alive);
    assert_true(peer__wire_address(&message.as.connect.addresses, 0, &read));
    assert_true(peer__address_equal(&read, &address));
    assert_int_equal(message.as.connect.friendly_name.size, 2);

    peer__buffer_clear(&out);
    peer__encode_connect(&out, 0, 5, NULL, 0, text_span(NULL), &pings);
    decode(&out, &message);
    assert_true(message.as.connect.extensions.keep_alive);

    peer__buffer_clear(&out);
    peer__encode_connect(&out, 0, 5, &address, 1, text_span("Al"), NULL);
    decode(&out, &message);
    assert_false(message.as.connect.extensions.keep_alive);
    peer__buffer_free(&out);
}

static void welcome_carries_it(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_message message;
    struct address read, address = {.ip = {0x20, 0x01, [15] = 7}, .port = 5000};
    peer__encode_welcome(&out, 5, 6, &address, 1, text_span("bob"), text_span(NULL), &pings);
    decode(&out, &message);
    assert_true(message.as.welcome.extensions.keep_alive);
    assert_true(peer__wire_address(&message.as.welcome.referrals, 0, &read));
    assert_true(peer__address_equal(&read, &address));
    assert_int_equal(message.as.welcome.peer_id.size, 3);

    peer__buffer_clear(&out);
    peer__encode_welcome(&out, 5, 6, NULL, 0, text_span("bob"), text_span(NULL), NULL);
    decode(&out, &message);
    assert_false(message.as.welcome.extensions.keep_alive);
    peer__buffer_free(&out);
}

/* Whatever stands in the place of the block, the message is what it would be without. */
static void nothing_in_its_place_hurts(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    size_t announced = 0;
    struct buffer good = {0};
    peer__encode_extensions(&good, &pings);
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64] = {0};
        memcpy(bytes, good.data, good.size);
        for (uint32_t i = next_random(&seed) % 4; i > 0; i--)
            bytes[next_random(&seed) % 24] = (uint8_t)next_random(&seed);
        struct span block = exact(bytes, next_random(&seed) % 64);
        struct wire_extensions extensions;
        peer__decode_extensions(block, &extensions);
        announced += (size_t)extensions.keep_alive;
        drop(block);
    }
    assert_in_range(announced, 1, 19999); /* both outcomes were tried */
    peer__buffer_free(&good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(reconciliation_is_a_tag_of_its_own),
        cmocka_unit_test(tags_of_later_versions_are_skipped),
        cmocka_unit_test(what_is_malformed_announces_nothing),
        cmocka_unit_test(connect_carries_it),
        cmocka_unit_test(welcome_carries_it),
        cmocka_unit_test(nothing_in_its_place_hurts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
