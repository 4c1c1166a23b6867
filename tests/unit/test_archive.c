/* The file of an exported database: its bytes, both ways, and whatever else a file may hold. */
#include "tls/crypto.h"
#include "unit/check.h"
#include "wire/archive.h"

static struct crypto crypto;

#define GRAPH "0067 0000"
#define PEER "0070 0000"

struct seen {
    size_t heads;
    size_t records;
    size_t ends;
    size_t bytes; /* of records */
    size_t sum;
};

static struct buffer small_file(void)
{
    struct archive_writer writer;
    struct buffer out = {0};
    struct span graph_id = from_hex(GRAPH);
    struct span peer_id = from_hex(PEER);
    const struct archive_head head = {
        .ready = 1, .time_delta = -2, .clock_step = 3, .time_known = 4, .left = 5, graph_id, peer_id};
    assert_int_equal(peer__archive_begin(&writer, &crypto, &out), PEER_OK);
    peer__archive_write_head(&writer, &out, &head);
    assert_int_equal(peer__archive_seal(&writer, &crypto, &out), PEER_OK);
    peer__archive_begin_records(&writer, &out);
    peer__archive_write_record(&writer, &out, &(struct archive_record){1, text_span("first")});
    peer__archive_write_record(&writer, &out, &(struct archive_record){0, text_span(NULL)});
    assert_int_equal(peer__archive_seal(&writer, &crypto, &out), PEER_OK);
    peer__archive_write_end(&writer, &out);
    assert_int_equal(peer__archive_seal(&writer, &crypto, &out), PEER_OK);
    drop(graph_id);
    drop(peer_id);
    return out;
}

static peer_status read_body(enum archive_kind kind, struct span body, struct seen *seen)
{
    struct archive_head head;
    struct archive_record record;
    struct reader reader = peer__reader(body);
    uint64_t count;
    switch (kind) {
    case ARCHIVE_HEAD:
        seen->heads++;
        return peer__archive_read_head(body, &head);
    case ARCHIVE_RECORDS:
        while (peer__archive_read_record(&reader, &record)) {
            seen->records++;
            seen->bytes += record.wire.size;
            for (size_t i = 0; i < record.wire.size; i++) /* each byte of it lies within the block */
                seen->sum += record.wire.data[i];
        }
        return reader.failed ? PEER_E_INVALID_DATABASE : PEER_OK;
    case ARCHIVE_END:
        seen->ends++;
        return peer__archive_read_end(body, &count);
    case ARCHIVE_NONE:
        break;
    }
    return PEER_OK;
}

/* As the import does: each piece in a block of its own size. */
static peer_status read_all(struct span file, struct seen *seen)
{
    struct archive_reader reader = {0};
    size_t at = 0;
    size_t size;
    *seen = (struct seen){0};
    while ((size = peer__archive_wants(&reader)) > 0) {
        enum archive_kind kind;
        struct span body = {0};
        if (size > file.size - at)
            return PEER_E_INVALID_DATABASE;
        struct span bytes = exact(file.data + at, size);
        peer_status status = peer__archive_take(&reader, &crypto, bytes, &kind, &body);
        if (status >= 0)
            status = read_body(kind, body, seen);
        drop(bytes);
        if (status < 0)
            return status;
        at += size;
    }
    return at == file.size ? PEER_OK : PEER_E_INVALID_DATABASE;
}

static struct span span_of(const struct buffer *buffer)
{
    return (struct span){buffer->data, buffer->size};
}

static void both_ways(void **state)
{
    (void)state;
    struct buffer file = small_file();
    struct seen seen;
    assert_int_equal(read_all(span_of(&file), &seen), PEER_OK);
    assert_int_equal(seen.heads, 1);
    assert_int_equal(seen.records, 2);
    assert_int_equal(seen.bytes, 5);
    assert_int_equal(seen.sum, 'f' + 'i' + 'r' + 's' + 't');
    assert_int_equal(seen.ends, 1);

    static const char begin[] = "70656572677261706820 6578706f7274 00000001"
                                "00000001 00000034 00000001 fffffffffffffffe 0000000000000003 0000000000000004"
                                "0000000000000005 00000004" GRAPH "00000004" PEER;
    assert_bytes((struct span){file.data, 20 + 8 + 52}, begin);
    assert_bytes((struct span){file.data + 20 + 8 + 52 + 32, 8 + 21},
                 "00000002 00000015 00000001 00000005 6669727374 00000000 00000000");
    peer__buffer_free(&file);
}

static void the_head_comes_back(void **state)
{
    (void)state;
    struct buffer file = small_file();
    struct archive_head head;
    assert_int_equal(peer__archive_read_head((struct span){file.data + 28, 52}, &head), PEER_OK);
    assert_int_equal(head.ready, 1);
    assert_true(head.time_delta == -2 && head.clock_step == 3 && head.time_known == 4 && head.left == 5);
    assert_bytes(head.graph_id, GRAPH);
    assert_bytes(head.peer_id, PEER);
    for (size_t size = 0; size < 52; size++) {
        struct span prefix = exact(file.data + 28, size);
        assert_int_equal(peer__archive_read_head(prefix, &head), PEER_E_INVALID_DATABASE);
        drop(prefix);
    }
    peer__buffer_free(&file);
}

static void every_cut_and_every_flipped_bit_is_found(void **state)
{
    (void)state;
    struct buffer file = small_file();
    struct seen seen;
    for (size_t size = 0; size < file.size; size++)
        assert_int_equal(read_all((struct span){file.data, size}, &seen), PEER_E_INVALID_DATABASE);
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(read_all(span_of(&file), &seen), PEER_E_INVALID_DATABASE);
        file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    peer__buffer_u8(&file, 0);
    assert_int_equal(read_all(span_of(&file), &seen), PEER_E_INVALID_DATABASE);
    peer__buffer_free(&file);
}

/* A piece, of any kind and content, with a digest that fits. */
static void random_piece(struct archive_writer *writer, struct buffer *out, uint64_t *seed)
{
    static const uint8_t sample[] = {0, 0, 0, 1, 0, 0, 0, 4, 'a', 'b', 'c', 'd'};
    size_t size = next_random(seed) % 64;
    peer__archive_begin_records(writer, out);
    out->data[writer->piece_at + 3] = (uint8_t)(next_random(seed) % 5); /* the kind */
    for (size_t i = 0; i < size; i++)
        peer__buffer_u8(out, next_random(seed) % 8 == 0 ? (uint8_t)next_random(seed) : sample[i % sizeof(sample)]);
    assert_int_equal(peer__archive_seal(writer, &crypto, out), PEER_OK);
}

static void anything_with_right_checksums_is_read_within_its_bounds(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    size_t good = 0;
    size_t records = 0;
    for (int round = 0; round < 20000; round++) {
        struct archive_writer writer;
        struct buffer out = {0};
        struct seen seen;
        struct span id = from_hex(GRAPH);
        assert_int_equal(peer__archive_begin(&writer, &crypto, &out), PEER_OK);
        if (next_random(&seed) % 8 != 0) {
            peer__archive_write_head(&writer, &out, &(struct archive_head){.graph_id = id, .peer_id = id});
            if (next_random(&seed) % 4 == 0)
                out.data[20 + 8 + next_random(&seed) % 48] ^= (uint8_t)next_random(&seed);
            assert_int_equal(peer__archive_seal(&writer, &crypto, &out), PEER_OK);
        }
        for (uint32_t i = next_random(&seed) % 3; i > 0; i--)
            random_piece(&writer, &out, &seed);
        peer__archive_write_end(&writer, &out);
        assert_int_equal(peer__archive_seal(&writer, &crypto, &out), PEER_OK);
        good += read_all(span_of(&out), &seen) == PEER_OK;
        records += seen.records;
        drop(id);
        peer__buffer_free(&out);
    }
    assert_in_range(good, 100, 19900); /* both outcomes were tried */
    assert_true(records > 1000);
}

static void a_promise_is_not_believed(void **state)
{
    (void)state;
    struct archive_reader reader = {0};
    enum archive_kind kind;
    struct span body;
    struct span begin = from_hex("706565726772617068206578706f7274 00000001");
    struct span large = from_hex("00000001 fffffff0");
    assert_int_equal(peer__archive_take(&reader, &crypto, begin, &kind, &body), PEER_OK);
    assert_int_equal(peer__archive_wants(&reader), 8);
    assert_int_equal(peer__archive_take(&reader, &crypto, large, &kind, &body), PEER_E_INVALID_DATABASE);
    drop(begin);
    drop(large);
}

static int set_up(void **state)
{
    (void)state;
    static struct random random;
    return peer__crypto_create(&crypto, &random) == PEER_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    peer__crypto_destroy(&crypto);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(the_head_comes_back),
        cmocka_unit_test(every_cut_and_every_flipped_bit_is_found),
        cmocka_unit_test(anything_with_right_checksums_is_read_within_its_bounds),
        cmocka_unit_test(a_promise_is_not_believed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
