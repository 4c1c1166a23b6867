/**
 * The choices that decide whether our bytes agree with Windows and that the published text leaves open, one constant
 * each (spec part 19). It stands in base because GUIDs and texts are read and written there. D-05, encryption per
 * frame, joins them together with the first security provider.
 */
#ifndef PEER_BASE_AGREEMENT_H
#define PEER_BASE_AGREEMENT_H

#define WIRE_GUID_IN_STRING_ORDER 1        /* D-01; otherwise the first three parts are little-endian */
#define WIRE_UTF16_BIG_ENDIAN 1            /* D-02; records only, texts of messages are UTF-8 */
#define WIRE_FRAME_SIZE_COUNTS_ITSELF 0    /* D-03 */
#define WIRE_RECORD_ID_HASHES_TERMINATOR 1 /* D-10 */

#endif
