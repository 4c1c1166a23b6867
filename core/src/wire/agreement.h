/**
 * The choices that decide whether our bytes agree with Windows and that the published text leaves open, one constant
 * each (spec part 19). Everything else in wire/ follows the text.
 */
#ifndef PEER_WIRE_AGREEMENT_H
#define PEER_WIRE_AGREEMENT_H

#define WIRE_GUID_IN_STRING_ORDER 1            /* D-01 */
#define WIRE_UTF16_BIG_ENDIAN 1                /* D-02 */
#define WIRE_FRAME_SIZE_COUNTS_ITSELF 0        /* D-03 */
#define WIRE_ENCRYPTS_PER_FRAME 1              /* D-05 */
#define WIRE_RECORD_ID_HASHES_TERMINATOR 1     /* D-10 */

#endif
