#include "unit/check.h"
#include "unit/vectors.h"
#include "wire/payload.h"

static struct address address_5000(void)
{
    return (struct address){.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 5000, .scope_id = 4};
}

static void graph_info_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct span payload = from_hex(V_GRAPH_INFO);
    struct graph_info info;
    assert_int_equal(peer__graph_info_decode(payload, &info), PEER_OK);
    assert_int_equal(info.flags, GRAPH_INFO_FLAG_DEFER_EXPIRATION);
    assert_int_equal(info.scope, 1);
    assert_bytes(info.graph_id, UTF16_G1);
    assert_bytes(info.creator_id, UTF16_ALICE);
    assert_int_equal(info.friendly_name.size, 0);
    assert_int_equal(info.comment.size, 0);
    assert_int_equal(info.presence_lifetime_s, 300);
    assert_true(info.presence_max == PRESENCE_MAX_ALL);
    assert_int_equal(info.record_size_max, 0);
    peer__graph_info_encode(&out, &info);
    assert_buffer(&out, V_GRAPH_INFO);

    peer__buffer_clear(&out);
    info.friendly_name = info.creator_id;
    info.comment = info.graph_id;
    peer__graph_info_encode(&out, &info);
    struct graph_info again;
    assert_int_equal(peer__graph_info_decode((struct span){out.data, out.size}, &again), PEER_OK);
    assert_bytes(again.friendly_name, UTF16_ALICE);
    assert_bytes(again.comment, UTF16_G1);
    drop(payload);
    peer__buffer_free(&out);
}

static void the_others_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    uint64_t signature;
    struct contact contact = {.signature = NODE_ALICE, .node_id = NODE_ALICE, .address_count = 1}, contact_read;
    struct presence presence = {.node_id = NODE_ALICE, .address_count = 1}, presence_read;
    contact.addresses[0] = presence.addresses[0] = address_5000();

    peer__signature_encode(&out, NODE_ALICE);
    assert_buffer(&out, "0123456789abcdef");
    assert_int_equal(peer__signature_decode((struct span){out.data, out.size}, &signature), PEER_OK);
    assert_true(signature == NODE_ALICE);

    peer__buffer_clear(&out);
    peer__contact_encode(&out, &contact);
    assert_buffer(&out, V_CONTACT);
    assert_int_equal(peer__contact_decode((struct span){out.data, out.size}, &contact_read), PEER_OK);
    contact.addresses[0].scope_id = 0;
    assert_true(contact_read.signature == NODE_ALICE && contact_read.node_id == NODE_ALICE);
    assert_int_equal(contact_read.address_count, 1);
    assert_true(peer__address_equal(&contact_read.addresses[0], &contact.addresses[0]));

    peer__buffer_clear(&out);
    peer__presence_encode(&out, &presence);
    assert_buffer(&out, V_PRESENCE);
    assert_int_equal(peer__presence_decode((struct span){out.data, out.size}, &presence_read), PEER_OK);
    assert_true(presence_read.node_id == NODE_ALICE);
    assert_int_equal(presence_read.attributes.size, 0);
    assert_true(peer__address_equal(&presence_read.addresses[0], &contact.addresses[0]));

    struct span attributes = from_hex(UTF16_ALICE);
    peer__buffer_clear(&out);
    presence.attributes = attributes;
    presence.address_count = 0;
    peer__presence_encode(&out, &presence);
    assert_int_equal(peer__presence_decode((struct span){out.data, out.size}, &presence_read), PEER_OK);
    assert_true(peer__span_equal(presence_read.attributes, attributes));
    assert_int_equal(presence_read.address_count, 0);
    drop(attributes);
    peer__buffer_free(&out);
}

static peer_status decode(char kind, struct span payload)
{
    struct graph_info info;
    struct contact contact;
    struct presence presence;
    uint64_t signature;
    switch (kind) {
    case 'g':
        return peer__graph_info_decode(payload, &info);
    case 'c':
        return peer__contact_decode(payload, &contact);
    case 'p':
        return peer__presence_decode(payload, &presence);
    default:
        return peer__signature_decode(payload, &signature);
    }
}

static const struct {
    char kind;
    const char *vector;
} vectors[] = {{'g', V_GRAPH_INFO}, {'s', "0123456789abcdef"}, {'c', V_CONTACT}, {'p', V_PRESENCE}};

static void every_prefix_is_refused_and_more_is_tolerated(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct span whole = from_hex(vectors[i].vector);
        for (size_t size = 0; size <= whole.size; size++) {
            struct span prefix = exact(whole.data, size);
            assert_int_equal(decode(vectors[i].kind, prefix), size < whole.size ? PEER_E_INVALID_RECORD : PEER_OK);
            drop(prefix);
        }
        struct buffer longer = {0};
        peer__buffer_append(&longer, whole.data, whole.size);
        peer__buffer_u32(&longer, 7); /* 1.7 */
        assert_int_equal(decode(vectors[i].kind, (struct span){longer.data, longer.size}), PEER_OK);
        peer__buffer_free(&longer);
        drop(whole);
    }
}

static const struct {
    char kind;
    const char *vector;
    size_t at;
    const char *patch;
    int good;
} patches[] = {
    {'g', V_GRAPH_INFO, 0, "0000003b", 0}, /* Size beyond the payload */
    {'g', V_GRAPH_INFO, 0, "00000039", 0}, /* and too small for the fields */
    {'g', V_GRAPH_INFO, 0, "00000000", 0},
    {'g', V_GRAPH_INFO, 0, "ffffffff", 0},
    {'g', V_GRAPH_INFO, 4, "ffffffff", 1}, /* unknown flags */
    {'g', V_GRAPH_INFO, 8, "00000000", 0}, /* Scope */
    {'g', V_GRAPH_INFO, 8, "00000003", 1},
    {'g', V_GRAPH_INFO, 8, "00000004", 0},
    {'g', V_GRAPH_INFO, 12, "00000000", 0}, /* Graph ID Length */
    {'g', V_GRAPH_INFO, 12, "00000001", 0},
    {'g', V_GRAPH_INFO, 12, "00000101", 0},
    {'g', V_GRAPH_INFO, 12, "80000003", 0},
    {'g', V_GRAPH_INFO, 16, "0000", 0},     /* a NUL inside */
    {'g', V_GRAPH_INFO, 16, "d800", 0},     /* a lone surrogate */
    {'g', V_GRAPH_INFO, 20, "0041", 0},     /* no terminator */
    {'g', V_GRAPH_INFO, 22, "00000001", 0}, /* Creator ID Length */
    {'g', V_GRAPH_INFO, 36, "0041", 0},
    {'g', V_GRAPH_INFO, 38, "00000001", 0}, /* a friendly name that is not there */
    {'g', V_GRAPH_INFO, 42, "ffffffff", 0},
    {'g', V_GRAPH_INFO, 46, "00000000", 1}, /* Presence Lifetime */
    {'g', V_GRAPH_INFO, 46, "00000001", 0},
    {'g', V_GRAPH_INFO, 46, "0000012b", 0},
    {'g', V_GRAPH_INFO, 46, "ffffffff", 1},
    {'g', V_GRAPH_INFO, 54, "000003ff", 0}, /* Max Record Size */
    {'g', V_GRAPH_INFO, 54, "00000400", 1},
    {'g', V_GRAPH_INFO, 54, "03c00000", 1},
    {'g', V_GRAPH_INFO, 54, "03c00001", 0},
    {'c', V_CONTACT, 16, "00000002", 0}, /* Number of Addresses */
    {'c', V_CONTACT, 16, "00000000", 1},
    {'c', V_CONTACT, 16, "ffffffff", 0},
    {'c', V_CONTACT, 20, "0000001f", 0}, /* Size of an address */
    {'c', V_CONTACT, 28, "ffffffff", 1}, /* Flow Info */
    {'c', V_CONTACT, 48, "ffffffff", 1}, /* Zero */
    {'p', V_PRESENCE, 8, "00000001", 0}, /* Attributes Length */
    {'p', V_PRESENCE, 8, "80000000", 0},
    {'p', V_PRESENCE, 12, "00000011", 0},
    {'p', V_PRESENCE, 16, "00000000", 0},
};

static void each_rule_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(patches) / sizeof(patches[0]); i++) {
        struct span payload = from_hex(patches[i].vector), patch = from_hex(patches[i].patch);
        memcpy((uint8_t *)(uintptr_t)payload.data + patches[i].at, patch.data, patch.size);
        peer_status status = decode(patches[i].kind, payload);
        if (status != (patches[i].good ? PEER_OK : PEER_E_INVALID_RECORD))
            fail_msg("case %zu gave %d: %s", i, status, peer__last_error());
        drop(payload);
        drop(patch);
    }
}

static void names_and_comments_have_limits(void **state)
{
    (void)state;
    static const struct {
        size_t name, comment;
        int good;
    } cases[] = {{1, 1, 1}, {256, 512, 1}, {257, 0, 0}, {0, 513, 0}};
    uint8_t text[2 * 513];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span vector = from_hex(V_GRAPH_INFO);
        struct graph_info info;
        struct buffer out = {0};
        assert_int_equal(peer__graph_info_decode(vector, &info), PEER_OK);
        memset(text, 0x20, sizeof(text));
        memset(text + sizeof(text) - 2, 0, 2);
        info.friendly_name = (struct span){text + sizeof(text) - 2 * cases[i].name, 2 * cases[i].name};
        info.comment = (struct span){text + sizeof(text) - 2 * cases[i].comment, 2 * cases[i].comment};
        peer__graph_info_encode(&out, &info);
        assert_int_equal(peer__graph_info_decode((struct span){out.data, out.size}, &info),
                         cases[i].good ? PEER_OK : PEER_E_INVALID_RECORD);
        peer__buffer_free(&out);
        drop(vector);
    }
}

static void useless_addresses_are_left_out_and_many_refused(void **state)
{
    (void)state;
    struct contact contact = {.address_count = PAYLOAD_ADDRESS_MAX}, read;
    struct buffer out = {0};
    for (size_t i = 0; i < PAYLOAD_ADDRESS_MAX; i++) {
        contact.addresses[i] = address_5000();
        contact.addresses[i].ip[15] = (uint8_t)i;
        contact.addresses[i].port = (uint16_t)(i == 3 ? 0 : 5000);
    }
    peer__contact_encode(&out, &contact);
    out.data[20 + 32 * 5 + 5] = 0x02; /* another family */
    assert_int_equal(peer__contact_decode((struct span){out.data, out.size}, &read), PEER_OK);
    assert_int_equal(read.address_count, PAYLOAD_ADDRESS_MAX - 2);
    assert_int_equal(read.addresses[3].ip[15], 4);
    assert_int_equal(read.addresses[4].ip[15], 6);

    struct span one = from_hex(V_ADDRESS);
    peer__buffer_append(&out, one.data, one.size);
    peer__buffer_set_u32(&out, 16, PAYLOAD_ADDRESS_MAX + 1);
    assert_int_equal(peer__contact_decode((struct span){out.data, out.size}, &read), PEER_E_INVALID_RECORD);
    drop(one);
    peer__buffer_free(&out);
}

static void mutations_never_hurt(void **state)
{
    (void)state;
    uint64_t seed = 22;
    for (int round = 0; round < 40000; round++) {
        size_t which = next_random(&seed) % 4;
        struct span payload = from_hex(vectors[which].vector);
        for (uint32_t i = next_random(&seed) % 4; i > 0; i--)
            ((uint8_t *)(uintptr_t)payload.data)[next_random(&seed) % payload.size] = (uint8_t)next_random(&seed);
        decode(vectors[next_random(&seed) % 8 == 0 ? next_random(&seed) % 4 : which].kind, payload);
        drop(payload);
    }
}

static peer_status encode_everything(void)
{
    struct buffer out = {0};
    struct contact contact = {.address_count = 1};
    struct presence presence = {.address_count = 1};
    struct span payload = from_hex(V_GRAPH_INFO);
    struct graph_info info;
    peer__graph_info_decode(payload, &info);
    peer__graph_info_encode(&out, &info);
    peer__signature_encode(&out, 1);
    peer__contact_encode(&out, &contact);
    peer__presence_encode(&out, &presence);
    drop(payload);
    peer_status status = out.failed ? E_OUTOFMEMORY : PEER_OK;
    peer__buffer_free(&out);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(encode_everything);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graph_info_both_ways),
        cmocka_unit_test(the_others_both_ways),
        cmocka_unit_test(every_prefix_is_refused_and_more_is_tolerated),
        cmocka_unit_test(each_rule_is_checked),
        cmocka_unit_test(names_and_comments_have_limits),
        cmocka_unit_test(useless_addresses_are_left_out_and_many_refused),
        cmocka_unit_test(mutations_never_hurt),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
