/**
 * Constructed test vectors of the wire (spec 17.2), as hex digits with spaces anywhere. They assume D-01 (GUIDs in string
 * order), D-02 (UTF-16BE), D-03 (frame size without itself) and D-10 (MD5 over UTF-16BE with its NUL). Graph "G1", initiator
 * "alice" node 0x0123456789ABCDEF, responder "bob" node 0x8877665544332211, T = 2021-01-01T00:00:00Z.
 */
#ifndef TESTS_UNIT_VECTORS_H
#define TESTS_UNIT_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#define T_TICKS UINT64_C(0x01D6DFD10C358000)
#define NODE_ALICE UINT64_C(0x0123456789ABCDEF)
#define NODE_BOB UINT64_C(0x8877665544332211)
#define UTF16_G1 "004700310000"
#define UTF16_ALICE "0061006c0069006300650000"
#define TYPE_ONES "11111111222233334444555555555555"
#define RECORD_ID "551f483f411fcd1d8888888888888888"
#define INFO_TYPE "00000100000000000000000000000000"

#define V_AUTH_INFO "00000019 10 01 0000 01 00 0010 0013 0019 473100 616c69636500"
#define V_AUTH_INFO_FRAME "0019" V_AUTH_INFO
#define V_CONNECT "00000018 10 02 0000 01 00 0018 0018 0000 0123456789abcdef"
#define V_CONNECT_UPDATE                                                                                               \
    "0000002c 10 02 0000 08 01 0018 002c 0000 0123456789abcdef 0017 1388 20010db8000000000000000000000001"
#define V_WELCOME                                                                                                      \
    "00000038 10 03 0000 8877665544332211 01d6dfd10c358000 01 00 0020 0034 0038 0017 1388"                             \
    "20010db8000000000000000000000003 626f6200"
#define V_REFUSE "0000000c 10 04 0000 04 00 0000"
#define V_DISCONNECT "0000000c 10 05 0000 01 00 000c"
#define V_SOLICIT_INFO "0000001c 10 06 0000 01 00 000c" INFO_TYPE
#define V_SOLICIT_REST "0000002c 10 06 0000 00 02 000c" INFO_TYPE "00000400000000000000000000000000"
#define V_SOLICIT_TIME "00000024 10 07 0000 01 00 0014 01d6dfd10c358000" INFO_TYPE
#define V_SYNC_END "0000000c 10 0c 0000 01 00 0000"
#define V_PING "0000001c 10 0d 0000 001c 0000 0ccbb0d2be414bd6914b058ec5dcce64"
#define V_RECORD                                                                                                       \
    TYPE_ONES RECORD_ID "00000001 000000 00 00000006" UTF16_ALICE "00000000 00000000"                                  \
                        "01d6dfd10c358000 01d6dfd271d63c00 01d6dfd10c358000"                                           \
                        "00000003" UTF16_G1 "0100 00000005 68656c6c6f 00000000"
#define V_FLOOD "0000007d 10 0b 0000 000c 0000" V_RECORD
#define V_TOMBSTONE                                                                                                    \
    TYPE_ONES RECORD_ID "00000002 000000 02 00000006" UTF16_ALICE "00000006" UTF16_ALICE "00000000"                    \
                        "01d6dfd10c358000 01d6dfd271d63c00 01d6dfd1122b6100"                                           \
                        "00000003" UTF16_G1 "0100 00000000 00000000"
#define V_ACK "00000020 10 0e 0000 0001 000c" RECORD_ID "00000001"
#define V_SOLICIT_HASH                                                                                                 \
    "0000003c 10 08 0000 00 00 0014 00000001 0014 0000 11bf34cf5dc558f8df8585f41bdede6e 01d6dfd10c358000" RECORD_ID
#define V_ADVERTISE                                                                                                    \
    "00000060 10 09 0000 00000001 00000001 0018 0000 0000004c 0000000000000000"                                        \
    "00000000000000000000000000000000 01d6dfd10c358000" RECORD_ID "00000001" RECORD_ID "00000001"
#define V_REQUEST "00000024 10 0a 0000 00000001 00000010" RECORD_ID "00000001"
#define V_REQUEST_EMPTY "00000014 10 0a 0000 00000000 00000010 00000000"
/* Ours: from the beginning to T with a fingerprint, then to T and the id that begins with 80, and after a gap up to the end
 * as lists. */
#define V_COMPARE                                                                                                      \
    "0000005c 10 21 0000 01d6dfd10c358000 0003 0000 02 01d6dfd10c358000 00 000102030405060708090a0b0c0d0e0f"           \
    "03 01d6dfd10c358000 01 80 01 01d6dfd10c358000 10 ffffffffffffffffffffffffffffffff ffffffffffffffff 00"
#define V_DIFFER                                                                                                       \
    "0000005a 10 22 0000 0003 0000 0000 00 0001 01 0001" RECORD_ID "00000001 0011223344556677"                         \
    "0002 02 fffffffffffffffe 00 0001" RECORD_ID "00000002 8899aabbccddeeff"
#define V_DIFFER_NOTHING "0000000c 10 22 0000 0000 0000"
#define V_PT2PT "0000001e 10 0d 0000 001c 0000" TYPE_ONES "6869"

#define V_GRAPH_INFO                                                                                                   \
    "0000003a 00000002 00000001 00000003" UTF16_G1 "00000006" UTF16_ALICE "00000000 00000000"                          \
    "0000012c ffffffff 00000000"
#define V_ADDRESS "00000020 0017 1388 00000000 20010db8000000000000000000000001 00000000"
#define V_CONTACT "0123456789abcdef 0123456789abcdef 00000001" V_ADDRESS
#define V_PRESENCE "0123456789abcdef 00000000 00000001" V_ADDRESS

static const char *const message_vectors[] = {
    V_AUTH_INFO,    V_CONNECT,      V_CONNECT_UPDATE, V_WELCOME, V_REFUSE,  V_DISCONNECT, V_SOLICIT_INFO,
    V_SOLICIT_REST, V_SOLICIT_TIME, V_SYNC_END,       V_PING,    V_FLOOD,   V_ACK,        V_SOLICIT_HASH,
    V_ADVERTISE,    V_REQUEST,      V_REQUEST_EMPTY,  V_PT2PT,   V_COMPARE, V_DIFFER,     V_DIFFER_NOTHING,
};
#define MESSAGE_VECTOR_COUNT (sizeof(message_vectors) / sizeof(message_vectors[0]))

#endif
