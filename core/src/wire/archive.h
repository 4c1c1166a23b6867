/**
 * The file of an exported database (ours; graph-api.md 14): written and read piece by piece, so that any size takes little
 * memory. All numbers are big-endian.
 *
 *   16 bytes "peergraph export", format version (4)
 *   pieces, each: kind (4), size of the body (4), body, digest (32)
 *
 * A digest is the SHA-256 of the digest before it, kind, size and body; before the first piece stands the SHA-256 of the
 * first 20 bytes. So each digest covers all that precedes it: damage is found at the piece where it is, and the last
 * digest is that of the whole file. The pieces are one HEAD, any number of RECORDS, one END, and nothing behind it.
 *
 *   HEAD     flags (4; bit 0: synchronized), peer time delta (8), clock step (8), a peer time that was sure (8), the last
 *            peer time in the graph (8), graph id and peer id, each: size (4), UTF-16BE with terminator
 *   RECORDS  each: local flags (4), size (4), the record as it travels (wire/record.h)
 *   END      number of records (8)
 *
 * A record may stand twice, if it was changed while the file was written; the later one counts.
 */
#ifndef PEER_WIRE_ARCHIVE_H
#define PEER_WIRE_ARCHIVE_H

#include "base/bytes.h"
#include "base/crypto.h"

#define ARCHIVE_VERSION 1u
#define ARCHIVE_DIGEST_SIZE 32u
/** A piece of RECORDS is ended when it has so many bytes; one record may make it larger. */
#define ARCHIVE_PIECE_SIZE (256u * 1024)

enum archive_kind { ARCHIVE_NONE, ARCHIVE_HEAD, ARCHIVE_RECORDS, ARCHIVE_END };

/** Whose database it is, and what its settings say. The spans belong to somebody else. */
struct archive_head {
    int ready; /* it was synchronized */
    int64_t time_delta;
    int64_t clock_step;
    uint64_t time_known;
    uint64_t left;
    struct span graph_id;
    struct span peer_id;
};

struct archive_record {
    uint32_t local_flags;
    struct span wire;
};

/* ---- writing */

struct archive_writer {
    uint8_t digest[ARCHIVE_DIGEST_SIZE];
    uint64_t record_count;
    size_t piece_at; /* in the buffer: the piece under way */
};

/** What every file begins with. */
peer_status peer__archive_begin(struct archive_writer *writer, const struct crypto *crypto, struct buffer *out);
void peer__archive_write_head(struct archive_writer *writer, struct buffer *out, const struct archive_head *head);
void peer__archive_begin_records(struct archive_writer *writer, struct buffer *out);
/** Into the piece of RECORDS under way. */
void peer__archive_write_record(struct archive_writer *writer, struct buffer *out, const struct archive_record *record);
void peer__archive_write_end(struct archive_writer *writer, struct buffer *out);
/** After each piece: its size and its digest. E_OUTOFMEMORY also if the buffer has failed before. */
peer_status peer__archive_seal(struct archive_writer *writer, const struct crypto *crypto, struct buffer *out);

/* ---- reading */

struct archive_reader {
    uint8_t digest[ARCHIVE_DIGEST_SIZE];
    enum archive_kind kind; /* of the last piece, or of the one whose first bytes were read */
    uint32_t size;
    int in_piece; /* the body is next */
    int begun;
};

/** How many bytes peer__archive_take wants next; 0: the file has to end here. */
size_t peer__archive_wants(const struct archive_reader *reader);
/**
 * Takes exactly as many bytes as it wants. `*kind_out` says what has been read and verified: ARCHIVE_NONE, or a piece
 * whose body, within `bytes`, is `*body_out`. PEER_E_INVALID_DATABASE: foreign, of a newer version, or damaged.
 */
peer_status peer__archive_take(struct archive_reader *reader, const struct crypto *crypto, struct span bytes,
                               enum archive_kind *kind_out, struct span *body_out);
/** PEER_E_INVALID_DATABASE */
peer_status peer__archive_read_head(struct span body, struct archive_head *head_out);
/** One after the other; 0: there is none any more, or `body->failed`. */
int peer__archive_read_record(struct reader *body, struct archive_record *record_out);
/** PEER_E_INVALID_DATABASE */
peer_status peer__archive_read_end(struct span body, uint64_t *record_count_out);

#endif
