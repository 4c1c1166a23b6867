/* What a graph remembers of addresses: the referral list (MS-PPGRH 3.1.1), rest and budget (decisions.md 14), and the
 * address book on disk (decisions.md 13). */
#include "graph/address_book.h"
#include "graph/referrals.h"
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
    assert_true(peer__address_book_met(&book, &one, now));
    assert_false(peer__address_book_met(&book, &one, now + 10));
    assert_true(peer__address_book_met(&book, &one, now + TICKS_PER_DAY));
    assert_true(peer__address_book_met(&book, &two, now + TICKS_PER_DAY));
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
    assert_int_equal(again.entries[0].failures, 0);
    peer__address_book_forget(&again, &one);
    assert_int_equal(again.count, 1);
    assert_int_equal(again.entries[0].address.scope_id, 3);
}

static void a_book_forgets_after_thirty_days_and_the_oldest_first(void **state)
{
    (void)state;
    static struct address_book book;
    uint64_t now = 1000 * (uint64_t)TICKS_PER_DAY;
    struct address one = address(1);
    struct address two = address(2);
    book.count = 0;
    peer__address_book_met(&book, &one, now);
    peer__address_book_met(&book, &two, now + 30 * TICKS_PER_DAY);
    assert_int_equal(book.count, 2);
    peer__address_book_met(&book, &two, now + 30 * TICKS_PER_DAY + 1);
    assert_int_equal(book.count, 1);
    for (unsigned i = 0; i < ADDRESS_BOOK_MAX; i++) {
        struct address each = {.port = (uint16_t)(1000 + i)};
        peer__address_book_met(&book, &each, now + 30 * TICKS_PER_DAY + 2 + i);
    }
    assert_int_equal(book.count, ADDRESS_BOOK_MAX);
    peer__address_book_failed(&book, &two); /* long gone */
    for (size_t i = 0; i < book.count; i++)
        assert_false(peer__address_equal(&book.entries[i].address, &two));
    /* A clock that stood in the future does not keep anyone for ever. */
    peer__address_book_met(&book, &one, now);
    for (size_t i = 0; i < book.count; i++)
        assert_true(book.entries[i].met <= now);
}

static void a_damaged_book_is_empty_or_short(void **state)
{
    struct store_world *world = *state;
    static struct address_book book;
    static uint8_t bytes[2 + 30 * 300];
    for (size_t size = 0; size < sizeof(bytes); size += size < 70 ? 1 : 997) {
        for (unsigned version = 0; version < 3; version++) {
            bytes[0] = (uint8_t)version;
            assert_int_equal(world->calls->setting_put(world->store, "address_book", (struct span){bytes, size}),
                             PEER_OK);
            assert_int_equal(peer__address_book_load(&book, world->store), PEER_OK);
            size_t whole = size > 0 && version == 1 ? (size - 1) / 30 : 0;
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
        cmocka_unit_test_setup_teardown(a_damaged_book_is_empty_or_short, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
