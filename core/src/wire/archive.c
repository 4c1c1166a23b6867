#include "wire/archive.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/limits.h"

#define MAGIC_SIZE 16u
#define BEGIN_SIZE (MAGIC_SIZE + 4u)
#define PIECE_HEAD_SIZE 8u
#define RECORD_HEAD_SIZE 8u
#define FLAG_READY 1u
/** A piece has no more than what a full one and the largest record make. */
#define PIECE_SIZE_MAX (ARCHIVE_PIECE_SIZE + RECORD_HEAD_SIZE + MESSAGE_SIZE_MAX)

static const char magic[MAGIC_SIZE + 1] = "peergraph export";

static peer_status damaged(const char *what)
{
    return peer__fail(PEER_E_INVALID_DATABASE, "the file of the exported database is damaged: %s", what);
}

/* ------------------------------------------------------------------------------------------------------------- writing */

peer_status peer__archive_begin(struct archive_writer *writer, const struct crypto *crypto, struct buffer *out)
{
    *writer = (struct archive_writer){.piece_at = out->size};
    peer__buffer_append(out, magic, MAGIC_SIZE);
    peer__buffer_u32(out, ARCHIVE_VERSION);
    if (out->failed)
        return peer__out_of_memory();
    struct span begin = {out->data + writer->piece_at, BEGIN_SIZE};
    return crypto->sha256(crypto->self, &begin, 1, writer->digest);
}

static void begin_piece(struct archive_writer *writer, struct buffer *out, enum archive_kind kind)
{
    writer->piece_at = out->size;
    peer__buffer_u32(out, (uint32_t)kind);
    peer__buffer_u32(out, 0); /* its size, when that is known */
}

static void write_text(struct buffer *out, struct span text)
{
    peer__buffer_u32(out, (uint32_t)text.size);
    peer__buffer_append(out, text.data, text.size);
}

void peer__archive_write_head(struct archive_writer *writer, struct buffer *out, const struct archive_head *head)
{
    begin_piece(writer, out, ARCHIVE_HEAD);
    peer__buffer_u32(out, head->ready ? FLAG_READY : 0);
    peer__buffer_u64(out, (uint64_t)head->time_delta);
    peer__buffer_u64(out, (uint64_t)head->clock_step);
    peer__buffer_u64(out, head->time_known);
    peer__buffer_u64(out, head->left);
    write_text(out, head->graph_id);
    write_text(out, head->peer_id);
}

void peer__archive_begin_records(struct archive_writer *writer, struct buffer *out)
{
    begin_piece(writer, out, ARCHIVE_RECORDS);
}

void peer__archive_write_record(struct archive_writer *writer, struct buffer *out, const struct archive_record *record)
{
    peer__buffer_u32(out, record->local_flags);
    peer__buffer_u32(out, (uint32_t)record->wire.size);
    peer__buffer_append(out, record->wire.data, record->wire.size);
    writer->record_count++;
}

void peer__archive_write_end(struct archive_writer *writer, struct buffer *out)
{
    begin_piece(writer, out, ARCHIVE_END);
    peer__buffer_u64(out, writer->record_count);
}

static peer_status next_digest(uint8_t digest[ARCHIVE_DIGEST_SIZE], const struct crypto *crypto, struct span head,
                               struct span body)
{
    uint8_t before[ARCHIVE_DIGEST_SIZE];
    memcpy(before, digest, sizeof(before));
    const struct span parts[] = {{before, sizeof(before)}, head, body};
    return crypto->sha256(crypto->self, parts, body.size > 0 ? 3 : 2, digest);
}

peer_status peer__archive_seal(struct archive_writer *writer, const struct crypto *crypto, struct buffer *out)
{
    if (out->failed)
        return peer__out_of_memory();
    size_t size = out->size - writer->piece_at - PIECE_HEAD_SIZE;
    peer__buffer_set_u32(out, writer->piece_at + 4, (uint32_t)size);
    const uint8_t *piece = out->data + writer->piece_at;
    PEER_TRY(next_digest(writer->digest, crypto, (struct span){piece, PIECE_HEAD_SIZE},
                         (struct span){piece + PIECE_HEAD_SIZE, size}));
    peer__buffer_append(out, writer->digest, sizeof(writer->digest));
    return out->failed ? peer__out_of_memory() : PEER_OK;
}

/* ------------------------------------------------------------------------------------------------------------- reading */

size_t peer__archive_wants(const struct archive_reader *reader)
{
    if (!reader->begun)
        return BEGIN_SIZE;
    if (reader->in_piece)
        return (size_t)reader->size + ARCHIVE_DIGEST_SIZE;
    return reader->kind == ARCHIVE_END ? 0 : PIECE_HEAD_SIZE;
}

static peer_status take_begin(struct archive_reader *reader, const struct crypto *crypto, struct span bytes)
{
    struct reader from = peer__reader(bytes);
    struct span name = peer__read_span(&from, MAGIC_SIZE);
    uint32_t version = peer__read_u32(&from);
    if (from.failed || memcmp(name.data, magic, MAGIC_SIZE) != 0)
        return peer__fail(PEER_E_INVALID_DATABASE, "the file is no exported database of peergraph");
    if (version != ARCHIVE_VERSION)
        return peer__fail(PEER_E_INVALID_DATABASE,
                          "the exported database has format %u and this version of peergraph reads format %u",
                          (unsigned)version, ARCHIVE_VERSION);
    reader->begun = 1;
    return crypto->sha256(crypto->self, &bytes, 1, reader->digest);
}

static peer_status take_piece_head(struct archive_reader *reader, struct span bytes)
{
    struct reader from = peer__reader(bytes);
    uint32_t kind = peer__read_u32(&from);
    uint32_t size = peer__read_u32(&from);
    if (from.failed || kind < ARCHIVE_HEAD || kind > ARCHIVE_END ||
        (kind == ARCHIVE_HEAD) != (reader->kind == ARCHIVE_NONE))
        return damaged("its pieces are not in order");
    if (size > PIECE_SIZE_MAX)
        return damaged("a piece is larger than any can be");
    reader->kind = (enum archive_kind)kind;
    reader->size = size;
    reader->in_piece = 1;
    return PEER_OK;
}

static peer_status take_body(struct archive_reader *reader, const struct crypto *crypto, struct span bytes,
                             struct span *body_out)
{
    struct buffer head = {0};
    struct reader from = peer__reader(bytes);
    struct span body = peer__read_span(&from, reader->size);
    struct span digest = peer__read_span(&from, ARCHIVE_DIGEST_SIZE);
    if (from.failed || peer__read_left(&from) > 0)
        return damaged("a piece is torn");
    peer__buffer_u32(&head, (uint32_t)reader->kind);
    peer__buffer_u32(&head, reader->size);
    peer_status status = head.failed ? peer__out_of_memory() : PEER_OK;
    if (status >= 0)
        status = next_digest(reader->digest, crypto, (struct span){head.data, head.size}, body);
    peer__buffer_free(&head);
    PEER_TRY(status);
    if (memcmp(reader->digest, digest.data, ARCHIVE_DIGEST_SIZE) != 0)
        return damaged("a checksum is wrong");
    reader->in_piece = 0;
    *body_out = body;
    return PEER_OK;
}

peer_status peer__archive_take(struct archive_reader *reader, const struct crypto *crypto, struct span bytes,
                               enum archive_kind *kind_out, struct span *body_out)
{
    *kind_out = ARCHIVE_NONE;
    if (!reader->begun)
        return take_begin(reader, crypto, bytes);
    if (!reader->in_piece)
        return take_piece_head(reader, bytes);
    PEER_TRY(take_body(reader, crypto, bytes, body_out));
    *kind_out = reader->kind;
    return PEER_OK;
}

static struct span read_text(struct reader *from)
{
    uint32_t size = peer__read_u32(from);
    struct span text = peer__read_span(from, size);
    if (size > ID_UNITS_MAX * sizeof(uint16_t) || !peer__utf16_is_valid(text))
        from->failed = 1;
    return text;
}

peer_status peer__archive_read_head(struct span body, struct archive_head *head_out)
{
    struct reader from = peer__reader(body);
    uint32_t flags = peer__read_u32(&from);
    head_out->ready = (flags & FLAG_READY) != 0;
    head_out->time_delta = (int64_t)peer__read_u64(&from);
    head_out->clock_step = (int64_t)peer__read_u64(&from);
    head_out->time_known = peer__read_u64(&from);
    head_out->left = peer__read_u64(&from);
    head_out->graph_id = read_text(&from);
    head_out->peer_id = read_text(&from);
    if (from.failed || peer__read_left(&from) > 0 || (flags & ~FLAG_READY) != 0)
        return damaged("its head does not read");
    return PEER_OK;
}

int peer__archive_read_record(struct reader *body, struct archive_record *record_out)
{
    if (body->failed || peer__read_left(body) == 0)
        return 0;
    record_out->local_flags = peer__read_u32(body);
    record_out->wire = peer__read_span(body, peer__read_u32(body));
    return !body->failed;
}

peer_status peer__archive_read_end(struct span body, uint64_t *record_count_out)
{
    struct reader from = peer__reader(body);
    *record_count_out = peer__read_u64(&from);
    return from.failed || peer__read_left(&from) > 0 ? damaged("its end does not read") : PEER_OK;
}
