/** Numbers of MS-PPGRH 2.2, 3.1.1 and 3.1.5 that bound what is sent and accepted (spec parts 3 and 7.1), and our own. */
#ifndef PEER_WIRE_LIMITS_H
#define PEER_WIRE_LIMITS_H

#define FRAME_SIZE_DEFAULT 16379u /* 3.1.1 */
#define FRAME_SIZE_MAX 32768u     /* 2.2 */

#define RECORD_SIZE_MAX 62914560u /* 2.2.3.1: payload and attributes */
#define RECORD_SIZE_MIN_LIMIT 1024u
#define SECURITY_DATA_SIZE_MAX (64u * 1024) /* ours */
/** A FLOOD with the largest record: payload and attributes, three ids, security data, the fixed fields. */
#define MESSAGE_SIZE_MAX (RECORD_SIZE_MAX + SECURITY_DATA_SIZE_MAX + 8192u)
#define MESSAGE_SIZE_MAX_UNAUTHENTICATED (64u * 1024) /* spec part 3 */

#define ID_UNITS_MAX 256u /* with terminator: graph, peer and creator ids, friendly name */
#define COMMENT_UNITS_MAX 512u
#define REFERRALS_MAX 10u
#define PRECEDENCE_MAX 253u /* the exclusion count is one byte and holds two more types */

#endif
