#include "base/text.h"
#include "tls/crypto.h"
#include "unit/check.h"
#include "unit/vectors.h"
#include "wire/limits.h"
#include "wire/record.h"

static struct crypto crypto;

static struct record *decoded(const char *hex)
{
    struct record *record;
    struct span wire = from_hex(hex);
    if (peer__record_decode(wire, &record) != PEER_OK)
        fail_msg("%s", peer__last_error());
    drop(wire); /* the record is a copy */
    return record;
}

static peer_status checked(const struct record_fields *fields)
{
    return peer__record_check(fields, &crypto);
}

static void assert_refused(const struct record_fields *fields, const char *says)
{
    assert_int_equal(checked(fields), PEER_E_INVALID_RECORD);
    if (strstr(peer__last_error(), says) == NULL)
        fail_msg("should say \"%s\": \"%s\"", says, peer__last_error());
}

static void the_vectors_go_both_ways(void **state)
{
    (void)state;
    static const char *const vectors[] = {V_RECORD, V_TOMBSTONE};
    for (size_t i = 0; i < 2; i++) {
        struct record *record = decoded(vectors[i]), *again;
        assert_bytes((struct span){record->wire, record->wire_size}, vectors[i]);
        if (checked(&record->fields) != PEER_OK)
            fail_msg("%s", peer__last_error());
        assert_int_equal(peer__record_encode(&record->fields, &again), PEER_OK);
        assert_bytes((struct span){again->wire, again->wire_size}, vectors[i]);
        peer__record_release(record);
        peer__record_release(again);
    }
}

static void fields_are_what_the_vector_says(void **state)
{
    (void)state;
    struct record *record = decoded(V_RECORD);
    const struct record_fields *fields = &record->fields;
    peer_guid type = guid_of(TYPE_ONES), id = guid_of(RECORD_ID);
    assert_true(peer__guid_equal(&fields->type, &type) && peer__guid_equal(&fields->id, &id));
    assert_int_equal(fields->version, 1);
    assert_int_equal(fields->flags, 0);
    assert_bytes(fields->creator_id, UTF16_ALICE);
    assert_int_equal(fields->modifier_id.size, 0);
    assert_int_equal(fields->security_data.size, 0);
    assert_true(fields->created == T_TICKS && fields->modified == T_TICKS);
    assert_true(fields->expires == T_TICKS + UINT64_C(6000000000));
    assert_bytes(fields->graph_id, UTF16_G1);
    assert_int_equal(fields->protocol_version, 0x0100);
    assert_true(peer__span_equal(fields->payload, text_span("hello")));
    assert_int_equal(fields->attributes.size, 0);
    assert_int_equal(peer__record_counted_size(fields), 5);
    assert_true(fields->creator_id.data > record->wire && fields->creator_id.data < record->wire + record->wire_size);
    peer__record_release(record);

    record = decoded(V_TOMBSTONE);
    assert_int_equal(record->fields.flags, RECORD_FLAG_DELETED);
    assert_bytes(record->fields.modifier_id, UTF16_ALICE);
    peer__record_release(record);
}

static void every_prefix_and_every_longer_one_is_refused(void **state)
{
    (void)state;
    struct span whole = from_hex(V_TOMBSTONE "00");
    struct record *record = NULL;
    for (size_t size = 0; size <= whole.size; size++) {
        if (size == whole.size - 1)
            continue;
        struct span wire = exact(whole.data, size);
        assert_int_equal(peer__record_decode(wire, &record), PEER_E_INVALID_RECORD);
        assert_null(record);
        drop(wire);
    }
    drop(whole);
}

/* 6.1: 90 bytes parse, 98 are the least that is valid. */
static void the_smallest_records(void **state)
{
    (void)state;
    uint8_t zeros[91] = {0};
    struct record *record, *smallest;
    struct span wire = exact(zeros, 90);
    assert_int_equal(peer__record_decode(wire, &record), PEER_OK);
    assert_refused(&record->fields, "Creator ID");
    peer__record_release(record);
    assert_int_equal(peer__record_decode((struct span){zeros, 89}, &record), PEER_E_INVALID_RECORD);
    assert_int_equal(peer__record_decode((struct span){zeros, 91}, &record), PEER_E_INVALID_RECORD);
    drop(wire);

    static const uint8_t a[] = {0, 'a', 0, 0};
    struct record_fields fields = {.version = 1, .created = 1, .modified = 1, .expires = 2, .protocol_version = 0x0100};
    fields.creator_id = fields.graph_id = (struct span){a, 4};
    assert_int_equal(peer__record_id_make(&crypto, fields.creator_id, zeros, &fields.id), PEER_OK);
    assert_int_equal(peer__record_encode(&fields, &smallest), PEER_OK);
    assert_int_equal(smallest->wire_size, 98);
    assert_int_equal(checked(&smallest->fields), PEER_OK);
    struct span exact_wire = exact(smallest->wire, 97);
    assert_int_equal(peer__record_decode(exact_wire, &record), PEER_E_INVALID_RECORD);
    drop(exact_wire);
    peer__record_release(smallest);
}

static void reserved_bytes_are_kept_and_unknown_flags_refused(void **state)
{
    (void)state;
    struct span wire = from_hex(V_RECORD);
    uint8_t *data = (uint8_t *)(uintptr_t)wire.data;
    struct record *record;
    memset(data + 36, 0xff, 3);
    assert_int_equal(peer__record_decode(wire, &record), PEER_OK);
    assert_memory_equal(record->wire, data, wire.size);
    peer__record_release(record);
    for (unsigned flags = 0; flags < 256; flags++) {
        data[39] = (uint8_t)flags;
        peer_status status = peer__record_decode(wire, &record);
        assert_int_equal(status, (flags & ~2u) == 0 ? PEER_OK : PEER_E_INVALID_RECORD);
        if (status == PEER_OK)
            peer__record_release(record);
    }
    drop(wire);
}

/* A length field at `at` that claims more than there is. */
static void lengths_past_the_end_are_refused(void **state)
{
    (void)state;
    static const size_t places[] = {40, 56, 60, 88, 100, 109};
    static const uint32_t lengths[] = {7, 257, 0x7fffffff, 0x80000000, 0x80000006, 0xffffffff};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
            struct span wire = from_hex(V_RECORD);
            struct buffer view = {.data = (uint8_t *)(uintptr_t)wire.data, .size = wire.size, .capacity = wire.size};
            struct record *record;
            peer__buffer_set_u32(&view, places[i], lengths[j]);
            assert_int_equal(peer__record_decode(wire, &record), PEER_E_INVALID_RECORD);
            drop(wire);
        }
    }
}

/* `units` with the terminator; the text is 'x' throughout. */
static struct span text_of_units(size_t units)
{
    uint8_t *data = calloc(1, units * 2 + 1);
    for (size_t i = 0; i + 1 < units; i++)
        data[2 * i + 1] = 'x';
    return (struct span){data, units * 2};
}

static void ids_have_2_to_256_units(void **state)
{
    (void)state;
    static const struct {
        size_t units;
        int encodes, is_id, is_modifier;
    } cases[] = {{0, 1, 0, 1}, {1, 1, 0, 0}, {2, 1, 1, 1}, {256, 1, 1, 1}, {257, 0, 0, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int which = 0; which < 3; which++) {
            struct record *base = decoded(V_TOMBSTONE), *record;
            struct record_fields fields = base->fields;
            struct span text = text_of_units(cases[i].units);
            *(which == 0 ? &fields.creator_id : which == 1 ? &fields.modifier_id : &fields.graph_id) = text;
            const uint8_t random[16] = {0};
            assert_int_equal(peer__record_id_make(&crypto, fields.creator_id, random, &fields.id), PEER_OK);
            assert_int_equal(checked(&fields) == PEER_OK, which == 1 ? cases[i].is_modifier : cases[i].is_id);
            peer_status status = peer__record_encode(&fields, &record);
            assert_int_equal(status, cases[i].encodes ? PEER_OK : E_INVALIDARG);
            if (status == PEER_OK)
                peer__record_release(record);
            drop(text);
            peer__record_release(base);
        }
    }
}

/* All bytes are there, and yet it is refused: a field of 32-bit length at `at` filled with `size` zeros. */
static peer_status decode_with_field_of(size_t at, uint32_t length, size_t size)
{
    struct buffer wire = {0};
    uint8_t zeros[RECORD_FIXED_SIZE] = {0};
    peer__buffer_append(&wire, zeros, at);
    peer__buffer_u32(&wire, length);
    for (size_t i = 0; i < size; i++)
        peer__buffer_u8(&wire, 0);
    peer__buffer_append(&wire, zeros, RECORD_FIXED_SIZE - at - 4);
    struct record *record;
    peer_status status = peer__record_decode((struct span){wire.data, wire.size}, &record);
    if (status == PEER_OK)
        peer__record_release(record);
    peer__buffer_free(&wire);
    return status;
}

static void fields_beyond_their_limits_are_refused(void **state)
{
    (void)state;
    static const size_t ids[] = {40, 44, 76};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(decode_with_field_of(ids[i], 256, 512), PEER_OK);
        assert_int_equal(decode_with_field_of(ids[i], 257, 514), PEER_E_INVALID_RECORD);
    }
    assert_int_equal(decode_with_field_of(48, SECURITY_DATA_SIZE_MAX, SECURITY_DATA_SIZE_MAX), PEER_OK);
    assert_int_equal(decode_with_field_of(48, SECURITY_DATA_SIZE_MAX + 1, SECURITY_DATA_SIZE_MAX + 1),
                     PEER_E_INVALID_RECORD);
}

/* Rules 2 to 7 and 9 of 6.8, one violated at a time. */
static void each_rule_is_checked(void **state)
{
    (void)state;
    struct record *plain = decoded(V_RECORD), *tombstone = decoded(V_TOMBSTONE);
    struct span lone = from_hex("d8000000"), open = from_hex("00610062"), inner = from_hex("006100000000");
    struct span good = from_hex("00610000");
    const struct record_fields *const base = &plain->fields;
    struct record_fields f;

    f = *base, f.creator_id = lone, assert_refused(&f, "Creator ID");
    f = *base, f.creator_id = open, assert_refused(&f, "Creator ID");
    f = *base, f.creator_id = inner, assert_refused(&f, "Creator ID");
    f = *base, f.creator_id = good, assert_refused(&f, "not of the creator's making");
    f = *base, f.id.bytes[0] ^= 1, assert_refused(&f, "not of the creator's making");
    f = *base, f.id.bytes[7] ^= 1, assert_refused(&f, "not of the creator's making");
    f = *base, f.id.bytes[8] ^= 1, assert_int_equal(checked(&f), PEER_OK);
    f = tombstone->fields, f.modifier_id = inner, assert_refused(&f, "Last Modified By");
    f = *base, f.expires = f.modified, assert_refused(&f, "out of order");
    f = *base, f.expires = f.modified + 1, assert_int_equal(checked(&f), PEER_OK);
    f = *base, f.created = f.modified + 1, assert_refused(&f, "out of order");
    f = *base, f.created = f.modified - 1, assert_int_equal(checked(&f), PEER_OK);
    f = *base, f.graph_id = lone, assert_refused(&f, "Graph ID");
    f = *base, f.protocol_version = 0x0010, assert_refused(&f, "Protocol Version");
    f = *base, f.protocol_version = 0, assert_refused(&f, "Protocol Version");
    f = *base, f.flags = RECORD_FLAG_DELETED, assert_refused(&f, "deleted");
    f = tombstone->fields, f.attributes = good, assert_refused(&f, "deleted");
    f = tombstone->fields, f.payload = good, assert_refused(&f, "deleted");
    f = *base, f.attributes = good, assert_int_equal(checked(&f), PEER_OK);
    f = *base, f.attributes = open, assert_refused(&f, "attributes");
    f = *base, f.modifier_id = good, assert_refused(&f, "nothing was modified");
    f = *base, f.modified++, assert_int_equal(checked(&f), PEER_OK); /* modified, the modifier not named */

    drop(lone), drop(open), drop(inner), drop(good);
    peer__record_release(plain);
    peer__record_release(tombstone);
}

static void fixed_ids_belong_to_their_types(void **state)
{
    (void)state;
    struct record *record = decoded(V_RECORD);
    struct record_fields f = record->fields;
    f.type = peer__type_graph_info;
    assert_refused(&f, "fixed record id");
    f.id = peer__id_signature;
    assert_refused(&f, "fixed record id");
    f.id = peer__id_graph_info;
    assert_int_equal(checked(&f), PEER_OK);
    f.type = peer__type_signature;
    assert_refused(&f, "fixed record id");
    f.id = peer__id_signature;
    assert_int_equal(checked(&f), PEER_OK);
    f.type = peer__type_contact;
    assert_refused(&f, "not of the creator's making");
    peer__record_release(record);
}

static void record_ids_are_made_of_the_creator(void **state)
{
    (void)state;
    struct span alice = from_hex(UTF16_ALICE);
    peer_guid random = guid_of("00112233445566778899aabbccddeeff"), id, expected = guid_of(RECORD_ID);
    uint8_t high[8], digest[16];
    assert_int_equal(crypto.md5(crypto.self, &alice, 1, digest), PEER_OK);
    assert_bytes((struct span){digest, 16}, "e5d6f0d45d5bdab9b0c9b8eb1c4417a4");
    assert_int_equal(peer__record_id_high(&crypto, alice, high), PEER_OK);
    assert_bytes((struct span){high, 8}, "551f483f411fcd1d");
    assert_int_equal(peer__record_id_make(&crypto, alice, random.bytes, &id), PEER_OK);
    assert_true(peer__guid_equal(&id, &expected));
    drop(alice);
}

static void range_hashes_are_those_of_the_notes(void **state)
{
    (void)state;
    struct span one = from_hex(RECORD_ID "00000001"), two = from_hex("00000000000000000000000000000002 00000007");
    struct span parts[] = {one, two};
    uint8_t digest[16];
    assert_int_equal(crypto.md5(crypto.self, parts, 1, digest), PEER_OK);
    assert_bytes((struct span){digest, 16}, "11bf34cf5dc558f8df8585f41bdede6e");
    assert_int_equal(crypto.md5(crypto.self, parts, 2, digest), PEER_OK);
    assert_bytes((struct span){digest, 16}, "9be065bd71429029eaceee77c95359e1");
    drop(one), drop(two);
}

static void reserved_types(void **state)
{
    (void)state;
    static const char *const reserved[] = {
        "00000100000000000000000000000000", "00000200000000000000000000000000", "00000300000000000000000000000000",
        "00000400000000000000000000000000", "01000000000000000000000000000000", "02000000000000000000000000000000",
    };
    static const char *const free_ones[] = {
        TYPE_ONES,
        "00000000000000000000000000000000",
        "00000500000000000000000000000000",
        "00000100000000000000000000000001",
        "03000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        peer_guid type = guid_of(reserved[i]);
        assert_true(peer__type_is_reserved(&type));
    }
    for (size_t i = 0; i < sizeof(free_ones) / sizeof(free_ones[0]); i++) {
        peer_guid type = guid_of(free_ones[i]);
        assert_false(peer__type_is_reserved(&type));
    }
}

/* ---- 6.9 ---- */

static void assert_wins(const struct record_fields *winner, const struct record_fields *loser)
{
    assert_true(peer__record_compare(winner, loser) > 0);
    assert_true(peer__record_compare(loser, winner) < 0);
}

/* For each key the one that wins by it loses by the next. */
static void conflicts_are_decided_key_by_key(void **state)
{
    (void)state;
    struct span a = from_hex("00610000"), ab = from_hex("006100620000"), b = from_hex("00620000");
    struct span alef = from_hex("05d00000"), one = from_hex("7f"), high = from_hex("80"), two = from_hex("0000");
    struct record_fields x = {.version = 2}, y = {.version = 1, .modifier_id = b};
    assert_wins(&x, &y);

    x = (struct record_fields){.modifier_id = a}, y = (struct record_fields){.modified = 9};
    assert_wins(&x, &y);

    x = (struct record_fields){.modifier_id = b, .modified = 1};
    y = (struct record_fields){.modifier_id = a, .modified = 9};
    assert_wins(&x, &y);
    y.modifier_id = ab;
    assert_wins(&x, &y);
    x.modifier_id = alef; /* by unit, not by byte of another order */
    y.modifier_id = b;
    assert_wins(&x, &y);
    x.modifier_id = ab;
    y.modifier_id = a;
    assert_wins(&x, &y);

    x = (struct record_fields){.modified = 2, .security_data = {0}};
    y = (struct record_fields){.modified = 1, .security_data = two};
    assert_wins(&x, &y);

    x = (struct record_fields){.security_data = two}, y = (struct record_fields){.security_data = high};
    assert_wins(&x, &y);

    x = (struct record_fields){.security_data = high}, y = (struct record_fields){.security_data = one};
    assert_wins(&x, &y);

    x = y;
    x.payload = two; /* never compared */
    x.created = 77;
    assert_int_equal(peer__record_compare(&x, &y), 0);
    drop(a), drop(ab), drop(b), drop(alef), drop(one), drop(high), drop(two);
}

static void what_does_not_fit_is_not_encoded(void **state)
{
    (void)state;
    struct record *base = decoded(V_RECORD), *record;
    struct record_fields f;
    const uint8_t *some = base->wire; /* refused before anything is read */
    f = base->fields, f.attributes = (struct span){some, 3};
    assert_int_equal(peer__record_encode(&f, &record), E_INVALIDARG);
    f = base->fields, f.creator_id.size--;
    assert_int_equal(peer__record_encode(&f, &record), E_INVALIDARG);
    f = base->fields, f.payload = (struct span){some, RECORD_SIZE_MAX + 1};
    assert_int_equal(peer__record_encode(&f, &record), E_INVALIDARG);
    f = base->fields, f.attributes = (struct span){some, RECORD_SIZE_MAX - 4};
    assert_int_equal(peer__record_encode(&f, &record), E_INVALIDARG);
    f = base->fields, f.security_data = (struct span){some, SECURITY_DATA_SIZE_MAX + 1};
    assert_int_equal(peer__record_encode(&f, &record), E_INVALIDARG);
    f = base->fields, f.flags = 1;
    assert_int_equal(peer__record_encode(&f, &record), E_INVALIDARG);
    peer__record_release(base);
}

static void a_record_lives_until_its_last_reference(void **state)
{
    (void)state;
    int64_t live = peer__memory_live();
    struct record *record = decoded(V_RECORD);
    assert_ptr_equal(peer__record_retain(record), record);
    peer__record_release(record);
    assert_int_equal(record->fields.version, 1);
    peer__record_release(record);
    peer__record_release(NULL);
    assert_int_equal(peer__memory_live(), live);
}

static void mutations_never_hurt(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int round = 0; round < 40000; round++) {
        struct span wire = from_hex(round % 2 != 0 ? V_RECORD : V_TOMBSTONE);
        uint8_t *data = (uint8_t *)(uintptr_t)wire.data;
        struct record *record;
        for (uint32_t i = next_random(&seed) % 4; i > 0; i--)
            data[next_random(&seed) % wire.size] ^= (uint8_t)(1u << next_random(&seed) % 8);
        if (peer__record_decode(wire, &record) == PEER_OK) {
            checked(&record->fields);
            assert_memory_equal(record->wire, data, wire.size);
            peer__record_release(record);
        }
        drop(wire);
    }
}

static peer_status decode_and_encode(void)
{
    struct span wire = from_hex(V_RECORD);
    struct record *record = NULL, *again = NULL;
    peer_status status = peer__record_decode(wire, &record);
    if (status == PEER_OK)
        status = peer__record_encode(&record->fields, &again);
    peer__record_release(record);
    peer__record_release(again);
    drop(wire);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(decode_and_encode);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_go_both_ways),
        cmocka_unit_test(fields_are_what_the_vector_says),
        cmocka_unit_test(every_prefix_and_every_longer_one_is_refused),
        cmocka_unit_test(the_smallest_records),
        cmocka_unit_test(reserved_bytes_are_kept_and_unknown_flags_refused),
        cmocka_unit_test(lengths_past_the_end_are_refused),
        cmocka_unit_test(ids_have_2_to_256_units),
        cmocka_unit_test(fields_beyond_their_limits_are_refused),
        cmocka_unit_test(each_rule_is_checked),
        cmocka_unit_test(fixed_ids_belong_to_their_types),
        cmocka_unit_test(record_ids_are_made_of_the_creator),
        cmocka_unit_test(range_hashes_are_those_of_the_notes),
        cmocka_unit_test(reserved_types),
        cmocka_unit_test(conflicts_are_decided_key_by_key),
        cmocka_unit_test(what_does_not_fit_is_not_encoded),
        cmocka_unit_test(a_record_lives_until_its_last_reference),
        cmocka_unit_test(mutations_never_hurt),
        cmocka_unit_test(no_memory),
    };
    struct random random;
    if (peer__crypto_create(&crypto, &random) != PEER_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    peer__crypto_destroy(&crypto);
    return failed;
}
