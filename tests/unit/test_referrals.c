/* What a graph remembers of addresses: the referral list (MS-PPGRH 3.1.1), rest and budget (decisions.md 14), and the
 * address book on disk (decisions.md 13). */
#include "graph/mesh/address_book.h"
#include "graph/mesh/referrals.h"
#include "unit/store_world.h"

#define MINUTE_US INT64_C(60000000)
#define TICKS_PER_DAY (INT64_C(86400) * 10000000)

static struct address address(unsigned number)
{
    struct address address = {.port = (uint16_t)(number + 1)};
    address.ip[0] = 0xFD;
    address.ip[15] = (uint8_t)number;
    return address;
}

static void the_oldest_of_a_hundred_gives_way(void **state)
{
    (void)state;
    struct referrals referrals = {0};
    for (unsigned i = 0; i < 103; i++) {
        struct address each = address(i);
        peer__referrals_add(&referrals, &each);
        peer__referrals_add(&referrals, &each); /* once is enough */
    }
    assert_int_equal(referrals.count, REFERRAL_LIST_MAX);
    assert_int_equal(referrals.list[0].address.port, 4);
    assert_int_equal(referrals.list[99].address.port, 103);
    peer__referrals_remove(&referrals, &referrals.list[50].address);
    struct address unknown = address(200);
    peer__referrals_remove(&referrals, &unknown);
    assert_int_equal(referrals.count, 99);
    assert_int_equal(referrals.list[50].address.port, 4 + 51);
}

static void the_eleventh_dial_of_a_minute_waits(void **state)
{
    (void)state;
    struct referrals referrals = {0};
    struct referral referral = {0};
    for (int i = 0; i < 10; i++) {
        assert_false(peer__referrals_exhausted(&referrals, 1000 + i));
        peer__referrals_attempt(&referrals, &referral, 1000 + i);
    }
    assert_true(referral.attempted);
    assert_true(peer__referrals_exhausted(&referrals, 1010));
    assert_true(peer__referrals_exhausted(&referrals, 999 + MINUTE_US));
    assert_false(peer__referrals_exhausted(&referrals, 1000 + MINUTE_US));
    peer__referrals_attempt(&referrals, &referral, 1000 + MINUTE_US);
    assert_true(peer__referrals_exhausted(&referrals, 1000 + MINUTE_US));
    assert_false(peer__referrals_exhausted(&referrals, 1001 + MINUTE_US));
}

static void what_fails_rests_five_minutes_and_then_thirty(void **state)
{
    (void)state;
    struct referrals referrals = {0};
    struct address one = address(1);
    struct address two = address(2);
    peer__address_failed(&referrals, &one, 0);
    assert_true(peer__address_rests(&referrals, &one, 5 * MINUTE_US - 1));
    assert_false(peer__address_rests(&referrals, &one, 5 * MINUTE_US));
    assert_false(peer__address_rests(&referrals, &two, 0));
    peer__address_failed(&referrals, &one, 10 * MINUTE_US);
    assert_true(peer__address_rests(&referrals, &one, 40 * MINUTE_US - 1));
    assert_false(peer__address_rests(&referrals, &one, 40 * MINUTE_US));
    peer__address_worked(&referrals, &one);
    peer__address_worked(&referrals, &two);
    assert_int_equal(referrals.resting_count, 0);
    peer__address_failed(&referrals, &one, 40 * MINUTE_US);
    assert_false(peer__address_rests(&referrals, &one, 45 * MINUTE_US));
}

static void who_would_rest_the_shortest_gives_way(void **state)
{
    (void)state;
    struct referrals referrals = {0};
    for (unsigned i = 0; i < RESTING_MAX + 1; i++) {
        struct address each = {.port = (uint16_t)(i + 1)};
        peer__address_failed(&referrals, &each, i == 7 ? 0 : 1000 + (int64_t)i);
    }
    assert_int_equal(referrals.resting_count, RESTING_MAX);
    assert_false(peer__address_rests(&referrals, &(struct address){.port = 8}, 1));
    assert_true(peer__address_rests(&referrals, &(struct address){.port = RESTING_MAX + 1}, 1));
}

static int is_worth_saving(struct address_book *book, const struct address *address, int proved, uint64_t now)
{
    book->unsaved = 0;
    peer__address_book_met(book, address, proved, now);
    return book->unsaved;
}

static void a_book_survives_and_is_written_when_it_must_be(void **state)
{
    struct store_world *world = *state;
    static struct address_book book;
    static struct address_book again;
    uint64_t now = 1000 * (uint64_t)TICKS_PER_DAY;
    struct address one = address(1);
    struct address two = address(2);
    two.scope_id = 3;
    book.count = again.count = 0;
    assert_int_equal(peer__address_book_load(&book, world->store), PEER_OK);
    assert_int_equal(book.count, 0);
    assert_true(is_worth_saving(&book, &one, 0, now));
    assert_false(is_worth_saving(&book, &one, 0, now + 10));
    assert_true(is_worth_saving(&book, &one, 1, now + 10));
    assert_true(is_worth_saving(&book, &one, 0, now + TICKS_PER_DAY));
    assert_true(is_worth_saving(&book, &two, 0, now + TICKS_PER_DAY));
    peer__address_book_failed(&book, &one);
    assert_int_equal(book.entries[0].failures, 1);
    assert_int_equal(peer__address_book_save(&book, world->store), PEER_OK);
    world_commit(world);
    world_crash(world);
    assert_int_equal(peer__address_book_load(&again, world->store), PEER_OK);
    assert_int_equal(again.count, 2);
    assert_true(peer__address_equal(&again.entries[0].address, &one));
    assert_true(peer__address_equal(&again.entries[1].address, &two));
    assert_true(again.entries[0].met == now + TICKS_PER_DAY);
    assert_true(again.entries[0].proved);
    assert_false(again.entries[1].proved);
    assert_int_equal(again.entries[0].failures, 0);
    peer__address_book_forget(&again, &one);
    assert_int_equal(again.count, 1);
    assert_int_equal(again.entries[0].address.scope_id, 3);
}

static int knows(const struct address_book *book, const struct address *address)
{
    for (size_t i = 0; i < book->count; i++) {
        if (peer__address_equal(&book->entries[i].address, address))
            return 1;
    }
    return 0;
}

static void a_book_forgets_after_thirty_days_and_the_oldest_first(void **state)
{
    (void)state;
    static struct address_book book;
    uint64_t now = 1000 * (uint64_t)TICKS_PER_DAY;
    struct address one = address(1);
    struct address two = address(2);
    book.count = 0;
    peer__address_book_met(&book, &one, 1, now);
    peer__address_book_met(&book, &two, 1, now + 30 * TICKS_PER_DAY);
    peer__address_book_forget_old(&book, now + 30 * TICKS_PER_DAY);
    assert_int_equal(book.count, 2);
    peer__address_book_forget_old(&book, now + 30 * TICKS_PER_DAY + 1);
    assert_int_equal(book.count, 1);
    for (unsigned i = 0; i < ADDRESS_BOOK_MAX; i++) {
        struct address each = {.port = (uint16_t)(1000 + i)};
        peer__address_book_met(&book, &each, 1, now + 30 * TICKS_PER_DAY + 2 + i);
    }
    assert_int_equal(book.count, ADDRESS_BOOK_MAX);
    peer__address_book_failed(&book, &two); /* long gone */
    assert_false(knows(&book, &two));
    /* A clock that stood in the future does not keep anyone for ever. */
    peer__address_book_forget_old(&book, now);
    for (size_t i = 0; i < book.count; i++)
        assert_true(book.entries[i].met <= now);
}

/* Whoever connects may claim any address of its host, and may have many hosts. */
static void claims_drive_nobody_out(void **state)
{
    (void)state;
    static struct address_book book;
    struct address dialled = address(1);
    struct address honest = address(2);
    book.count = 0;
    for (unsigned i = 0; i < ADDRESS_BOOK_MAX / 2; i++)
        peer__address_book_met(&book, &(struct address){.ip = {0xFC}, .port = (uint16_t)(i + 1)}, 1, 10 + i);
    peer__address_book_met(&book, &dialled, 1, 5);
    peer__address_book_met(&book, &honest, 0, 5);
    for (unsigned i = 0; i < 1000; i++)
        peer__address_book_met(&book, &(struct address){.ip = {0xFE}, .port = (uint16_t)(i + 1)}, 0, 1000 + i);
    assert_true(knows(&book, &honest));
    assert_int_equal(book.count, ADDRESS_BOOK_MAX / 2 + 2 + ADDRESS_BOOK_CLAIMED_PER_HOST_MAX);
    for (unsigned i = 0; i < 1000; i++)
        peer__address_book_met(&book, &(struct address){.ip = {0xFE, (uint8_t)i, (uint8_t)(i >> 8)}, .port = 7}, 0,
                               1000 + i);
    assert_true(knows(&book, &dialled));
    assert_int_equal(book.count, ADDRESS_BOOK_MAX);
    for (unsigned i = 0; i < ADDRESS_BOOK_MAX - 1; i++) /* who was dialled needs the place */
        peer__address_book_met(&book, &(struct address){.ip = {0xFD, 1}, .port = (uint16_t)(i + 1)}, 1, 3000 + i);
    assert_false(knows(&book, &dialled));
    peer__address_book_met(&book, &honest, 0, 9000);
    assert_false(knows(&book, &honest));
    assert_int_equal(book.count, ADDRESS_BOOK_MAX);
}

/* A second address of a neighbour is no failure: it is worth a dial as soon as a neighbour is lost. */
static void doubles_rest_until_they_are_forgotten(void **state)
{
    (void)state;
    struct referrals referrals = {0};
    struct address one = address(1);
    struct address two = address(2);
    peer__address_is_double(&referrals, &one, 0);
    peer__address_failed(&referrals, &two, 0);
    assert_true(peer__address_was_double(&referrals, &one, 5 * MINUTE_US - 1));
    assert_false(peer__address_was_double(&referrals, &one, 5 * MINUTE_US));
    assert_false(peer__address_was_double(&referrals, &two, 0));
    assert_true(peer__address_rests(&referrals, &one, 0));
    peer__referrals_forget_doubles(&referrals);
    assert_false(peer__address_rests(&referrals, &one, 0));
    assert_true(peer__address_rests(&referrals, &two, 0));
}

static void a_damaged_book_is_empty_or_short(void **state)
{
    struct store_world *world = *state;
    static struct address_book book;
    static uint8_t bytes[2 + 31 * 300];
    for (size_t size = 0; size < sizeof(bytes); size += size < 70 ? 1 : 997) {
        for (unsigned version = 0; version < 4; version++) {
            bytes[0] = (uint8_t)version;
            assert_int_equal(world->calls->setting_put(world->store, "address_book", (struct span){bytes, size}),
                             PEER_OK);
            assert_int_equal(peer__address_book_load(&book, world->store), PEER_OK);
            size_t whole = size > 0 && version == 2 ? (size - 1) / 31 : 0;
            assert_int_equal(book.count, whole < ADDRESS_BOOK_MAX ? whole : ADDRESS_BOOK_MAX);
        }
    }
}

static int setup(void **state)
{
    *state = world_new(KIND_MEMORY);
    return 0;
}

static int teardown(void **state)
{
    world_free_all(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_of_a_hundred_gives_way),
        cmocka_unit_test(the_eleventh_dial_of_a_minute_waits),
        cmocka_unit_test(what_fails_rests_five_minutes_and_then_thirty),
        cmocka_unit_test(who_would_rest_the_shortest_gives_way),
        cmocka_unit_test_setup_teardown(a_book_survives_and_is_written_when_it_must_be, setup, teardown),
        cmocka_unit_test(a_book_forgets_after_thirty_days_and_the_oldest_first),
        cmocka_unit_test(claims_drive_nobody_out),
        cmocka_unit_test(doubles_rest_until_they_are_forgotten),
        cmocka_unit_test_setup_teardown(a_damaged_book_is_empty_or_short, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
