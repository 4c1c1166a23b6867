/** Sizes of the structures that messages and records are made of (MS-PPGRH 2.2.1). For the codecs of wire/ only. */
#ifndef PEER_WIRE_LAYOUT_H
#define PEER_WIRE_LAYOUT_H

#define FAMILY_IPV6 0x0017u

#define WIRE_TYPE_SIZE 16u
#define WIRE_ADDRESS_SIZE 20u        /* PEER_IN6_ADDRESS, 2.2.1.3: in messages */
#define WIRE_RECORD_ADDRESS_SIZE 32u /* PEER_ADDRESS, 2.2.1.5: in records */
#define WIRE_ABSTRACT_SIZE 20u       /* RECORD_ABSTRACT, 2.2.1.6 */
#define WIRE_HASH_ENTRY_SIZE 40u     /* HASH_INFO_ENTRY, 2.2.1.7 */
#define WIRE_BOUNDARY_SIZE 52u       /* HASH_ENTRY_BOUNDARY, 2.2.1.8 */
#define WIRE_ACK_ENTRY_SIZE 20u      /* 2.2.2.14 */

/* Of COMPARE and DIFFER, docs/extensions.md. */
#define WIRE_FINGERPRINT_SIZE 16u
#define WIRE_LISTED_SIZE 28u

/* Fixed parts of the messages, 2.2.2.1 to 2.2.2.14; what follows them is found by offsets. */
#define AUTH_INFO_FIXED_SIZE 16u
#define CONNECT_FIXED_SIZE 24u
#define WELCOME_FIXED_SIZE 32u
#define REFUSE_FIXED_SIZE 12u
#define SOLICIT_NEW_FIXED_SIZE 12u
#define SOLICIT_TIME_FIXED_SIZE 20u
#define SOLICIT_HASH_FIXED_SIZE 20u
#define ADVERTISE_FIXED_SIZE 24u
#define REQUEST_FIXED_SIZE 16u
#define FLOOD_FIXED_SIZE 12u
#define SYNC_END_FIXED_SIZE 12u
#define PT2PT_FIXED_SIZE 28u
#define ACK_FIXED_SIZE 12u
#define COMPARE_FIXED_SIZE 20u
#define DIFFER_FIXED_SIZE 12u

#endif
