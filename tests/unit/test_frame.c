#include "unit/check.h"
#include "unit/vectors.h"
#include "wire/frame.h"
#include "wire/limits.h"
#include "wire/message.h"

static struct frame_assembler assembler_of(size_t frame_size_max, size_t message_size_max)
{
    return (struct frame_assembler){.frame_size_max = frame_size_max, .message_size_max = message_size_max};
}

/* A PT2PT of `size` bytes whose data counts up. */
static struct buffer message_of(size_t size)
{
    struct buffer data = {0}, message = {0};
    for (size_t i = 28; i < size; i++)
        peer__buffer_u8(&data, (uint8_t)i);
    peer__encode_pt2pt(&message, &peer__data_type_ping, (struct span){data.data, data.size});
    assert_int_equal(message.size, size);
    peer__buffer_free(&data);
    return message;
}

/* Gives `stream` in pieces of `piece` bytes and expects `count` times `message`. */
static void assert_arrives(struct frame_assembler *assembler, struct span stream, size_t piece, struct span message,
                           size_t count)
{
    size_t seen = 0;
    for (size_t at = 0; at < stream.size; at += piece) {
        size_t size = stream.size - at < piece ? stream.size - at : piece;
        struct span block = exact(stream.data + at, size), input = block, got;
        while (input.size != 0) {
            if (peer__frame_assemble(assembler, &input, &got) != PEER_OK)
                fail_msg("%s", peer__last_error());
            assert_true(got.size != 0 || input.size == 0);
            if (got.size != 0) {
                assert_true(peer__span_equal(got, message));
                seen++;
            }
        }
        drop(block);
    }
    assert_int_equal(seen, count);
}

static void a_small_message_is_one_frame(void **state)
{
    (void)state;
    struct span message = from_hex(V_AUTH_INFO);
    struct buffer out = {0};
    peer__frame_message(&out, message, FRAME_SIZE_DEFAULT);
    assert_buffer(&out, V_AUTH_INFO_FRAME);
    drop(message);
    peer__buffer_free(&out);
}

static void messages_pass_in_frames_of_any_size_and_pieces_of_any_size(void **state)
{
    (void)state;
    static const size_t frame_sizes[] = {1, 2, 3, 7, 8, 9, 28, 29, 1000, FRAME_SIZE_DEFAULT, FRAME_SIZE_MAX};
    static const size_t pieces[] = {1, 2, 3, 10, 4096, SIZE_MAX};
    static const size_t sizes[] = {28, 29, 300, 16379, 16380, 40000};
    for (size_t f = 0; f < sizeof(frame_sizes) / sizeof(frame_sizes[0]); f++) {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            struct buffer message = message_of(sizes[s]), stream = {0};
            struct span whole = {message.data, message.size};
            for (int i = 0; i < 3; i++)
                peer__frame_message(&stream, whole, frame_sizes[f]);
            size_t frame_count = (sizes[s] + frame_sizes[f] - 1) / frame_sizes[f];
            assert_int_equal(stream.size, 3 * (sizes[s] + 2 * frame_count));
            for (size_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++) {
                struct frame_assembler assembler = assembler_of(FRAME_SIZE_MAX, MESSAGE_SIZE_MAX);
                size_t piece = pieces[p] < stream.size ? pieces[p] : stream.size;
                assert_arrives(&assembler, (struct span){stream.data, stream.size}, piece, whole, 3);
                peer__frame_assembler_free(&assembler);
            }
            peer__buffer_free(&message);
            peer__buffer_free(&stream);
        }
    }
}

static peer_status assemble(struct frame_assembler *assembler, const char *hex, struct span *message_out)
{
    struct span bytes = from_hex(hex), input = bytes;
    *message_out = (struct span){0};
    peer_status status = peer__frame_assemble(assembler, &input, message_out);
    drop(bytes);
    return status;
}

static void assert_aborts(const char *hex, const char *says)
{
    struct frame_assembler assembler = assembler_of(30, 100);
    struct span message;
    assert_int_equal(assemble(&assembler, hex, &message), PEER_E_INVALID_RECORD);
    if (strstr(peer__last_error(), says) == NULL)
        fail_msg("should say \"%s\": \"%s\"", says, peer__last_error());
    peer__frame_assembler_free(&assembler);
}

static void frames_of_wrong_size_abort(void **state)
{
    (void)state;
    assert_aborts("0000", "a frame of 0 bytes");
    assert_aborts("001f", "a frame of 31 bytes");
    assert_aborts("ffff", "a frame of 65535 bytes");
    struct frame_assembler assembler = assembler_of(30, 100);
    struct span message;
    assert_int_equal(assemble(&assembler, "001e", &message), PEER_OK);
    peer__frame_assembler_free(&assembler);
}

static void the_largest_frame_passes_and_one_more_aborts(void **state)
{
    (void)state;
    struct buffer message = message_of(FRAME_SIZE_MAX), stream = {0};
    struct span whole = {message.data, message.size};
    peer__frame_message(&stream, whole, FRAME_SIZE_MAX);
    assert_int_equal(stream.size, FRAME_SIZE_MAX + 2);
    struct frame_assembler assembler = assembler_of(FRAME_SIZE_MAX, MESSAGE_SIZE_MAX);
    assert_arrives(&assembler, (struct span){stream.data, stream.size}, stream.size, whole, 1);
    peer__frame_assembler_free(&assembler);
    assembler = assembler_of(FRAME_SIZE_MAX - 1, MESSAGE_SIZE_MAX);
    struct span input = {stream.data, stream.size}, got;
    assert_int_equal(peer__frame_assemble(&assembler, &input, &got), PEER_E_INVALID_RECORD);
    peer__frame_assembler_free(&assembler);
    peer__buffer_free(&message);
    peer__buffer_free(&stream);
}

static void messages_of_wrong_size_abort(void **state)
{
    (void)state;
    assert_aborts("0008 0000000010010000", "a message of 0 bytes");
    assert_aborts("0008 0000000710010000", "a message of 7 bytes");
    assert_aborts("0008 0000006510010000", "a message of 101 bytes");
    assert_aborts("0008 ffffffff10010000", "a message of 4294967295 bytes");
    assert_aborts("0001 00 0001 00 0001 00 0001 07 0001 10 0001 01 0001 00 0001 00", "a message of 7 bytes");
    struct frame_assembler assembler = assembler_of(30, 100);
    struct span message;
    assert_int_equal(assemble(&assembler, "0008 0000000810010000", &message), PEER_OK);
    assert_int_equal(message.size, 8);
    assert_int_equal(assemble(&assembler, "0008 0000006410010000", &message), PEER_OK);
    assert_int_equal(message.size, 0);
    peer__frame_assembler_free(&assembler);
}

/* D-04, seen as soon as the sizes are known */
static void a_frame_past_the_end_of_its_message_aborts(void **state)
{
    (void)state;
    assert_aborts("0009 0000000810010000", "1 bytes past the end");
    assert_aborts("0004 0000000c 0009 10010000", "1 bytes past the end");
    assert_aborts("0008 0000000c10010000 0005", "1 bytes past the end");
}

static void the_limit_may_be_raised(void **state)
{
    (void)state;
    struct buffer message = message_of(200), stream = {0};
    struct span whole = {message.data, message.size};
    struct frame_assembler assembler = assembler_of(FRAME_SIZE_MAX, 100);
    struct span input, got;
    peer__frame_message(&stream, whole, 20);
    input = (struct span){stream.data, 9}; /* the header is not yet complete */
    assert_int_equal(peer__frame_assemble(&assembler, &input, &got), PEER_OK);
    assembler.message_size_max = 200;
    assert_arrives(&assembler, (struct span){stream.data + 9, stream.size - 9}, 5, whole, 1);
    peer__frame_assembler_free(&assembler);
    peer__buffer_free(&message);
    peer__buffer_free(&stream);
}

/* A sender that claims 60 MiB gets memory only for what it sends. */
static void a_claimed_size_allocates_nothing(void **state)
{
    (void)state;
    struct frame_assembler assembler = assembler_of(FRAME_SIZE_MAX, MESSAGE_SIZE_MAX);
    struct span message;
    assert_int_equal(assemble(&assembler, "0008 03c0000010010000 8000", &message), PEER_OK);
    size_t received = 12;
    assert_true(assembler.message.capacity <= 2 * received);
    for (int i = 0; i < 2000; i++, received++) {
        assert_int_equal(assemble(&assembler, "00", &message), PEER_OK);
        assert_true(assembler.message.capacity <= 2 * received);
    }
    peer__frame_assembler_free(&assembler);
    assert_null(assembler.message.data);
}

/* … and no more than the message needs: what doubling adds to 40 MiB is 24 MiB. */
static void a_large_message_takes_its_own_size(void **state)
{
    (void)state;
    struct buffer large = message_of(300000), stream = {0};
    struct frame_assembler assembler = assembler_of(FRAME_SIZE_MAX, MESSAGE_SIZE_MAX);
    struct span message = {0};
    peer__frame_message(&stream, (struct span){large.data, large.size}, FRAME_SIZE_DEFAULT);
    for (size_t at = 0; at < stream.size; at++) {
        struct span input = {stream.data + at, 1};
        assert_int_equal(peer__frame_assemble(&assembler, &input, &message), PEER_OK);
        assert_true(assembler.message.capacity <= large.size);
    }
    assert_int_equal(message.size, large.size);
    peer__frame_assembler_free(&assembler);
    peer__buffer_free(&large);
    peer__buffer_free(&stream);
}

static void a_large_message_gives_its_memory_back(void **state)
{
    (void)state;
    struct buffer large = message_of(200000), stream = {0};
    struct frame_assembler assembler = assembler_of(FRAME_SIZE_MAX, MESSAGE_SIZE_MAX);
    struct span whole = {large.data, large.size}, message;
    peer__frame_message(&stream, whole, FRAME_SIZE_DEFAULT);
    assert_arrives(&assembler, (struct span){stream.data, stream.size}, stream.size, whole, 1);
    assert_int_equal(assemble(&assembler, "0008 0000000810010000", &message), PEER_OK);
    assert_int_equal(message.size, 8);
    assert_true(assembler.message.capacity < 1000);
    peer__frame_assembler_free(&assembler);
    peer__buffer_free(&large);
    peer__buffer_free(&stream);
}

static void streams_of_noise_never_hurt(void **state)
{
    (void)state;
    uint64_t seed = 2211;
    for (int round = 0; round < 20000; round++) {
        struct frame_assembler assembler = assembler_of(60, 100);
        struct buffer stream = {0};
        for (int i = 0; i < 3; i++) {
            struct span message = from_hex(message_vectors[next_random(&seed) % MESSAGE_VECTOR_COUNT]);
            peer__frame_message(&stream, message, 1 + next_random(&seed) % 60);
            drop(message);
        }
        for (uint32_t i = next_random(&seed) % 4; i > 0; i--)
            stream.data[next_random(&seed) % (i % 2 != 0 ? 12 : stream.size)] ^= (uint8_t)next_random(&seed);
        peer_status status = PEER_OK;
        for (size_t at = 0; at < stream.size && status == PEER_OK;) {
            size_t size = 1 + next_random(&seed) % 40;
            if (size > stream.size - at)
                size = stream.size - at;
            struct span block = exact(stream.data + at, size), input = block, message;
            while (input.size != 0 && status == PEER_OK)
                status = peer__frame_assemble(&assembler, &input, &message);
            assert_true(assembler.message.size <= 100);
            drop(block);
            at += size;
        }
        peer__frame_assembler_free(&assembler);
        peer__buffer_free(&stream);
    }
}

static peer_status frame_and_assemble(void)
{
    struct buffer out = {0};
    struct span message = from_hex(V_FLOOD), got = {0};
    struct frame_assembler assembler = assembler_of(FRAME_SIZE_MAX, MESSAGE_SIZE_MAX);
    peer_status status = PEER_OK;
    peer__frame_message(&out, message, 10);
    if (out.failed) {
        assert_int_equal(out.size, 0);
        status = E_OUTOFMEMORY;
    }
    struct span input = {out.data, out.size};
    while (status == PEER_OK && input.size != 0)
        status = peer__frame_assemble(&assembler, &input, &got);
    assert_true(status != PEER_OK || peer__span_equal(got, message));
    peer__frame_assembler_free(&assembler);
    peer__buffer_free(&out);
    drop(message);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(frame_and_assemble);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_message_is_one_frame),
        cmocka_unit_test(messages_pass_in_frames_of_any_size_and_pieces_of_any_size),
        cmocka_unit_test(frames_of_wrong_size_abort),
        cmocka_unit_test(the_largest_frame_passes_and_one_more_aborts),
        cmocka_unit_test(messages_of_wrong_size_abort),
        cmocka_unit_test(a_frame_past_the_end_of_its_message_aborts),
        cmocka_unit_test(the_limit_may_be_raised),
        cmocka_unit_test(a_claimed_size_allocates_nothing),
        cmocka_unit_test(a_large_message_takes_its_own_size),
        cmocka_unit_test(a_large_message_gives_its_memory_back),
        cmocka_unit_test(streams_of_noise_never_hurt),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
