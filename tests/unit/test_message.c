#include "tls/crypto.h"
#include "unit/check.h"
#include "unit/vectors.h"
#include "wire/message.h"
#include "wire/payload.h"
#include "wire/record.h"

static struct wire_message decoded(struct span bytes)
{
    struct wire_message message;
    if (peer__message_decode(bytes, &message) != PEER_OK)
        fail_msg("%s", peer__last_error());
    return message;
}

static void assert_text(struct span text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_non_null(text.data);
    assert_memory_equal(text.data, expected, text.size);
}

static struct address address_5000(uint8_t last)
{
    return (struct address){.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = last}, .port = 5000};
}

static const peer_guid info_type = {{[2] = 1}};
static const peer_guid presence_type = {{[2] = 4}};

/* ---- every vector both ways ---- */

static void auth_info_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    peer__encode_auth_info(&out, CONNECTION_NEIGHBOUR, text_span("G1"), text_span("alice"), text_span(NULL));
    assert_buffer(&out, V_AUTH_INFO);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.type, MESSAGE_AUTH_INFO);
    assert_int_equal(message.as.auth_info.connection_type, CONNECTION_NEIGHBOUR);
    assert_text(message.as.auth_info.graph_id, "G1");
    assert_text(message.as.auth_info.source_peer_id, "alice");
    assert_null(message.as.auth_info.destination_peer_id.data);

    peer__buffer_clear(&out);
    peer__encode_auth_info(&out, CONNECTION_DIRECT, text_span("G1"), text_span("alice"), text_span("bob"));
    message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.auth_info.connection_type, CONNECTION_DIRECT);
    assert_text(message.as.auth_info.destination_peer_id, "bob");
    peer__buffer_free(&out);
}

static void connect_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct address address = address_5000(1), read;
    address.scope_id = 9; /* does not travel */
    peer__encode_connect(&out, CONNECT_FLAG_NEIGHBOURS, NODE_ALICE, NULL, 0, text_span(NULL), NULL);
    assert_buffer(&out, V_CONNECT);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.connect.flags, CONNECT_FLAG_NEIGHBOURS);
    assert_true(message.as.connect.node_id == NODE_ALICE);
    assert_int_equal(message.as.connect.addresses.count, 0);
    assert_null(message.as.connect.friendly_name.data);

    peer__buffer_clear(&out);
    peer__encode_connect(&out, CONNECT_FLAG_UPDATE, NODE_ALICE, &address, 1, text_span(NULL), NULL);
    assert_buffer(&out, V_CONNECT_UPDATE);
    message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.connect.flags, CONNECT_FLAG_UPDATE);
    assert_int_equal(message.as.connect.addresses.count, 1);
    assert_true(peer__wire_address(&message.as.connect.addresses, 0, &read));
    address.scope_id = 0;
    assert_true(peer__address_equal(&read, &address));

    peer__buffer_clear(&out);
    peer__encode_connect(&out, CONNECT_FLAG_DIRECT, NODE_ALICE, &address, 1, text_span("J\xc3\xb6rg"), NULL);
    message = decoded((struct span){out.data, out.size});
    assert_text(message.as.connect.friendly_name, "J\xc3\xb6rg");
    peer__buffer_free(&out);
}

static void welcome_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct address referrals[2] = {address_5000(3), address_5000(4)}, read;
    peer__encode_welcome(&out, NODE_BOB, T_TICKS, referrals, 1, text_span("bob"), text_span(NULL), NULL);
    assert_buffer(&out, V_WELCOME);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_true(message.as.welcome.node_id == NODE_BOB && message.as.welcome.peer_time == T_TICKS);
    assert_int_equal(message.as.welcome.referrals.count, 1);
    assert_true(peer__wire_address(&message.as.welcome.referrals, 0, &read));
    assert_true(peer__address_equal(&read, &referrals[0]));
    assert_text(message.as.welcome.peer_id, "bob");
    assert_null(message.as.welcome.friendly_name.data);

    peer__buffer_clear(&out);
    peer__encode_welcome(&out, NODE_BOB, T_TICKS, referrals, 2, text_span("bob"), text_span(""), NULL);
    message = decoded((struct span){out.data, out.size});
    assert_true(peer__wire_address(&message.as.welcome.referrals, 1, &read));
    assert_true(peer__address_equal(&read, &referrals[1]));
    assert_text(message.as.welcome.friendly_name, "");
    peer__buffer_free(&out);
}

static void refuse_and_disconnect_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct address referral = address_5000(3), read;
    peer__encode_refuse(&out, REFUSE_DIRECT_DISALLOWED, NULL, 0);
    assert_buffer(&out, V_REFUSE);
    assert_int_equal(decoded((struct span){out.data, out.size}).as.refuse.code, REFUSE_DIRECT_DISALLOWED);
    peer__buffer_clear(&out);
    peer__encode_disconnect(&out, DISCONNECT_LEAVING, NULL, 0);
    assert_buffer(&out, V_DISCONNECT);
    assert_int_equal(decoded((struct span){out.data, out.size}).as.disconnect.code, DISCONNECT_LEAVING);

    peer__buffer_clear(&out);
    peer__encode_refuse(&out, REFUSE_BUSY, &referral, 1);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.refuse.referrals.count, 1);
    assert_true(peer__wire_address(&message.as.refuse.referrals, 0, &read));
    assert_true(peer__address_equal(&read, &referral));
    peer__buffer_clear(&out);
    peer__encode_disconnect(&out, DISCONNECT_LEAST_USEFUL, &referral, 1);
    message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.type, MESSAGE_DISCONNECT);
    assert_true(peer__wire_address(&message.as.disconnect.referrals, 0, &read));
    peer__buffer_free(&out);
}

static void solicit_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    const peer_guid types[] = {info_type, presence_type};
    peer_guid read;
    peer__encode_solicit_new(&out, 1, 0, types);
    assert_buffer(&out, V_SOLICIT_INFO);
    peer__buffer_clear(&out);
    peer__encode_solicit_new(&out, 0, 2, types);
    assert_buffer(&out, V_SOLICIT_REST);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.solicit.inclusion_count, 0);
    assert_int_equal(message.as.solicit.exclusion_count, 2);
    for (size_t i = 0; i < 2; i++) {
        peer__wire_type(&message.as.solicit, i, &read);
        assert_true(peer__guid_equal(&read, &types[i]));
    }
    peer__buffer_clear(&out);
    peer__encode_solicit_time(&out, 1, 0, types, T_TICKS);
    assert_buffer(&out, V_SOLICIT_TIME);
    message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.solicit.inclusion_count, 1);
    assert_true(message.as.solicit.since == T_TICKS);
    peer__wire_type(&message.as.solicit, 0, &read);
    assert_true(peer__guid_equal(&read, &info_type));
    peer__buffer_free(&out);
}

static void hash_synchronization_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_hash_entry entry = {.modified = T_TICKS, .record_id = guid_of(RECORD_ID)}, entry_read;
    peer_guid hash = guid_of("11bf34cf5dc558f8df8585f41bdede6e");
    memcpy(entry.hash, hash.bytes, 16);
    peer__encode_solicit_hash(&out, &entry, 1);
    assert_buffer(&out, V_SOLICIT_HASH);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.solicit.hash_count, 1);
    peer__wire_hash_entry(&message.as.solicit, 0, &entry_read);
    assert_memory_equal(entry_read.hash, entry.hash, 16);
    assert_true(entry_read.modified == T_TICKS && peer__guid_equal(&entry_read.record_id, &entry.record_id));

    peer__buffer_clear(&out);
    struct wire_hash_boundary boundary = {.modified_upper = T_TICKS, .record_id_upper = entry.record_id, .count = 1};
    struct wire_abstract abstract = {.record_id = entry.record_id, .version = 1}, abstract_read;
    peer__encode_advertise(&out, &boundary, 1, &abstract, 1);
    assert_buffer(&out, V_ADVERTISE);
    message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.advertise.boundary_count, 1);
    assert_int_equal(message.as.advertise.abstract_count, 1);
    struct wire_hash_boundary boundary_read;
    peer__wire_boundary(&message.as.advertise, 0, &boundary_read);
    assert_true(boundary_read.modified_lower == 0 && peer__guid_is_zero(&boundary_read.record_id_lower));
    assert_true(boundary_read.modified_upper == T_TICKS && boundary_read.count == 1);
    assert_true(peer__guid_equal(&boundary_read.record_id_upper, &entry.record_id));
    peer__wire_abstract(message.as.advertise.abstracts, 0, &abstract_read);
    assert_true(peer__guid_equal(&abstract_read.record_id, &entry.record_id) && abstract_read.version == 1);

    peer__buffer_clear(&out);
    peer__encode_request(&out, &abstract, 1);
    assert_buffer(&out, V_REQUEST);
    message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.request.abstract_count, 1);
    peer__wire_abstract(message.as.request.abstracts, 0, &abstract_read);
    assert_true(peer__guid_equal(&abstract_read.record_id, &entry.record_id));
    peer__buffer_clear(&out);
    peer__encode_request(&out, NULL, 0);
    assert_buffer(&out, V_REQUEST_EMPTY);
    assert_int_equal(decoded((struct span){out.data, out.size}).as.request.abstract_count, 0);
    peer__buffer_free(&out);
}

static void flood_and_ack_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct span record = from_hex(V_RECORD);
    peer__encode_flood(&out, record);
    assert_buffer(&out, V_FLOOD);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_true(peer__span_equal(message.as.flood.record, record));
    drop(record);

    peer__buffer_clear(&out);
    struct wire_ack_entry entries[2] = {{guid_of(RECORD_ID), 1}, {info_type, 0}}, read;
    peer__encode_ack(&out, entries, 1);
    assert_buffer(&out, V_ACK);
    peer__buffer_clear(&out);
    peer__encode_ack(&out, entries, 2);
    message = decoded((struct span){out.data, out.size});
    assert_int_equal(message.as.ack.count, 2);
    for (size_t i = 0; i < 2; i++) {
        peer__wire_ack_entry(&message.as.ack, i, &read);
        assert_true(peer__guid_equal(&read.record_id, &entries[i].record_id));
        assert_int_equal(read.useful, entries[i].useful);
    }
    peer__buffer_free(&out);
}

static void the_others_both_ways(void **state)
{
    (void)state;
    struct buffer out = {0};
    peer__encode_sync_end(&out);
    assert_buffer(&out, V_SYNC_END);
    assert_int_equal(decoded((struct span){out.data, out.size}).as.sync_end.final, 1);
    peer__buffer_clear(&out);
    peer__encode_pt2pt(&out, &peer__data_type_ping, (struct span){0});
    assert_buffer(&out, V_PING);
    struct wire_message message = decoded((struct span){out.data, out.size});
    assert_true(peer__guid_equal(&message.as.pt2pt.data_type, &peer__data_type_ping));
    assert_int_equal(message.as.pt2pt.data.size, 0);
    peer__buffer_clear(&out);
    peer_guid ones = guid_of(TYPE_ONES);
    peer__encode_pt2pt(&out, &ones, text_span("hi"));
    assert_buffer(&out, V_PT2PT);
    message = decoded((struct span){out.data, out.size});
    assert_text(message.as.pt2pt.data, "hi");
    peer__buffer_free(&out);
}

/* ---- each rule violated by itself ---- */

static const struct violation {
    const char *vector;
    size_t size;
    size_t at;
    const char *patch;
    const char *says;
} violations[] = {
    {V_SYNC_END, 0, 0, "0000000b", "Message Size is 11"},
    {V_SYNC_END, 0, 0, "0000000d", "Message Size is 13"},
    {V_SYNC_END, 0, 0, "00000007", "Message Size is 7"},
    {V_SYNC_END, 7, 0, "00000007", "Message Size is 7"},
    {V_SYNC_END, 0, 4, "11", "version 0x11"},
    {V_SYNC_END, 0, 4, "00", "version 0x00"},
    {V_SYNC_END, 0, 5, "00", "type 0x00"},
    {V_SYNC_END, 0, 5, "0f", "type 0x0f"},
    {V_SYNC_END, 0, 5, "20", "type 0x20"},
    {V_SYNC_END, 0, 5, "23", "type 0x23"},
    {V_SYNC_END, 0, 5, "ff", "type 0xff"},
    {V_SYNC_END, 11, 0, "", "shorter than its fixed part"},

    {V_AUTH_INFO, 15, 0, "", "shorter than its fixed part"},
    {V_AUTH_INFO, 0, 8, "00", "Connection Type"},
    {V_AUTH_INFO, 0, 8, "03", "Connection Type"},
    {V_AUTH_INFO, 0, 10, "0013", "out of order"},
    {V_AUTH_INFO, 0, 10, "0014", "out of order"},
    {V_AUTH_INFO, 0, 12, "0019", "out of order"},
    {V_AUTH_INFO, 0, 14, "0013", "out of order"},
    {V_AUTH_INFO, 0, 14, "001a", "out of order"},
    {V_AUTH_INFO, 0, 14, "ffff", "out of order"},
    {V_AUTH_INFO, 0, 10, "000f", "inside the fixed part"},
    {V_AUTH_INFO, 0, 16, "00", "Graph ID is empty"},
    {V_AUTH_INFO, 0, 19, "00", "Source Peer ID is empty"},
    {V_AUTH_INFO, 0, 18, "41", "no terminator"},
    {V_AUTH_INFO, 0, 24, "41", "no terminator"},
    {V_AUTH_INFO, 0, 16, "ff", "not UTF-8"},
    {V_AUTH_INFO, 0, 19, "c080", "not UTF-8"},
    {V_AUTH_INFO, 0, 19, "eda080", "not UTF-8"},
    {V_AUTH_INFO, 26, 0, "", "Destination Peer ID is empty"},
    {V_AUTH_INFO, 26, 25, "41", "no terminator"},
    {V_AUTH_INFO, 27, 25, "ff", "not UTF-8"},

    {V_CONNECT, 23, 0, "", "shorter than its fixed part"},
    {V_CONNECT, 0, 9, "01", "reaches too far"},
    {V_CONNECT, 0, 10, "0019", "reaches too far"},
    {V_CONNECT, 0, 12, "0017", "inside the addresses"},
    {V_CONNECT, 0, 12, "0019", "past the end"},
    {V_CONNECT, 0, 10, "0000 0010", "inside the fixed part"},
    {V_CONNECT_UPDATE, 0, 9, "02", "reaches too far"},
    {V_CONNECT_UPDATE, 0, 9, "ff", "reaches too far"},
    {V_CONNECT_UPDATE, 0, 10, "0017", "inside the fixed part"},
    {V_CONNECT_UPDATE, 0, 10, "0019", "reaches too far"},
    {V_CONNECT_UPDATE, 0, 10, "ffff", "reaches too far"},
    {V_CONNECT_UPDATE, 0, 12, "002b", "inside the addresses"},
    {V_CONNECT_UPDATE, 0, 12, "002d", "past the end"},
    {V_CONNECT_UPDATE, 45, 44, "41", "no terminator"},
    {V_CONNECT_UPDATE, 46, 44, "80", "not UTF-8"},

    {V_WELCOME, 31, 0, "", "shorter than its fixed part"},
    {V_WELCOME, 0, 24, "02", "reaches too far"},
    {V_WELCOME, 0, 26, "001f", "inside the fixed part"},
    {V_WELCOME, 0, 26, "0025", "reaches too far"},
    {V_WELCOME, 0, 26, "0024", "nothing follows"},
    {V_WELCOME, 52, 28, "0034 0034", "nothing follows"},
    {V_WELCOME, 0, 28, "0033", "inside the addresses"},
    {V_WELCOME, 0, 28, "0038", "not behind Peer ID"},
    {V_WELCOME, 0, 30, "0034", "not behind Peer ID"},
    {V_WELCOME, 0, 30, "0039", "past the end"},
    {V_WELCOME, 0, 52, "00", "Peer ID is empty"},
    {V_WELCOME, 0, 55, "41", "no terminator"},
    {V_WELCOME, 0, 52, "ff", "not UTF-8"},
    {V_WELCOME, 57, 56, "41", "no terminator"},
    {V_WELCOME, 0, 24, "00 00 0000 0010 0038", "inside the fixed part"},

    {V_REFUSE, 11, 0, "", "shorter than its fixed part"},
    {V_REFUSE, 0, 8, "00", "code is unknown"},
    {V_REFUSE, 0, 8, "05", "code is unknown"},
    {V_REFUSE, 0, 9, "01 000c", "reaches too far"},
    {V_REFUSE, 0, 10, "000d", "reaches too far"},
    {V_REFUSE, 32, 9, "01 000b", "inside the fixed part"},
    {V_DISCONNECT, 11, 0, "", "shorter than its fixed part"},
    {V_DISCONNECT, 0, 8, "00", "code is unknown"},
    {V_DISCONNECT, 0, 8, "04", "code is unknown"},
    {V_DISCONNECT, 0, 9, "01", "reaches too far"},
    {V_DISCONNECT, 0, 10, "000d", "reaches too far"},
    {V_DISCONNECT, 32, 9, "01 000b", "inside the fixed part"},

    {V_SOLICIT_INFO, 11, 0, "", "shorter than its fixed part"},
    {V_SOLICIT_REST, 0, 8, "02 00", "Inclusion Count is above 1"},
    {V_SOLICIT_REST, 0, 8, "01 01", "both set"},
    {V_SOLICIT_INFO, 0, 8, "00 02", "reaches too far"},
    {V_SOLICIT_INFO, 0, 8, "00 ff", "reaches too far"},
    {V_SOLICIT_INFO, 0, 10, "000b", "inside the fixed part"},
    {V_SOLICIT_INFO, 0, 10, "000d", "reaches too far"},
    {V_SOLICIT_INFO, 0, 8, "00 00 001d", "reaches too far"},
    {V_SOLICIT_TIME, 19, 0, "", "shorter than its fixed part"},
    {V_SOLICIT_TIME, 0, 8, "02 00", "Inclusion Count is above 1"},
    {V_SOLICIT_TIME, 0, 8, "01 01", "both set"},
    {V_SOLICIT_TIME, 0, 8, "00 02", "reaches too far"},
    {V_SOLICIT_TIME, 0, 10, "0013", "inside the fixed part"},
    {V_SOLICIT_TIME, 0, 10, "0015", "reaches too far"},
    {V_SOLICIT_HASH, 19, 0, "", "shorter than its fixed part"},
    {V_SOLICIT_HASH, 0, 8, "01 01", "both set"},
    {V_SOLICIT_HASH, 0, 8, "00 01", "reaches too far"}, /* the types would lie on the hashes */
    {V_SOLICIT_HASH, 0, 10, "0015", "reaches too far"},
    {V_SOLICIT_HASH, 0, 16, "0013", "inside the fixed part"},
    {V_SOLICIT_HASH, 0, 16, "0015", "reaches too far"},
    {V_SOLICIT_HASH, 0, 12, "00000002", "reaches too far"},
    {V_SOLICIT_HASH, 0, 12, "ffffffff", "reaches too far"},
    {V_SOLICIT_HASH, 0, 12, "66666667", "reaches too far"}, /* times 40 is 8 in 32 bits */
    {V_SOLICIT_HASH, 0, 12, "00000000 003d", "reaches too far"},

    {V_ADVERTISE, 23, 0, "", "shorter than its fixed part"},
    {V_ADVERTISE, 0, 16, "0017", "inside the fixed part"},
    {V_ADVERTISE, 0, 16, "0019", "reaches too far"},
    {V_ADVERTISE, 0, 8, "00000002", "reaches too far"},
    {V_ADVERTISE, 0, 8, "ffffffff", "reaches too far"},
    {V_ADVERTISE, 0, 12, "00000002", "reaches too far"},
    {V_ADVERTISE, 0, 12, "ffffffff", "reaches too far"},
    {V_ADVERTISE, 0, 12, "0ccccccd", "reaches too far"}, /* times 20 is 4 in 32 bits */
    {V_ADVERTISE, 0, 20, "0000004b", "reaches too far"},
    {V_ADVERTISE, 0, 20, "0000004d", "reaches too far"},
    {V_ADVERTISE, 0, 20, "ffffffff", "reaches too far"},
    {V_ADVERTISE, 0, 20, "00000017", "inside the fixed part"},
    {V_ADVERTISE, 0, 8, "00000000 00000000 0018 0000 00000061", "reaches too far"},
    {V_ADVERTISE, 0, 8, "00000000 00000000 0019 0000 00000018", "reaches too far"},

    {V_REQUEST, 15, 0, "", "shorter than its fixed part"},
    {V_REQUEST, 0, 12, "0000000f", "inside the fixed part"},
    {V_REQUEST, 0, 12, "00000011", "reaches too far"},
    {V_REQUEST, 0, 8, "00000002", "reaches too far"},
    {V_REQUEST, 0, 8, "ffffffff", "reaches too far"},
    {V_REQUEST, 0, 8, "0ccccccd", "reaches too far"},
    {V_REQUEST, 0, 12, "ffffffff", "reaches too far"},
    {V_REQUEST_EMPTY, 0, 12, "00000015", "reaches too far"},

    {V_FLOOD, 11, 0, "", "shorter than its fixed part"},
    {V_FLOOD, 12, 0, "", "shorter than 16"},
    {V_FLOOD, 15, 0, "", "shorter than 16"},
    {V_FLOOD, 0, 8, "007e", "past the end"},
    {V_FLOOD, 0, 8, "000b", "inside the fixed part"},
    {V_FLOOD, 0, 10, "0001", "Reserved2"},
    {V_FLOOD, 0, 10, "8000", "Reserved2"},

    {V_PT2PT, 27, 0, "", "shorter than its fixed part"},
    {V_PT2PT, 0, 8, "001b", "inside the fixed part"},
    {V_PT2PT, 0, 8, "001f", "past the end"},

    {V_ACK, 11, 0, "", "shorter than its fixed part"},
    {V_ACK, 0, 8, "0002", "reaches too far"},
    {V_ACK, 0, 8, "ffff", "reaches too far"},
    {V_ACK, 0, 10, "000b", "inside the fixed part"},
    {V_ACK, 0, 10, "000d", "reaches too far"},
    {V_ACK, 0, 8, "0000 0021", "reaches too far"},
};

static void each_violation_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(violations) / sizeof(violations[0]); i++) {
        const struct violation *violation = &violations[i];
        struct span bytes = patched(violation->vector, violation->size, violation->at, violation->patch);
        struct wire_message message = {.type = 0xEE};
        peer_status status = peer__message_decode(bytes, &message);
        if (status != PEER_E_INVALID_RECORD || strstr(peer__last_error(), violation->says) == NULL)
            fail_msg("case %zu should say \"%s\": %d \"%s\"", i, violation->says, status, peer__last_error());
        assert_int_equal(message.type, 0xEE);
        drop(bytes);
    }
}

static const struct {
    const char *vector;
    size_t size;
    size_t at;
    const char *patch;
} tolerated[] = {
    {V_SYNC_END, 0, 6, "ffff"},          /* Reserved */
    {V_SYNC_END, 0, 8, "fe ff ffff"},    /* not final (D-08), reserved fields */
    {V_SYNC_END, 20, 0, ""},             /* bytes behind the known part, 1.7 */
    {V_AUTH_INFO, 0, 9, "ff"},           /* Reserved2 */
    {V_CONNECT, 0, 8, "ff"},             /* unknown flags */
    {V_CONNECT, 0, 14, "ffff"},          /* Reserved2 */
    {V_CONNECT, 0, 10, "0000"},          /* offset of nothing */
    {V_CONNECT, 100, 10, "0064 0064"},   /* an extension block and no addresses */
    {V_CONNECT, 120, 9, "01 0064 0078"}, /* an extension block and an address */
    {V_WELCOME, 0, 25, "ff"},            /* Reserved2 */
    {V_WELCOME, 0, 24, "00 00 0000"},    /* offset of nothing, 3.1.5.2.1 */
    {V_WELCOME, 0, 24, "00 00 0034"},    /* an extension block and no referrals */
    {V_REFUSE, 32, 9, "01 000c"},
    {V_SOLICIT_HASH, 0, 18, "ffff"}, /* Reserved2 */
    {V_ADVERTISE, 0, 18, "ffff"},    /* Reserved2 */
    {V_REQUEST_EMPTY, 16, 0, ""},    /* D-06 */
    {V_FLOOD, 16, 0, ""},            /* the record is bad, the message is not */
    {V_PT2PT, 0, 10, "ffff"},        /* Reserved2 */
    {V_ACK, 0, 28, "fffffffe"},      /* bits beside U */
};

static void what_may_differ_is_tolerated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tolerated) / sizeof(tolerated[0]); i++) {
        struct span bytes = patched(tolerated[i].vector, tolerated[i].size, tolerated[i].at, tolerated[i].patch);
        struct wire_message message;
        if (peer__message_decode(bytes, &message) != PEER_OK)
            fail_msg("case %zu: %s", i, peer__last_error());
        drop(bytes);
    }
}

static void an_extension_block_hides_nothing(void **state)
{
    (void)state;
    struct span bytes = from_hex("0000003c 10 02 0000 09 01 0024 0038 0000 0123456789abcdef"
                                 "ffeeddccbbaa998877665544 0017 1388 20010db8000000000000000000000001 616c6900");
    struct wire_message message = decoded(bytes);
    struct address address, expected = address_5000(1);
    assert_true(peer__wire_address(&message.as.connect.addresses, 0, &address));
    assert_true(peer__address_equal(&address, &expected));
    assert_text(message.as.connect.friendly_name, "ali");
    drop(bytes);
}

static void unusable_addresses_are_skipped(void **state)
{
    (void)state;
    static const char *const patches[] = {"0002 1388", "0017 0000", "1700 1388"};
    for (size_t i = 0; i < 3; i++) {
        struct span bytes = patched(V_CONNECT_UPDATE, 0, 24, patches[i]);
        struct wire_message message = decoded(bytes);
        struct address address;
        assert_false(peer__wire_address(&message.as.connect.addresses, 0, &address));
        drop(bytes);
    }
}

static void texts_are_as_long_as_an_id(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'x', sizeof(text));
    for (size_t size = 254; size <= 257; size++) {
        struct buffer out = {0};
        struct wire_message message;
        struct span id = {(const uint8_t *)text, size};
        peer__encode_auth_info(&out, CONNECTION_NEIGHBOUR, id, text_span("a"), text_span(NULL));
        assert_int_equal(peer__message_decode((struct span){out.data, out.size}, &message),
                         size <= 255 ? PEER_OK : PEER_E_INVALID_RECORD);
        peer__buffer_free(&out);
    }
}

/* ---- bytes from anywhere ---- */

/* Reads everything that a decoded message points to. */
static unsigned touch_span(struct span span)
{
    unsigned sum = 0;
    for (size_t i = 0; i < span.size; i++)
        sum += span.data[i];
    return sum;
}

static void touch_addresses(const struct wire_addresses *addresses)
{
    struct address address;
    for (size_t i = 0; i < addresses->count; i++)
        peer__wire_address(addresses, i, &address);
}

static struct crypto crypto;

static void touch_record(struct span wire)
{
    struct record *record;
    if (peer__record_decode(wire, &record) != PEER_OK)
        return;
    struct graph_info info;
    struct contact contact;
    struct presence presence;
    uint64_t signature;
    peer__record_check(&record->fields, &crypto);
    peer__graph_info_decode(record->fields.payload, &info);
    peer__contact_decode(record->fields.payload, &contact);
    peer__presence_decode(record->fields.payload, &presence);
    peer__signature_decode(record->fields.payload, &signature);
    touch_span(record->fields.attributes);
    peer__record_release(record);
}

static size_t touch_ranges(const struct wire_compare *compare)
{
    struct reader reader = peer__reader(compare->ranges);
    struct wire_range range = {0};
    size_t count = 0;
    for (; peer__wire_next_range(&reader, &range); count++)
        assert_true(peer__bound_compare(&range.lower, &range.upper) < 0);
    return count;
}

static size_t touch_differences(const struct wire_differ *differ)
{
    struct reader reader = peer__reader(differ->differences);
    struct wire_difference difference;
    struct wire_listed listed;
    size_t count = 0;
    for (; peer__wire_next_difference(&reader, &difference); count++) {
        for (size_t i = 0; i < difference.listed_count; i++)
            peer__wire_listed(difference.listed, i, &listed);
    }
    return count;
}

static void touch_sync(const struct wire_message *message)
{
    struct wire_abstract abstract;
    struct wire_hash_boundary boundary;
    struct wire_hash_entry entry;
    peer_guid type;
    if (message->type == MESSAGE_ADVERTISE) {
        for (size_t i = 0; i < message->as.advertise.boundary_count; i++)
            peer__wire_boundary(&message->as.advertise, i, &boundary);
        for (size_t i = 0; i < message->as.advertise.abstract_count; i++)
            peer__wire_abstract(message->as.advertise.abstracts, i, &abstract);
    } else if (message->type == MESSAGE_REQUEST) {
        for (size_t i = 0; i < message->as.request.abstract_count; i++)
            peer__wire_abstract(message->as.request.abstracts, i, &abstract);
    } else if (message->type == MESSAGE_COMPARE) {
        assert_int_equal(touch_ranges(&message->as.compare), message->as.compare.range_count);
    } else if (message->type == MESSAGE_DIFFER) {
        assert_int_equal(touch_differences(&message->as.differ), message->as.differ.difference_count);
    } else {
        const struct wire_solicit *solicit = &message->as.solicit;
        for (size_t i = 0; i < (size_t)solicit->inclusion_count + solicit->exclusion_count; i++)
            peer__wire_type(solicit, i, &type);
        for (size_t i = 0; i < solicit->hash_count; i++)
            peer__wire_hash_entry(solicit, i, &entry);
    }
}

static void touch(const struct wire_message *message)
{
    struct wire_ack_entry entry;
    switch (message->type) {
    case MESSAGE_AUTH_INFO:
        touch_span(message->as.auth_info.graph_id);
        touch_span(message->as.auth_info.source_peer_id);
        touch_span(message->as.auth_info.destination_peer_id);
        break;
    case MESSAGE_CONNECT:
        touch_addresses(&message->as.connect.addresses);
        touch_span(message->as.connect.friendly_name);
        break;
    case MESSAGE_WELCOME:
        touch_addresses(&message->as.welcome.referrals);
        touch_span(message->as.welcome.peer_id);
        touch_span(message->as.welcome.friendly_name);
        break;
    case MESSAGE_REFUSE:
    case MESSAGE_DISCONNECT:
        touch_addresses(&message->as.refuse.referrals);
        break;
    case MESSAGE_FLOOD:
        touch_record(message->as.flood.record);
        break;
    case MESSAGE_PT2PT:
        touch_span(message->as.pt2pt.data);
        break;
    case MESSAGE_ACK:
        for (size_t i = 0; i < message->as.ack.count; i++)
            peer__wire_ack_entry(&message->as.ack, i, &entry);
        break;
    case MESSAGE_SYNC_END:
        break;
    default:
        touch_sync(message);
        break;
    }
}

static void every_prefix_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_VECTOR_COUNT; i++) {
        struct span whole = from_hex(message_vectors[i]);
        for (size_t size = 0; size < whole.size; size++) {
            struct wire_message message;
            struct span prefix = exact(whole.data, size);
            assert_int_equal(peer__message_decode(prefix, &message), PEER_E_INVALID_RECORD);
            if (size >= 4) {
                /* It claims to be whole: right or wrong, nothing beyond it may be read. */
                struct buffer view = {.data = (uint8_t *)(uintptr_t)prefix.data, .size = size, .capacity = size};
                peer__buffer_set_u32(&view, 0, (uint32_t)size);
                if (peer__message_decode(prefix, &message) == PEER_OK)
                    touch(&message);
            }
            drop(prefix);
        }
        drop(whole);
    }
}

static void mutations_never_hurt(void **state)
{
    (void)state;
    uint64_t seed = 20210625;
    size_t good = 0;
    for (int round = 0; round < 60000; round++) {
        struct span original = from_hex(message_vectors[next_random(&seed) % MESSAGE_VECTOR_COUNT]);
        size_t size = original.size;
        if (next_random(&seed) % 4 == 0)
            size = 4 + next_random(&seed) % (2 * size);
        uint8_t *data = calloc(1, size);
        memcpy(data, original.data, size < original.size ? size : original.size);
        struct buffer view = {.data = data, .size = size, .capacity = size};
        peer__buffer_set_u32(&view, 0, (uint32_t)size);
        for (uint32_t i = next_random(&seed) % 5; i > 0; i--) {
            uint32_t what = next_random(&seed);
            size_t at = next_random(&seed) % (what % 2 != 0 && size > 32 ? 32 : size);
            data[at] = what & 2 ? (uint8_t)(what >> 8) : (uint8_t)(data[at] + (what & 4 ? 1 : -1));
        }
        struct wire_message message;
        if (peer__message_decode((struct span){data, size}, &message) == PEER_OK) {
            good++;
            touch(&message);
        }
        free(data);
        drop(original);
    }
    assert_in_range(good, 5000, 55000); /* both outcomes were tried */
}

/* ---- memory ---- */

static peer_status encode_everything(void)
{
    struct buffer out = {0};
    struct address address = address_5000(1);
    struct wire_abstract abstract = {.version = 1};
    struct wire_hash_entry entry = {.modified = 1};
    struct wire_hash_boundary boundary = {.count = 1};
    struct wire_ack_entry ack = {.useful = 1};
    struct wire_range range = {.upper = {.modified = 1}};
    peer__encode_auth_info(&out, CONNECTION_NEIGHBOUR, text_span("G1"), text_span("alice"), text_span("bob"));
    peer__encode_connect(&out, 0, 1, &address, 1, text_span("Alice"), NULL);
    peer__encode_welcome(&out, 1, 2, &address, 1, text_span("bob"), text_span("Bob"), NULL);
    peer__encode_refuse(&out, REFUSE_BUSY, &address, 1);
    peer__encode_disconnect(&out, DISCONNECT_LEAVING, &address, 1);
    peer__encode_solicit_new(&out, 0, 1, &info_type);
    peer__encode_solicit_time(&out, 1, 0, &info_type, 5);
    peer__encode_solicit_hash(&out, &entry, 1);
    peer__encode_advertise(&out, &boundary, 1, &abstract, 1);
    peer__encode_request(&out, &abstract, 1);
    peer__encode_flood(&out, text_span("record"));
    peer__encode_sync_end(&out);
    peer__encode_pt2pt(&out, &info_type, text_span("data"));
    peer__encode_ack(&out, &ack, 1);
    peer__encode_compare(&out, 1, &range, 1);
    peer__encode_differ(&out, 0, (struct span){0});
    /* What is there is whole messages. */
    for (struct span rest = {out.data, out.size}; rest.size != 0;) {
        struct reader reader = peer__reader(rest);
        struct wire_message message;
        size_t size = peer__read_u32(&reader);
        assert_true(size <= rest.size && peer__message_decode((struct span){rest.data, size}, &message) == PEER_OK);
        rest = (struct span){rest.data + size, rest.size - size};
    }
    peer_status status = out.failed ? E_OUTOFMEMORY : PEER_OK;
    peer__buffer_free(&out);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(encode_everything);
}

static void names_of_messages(void **state)
{
    (void)state;
    assert_string_equal(peer__message_name(MESSAGE_AUTH_INFO), "AUTH_INFO");
    assert_string_equal(peer__message_name(MESSAGE_ACK), "ACK");
    assert_string_equal(peer__message_name(0), "unknown message");
    assert_string_equal(peer__message_name(0x0f), "unknown message");
    assert_string_equal(peer__message_name(MESSAGE_DIFFER), "DIFFER");
    assert_string_equal(peer__message_name(0x23), "unknown message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auth_info_both_ways),
        cmocka_unit_test(connect_both_ways),
        cmocka_unit_test(welcome_both_ways),
        cmocka_unit_test(refuse_and_disconnect_both_ways),
        cmocka_unit_test(solicit_both_ways),
        cmocka_unit_test(hash_synchronization_both_ways),
        cmocka_unit_test(flood_and_ack_both_ways),
        cmocka_unit_test(the_others_both_ways),
        cmocka_unit_test(each_violation_is_refused),
        cmocka_unit_test(what_may_differ_is_tolerated),
        cmocka_unit_test(an_extension_block_hides_nothing),
        cmocka_unit_test(unusable_addresses_are_skipped),
        cmocka_unit_test(texts_are_as_long_as_an_id),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(mutations_never_hurt),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(names_of_messages),
    };
    struct random random;
    if (peer__crypto_create(&crypto, &random) != PEER_OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    peer__crypto_destroy(&crypto);
    return failed;
}
