#include "base/timers.h"
#include "unit/check.h"

#define COUNT 200

struct alarm {
    struct timer timer;
    struct timers *timers;
    int number;
    int64_t again_us;     /* set again for then, once */
    struct alarm *victim; /* cancelled when this one fires */
};

static int fired[4 * COUNT];
static size_t fired_count;

static void on_fire(struct timer *timer)
{
    struct alarm *alarm = (struct alarm *)timer;
    assert_int_equal(timer->place, 0);
    fired[fired_count++] = alarm->number;
    if (alarm->again_us >= 0) {
        int64_t again_us = alarm->again_us;
        alarm->again_us = -1;
        peer__timer_set(alarm->timers, timer, again_us);
    }
    if (alarm->victim != NULL)
        peer__timer_cancel(alarm->timers, &alarm->victim->timer);
}

static void set_up(struct timers *timers, struct alarm *alarms, size_t count)
{
    fired_count = 0;
    assert_int_equal(peer__timers_reserve(timers, count), PEER_OK);
    for (size_t i = 0; i < count; i++) {
        alarms[i] = (struct alarm){.timers = timers, .number = (int)i, .again_us = -1};
        peer__timer_init(&alarms[i].timer, on_fire);
    }
}

static void earliest_first_and_equals_in_order(void **state)
{
    (void)state;
    struct timers timers = {0};
    struct alarm alarms[4];
    set_up(&timers, alarms, 4);
    assert_true(peer__timers_deadline(&timers) == NO_DEADLINE);
    peer__timers_fire(&timers, 1);
    peer__timer_set(&timers, &alarms[0].timer, 30);
    peer__timer_set(&timers, &alarms[1].timer, 10);
    peer__timer_set(&timers, &alarms[2].timer, 20);
    peer__timer_set(&timers, &alarms[3].timer, 10);
    assert_int_equal(peer__timers_deadline(&timers), 10);
    peer__timers_fire(&timers, 9);
    assert_int_equal(fired_count, 0);
    peer__timers_fire(&timers, 20);
    assert_int_equal(fired_count, 3);
    assert_memory_equal(fired, ((int[]){1, 3, 2}), 3 * sizeof(int));
    assert_int_equal(peer__timers_deadline(&timers), 30);
    peer__timers_free(&timers);
    assert_int_equal(alarms[0].timer.place, 0);
}

static void one_set_again_for_now_waits_for_the_next_call(void **state)
{
    (void)state;
    struct timers timers = {0};
    struct alarm alarms[3];
    set_up(&timers, alarms, 3);
    for (int i = 0; i < 3; i++)
        peer__timer_set(&timers, &alarms[i].timer, 10 + i);
    alarms[0].again_us = 0; /* long past: must not come before the two that are due as well */
    peer__timers_fire(&timers, 50);
    assert_int_equal(fired_count, 3);
    assert_memory_equal(fired, ((int[]){0, 1, 2}), 3 * sizeof(int));
    assert_int_equal(peer__timers_deadline(&timers), 50);
    peer__timers_fire(&timers, 50);
    assert_int_equal(fired_count, 4);
    assert_int_equal(fired[3], 0);
    assert_true(peer__timers_deadline(&timers) == NO_DEADLINE);
    peer__timers_free(&timers);
}

static void timers_move_and_are_cancelled_also_while_firing(void **state)
{
    (void)state;
    struct timers timers = {0};
    struct alarm alarms[4];
    set_up(&timers, alarms, 4);
    for (int i = 0; i < 4; i++)
        peer__timer_set(&timers, &alarms[i].timer, 10 + i);
    peer__timer_set(&timers, &alarms[0].timer, 100);
    peer__timer_cancel(&timers, &alarms[1].timer);
    peer__timer_cancel(&timers, &alarms[1].timer);
    alarms[2].victim = &alarms[3];
    peer__timers_fire(&timers, 100);
    assert_int_equal(fired_count, 2);
    assert_memory_equal(fired, ((int[]){2, 0}), 2 * sizeof(int));
    assert_int_equal(timers.count, 0);
    peer__timers_free(&timers);
}

static void agrees_with_a_plain_list(void **state)
{
    (void)state;
    static struct alarm alarms[COUNT];
    struct timers timers = {0};
    uint64_t seed = 1;
    int64_t now_us = 0;
    set_up(&timers, alarms, COUNT);
    for (int step = 0; step < 20000; step++) {
        struct alarm *alarm = &alarms[next_random(&seed) % COUNT];
        uint32_t what = next_random(&seed) % 8;
        if (what == 0) {
            peer__timer_cancel(&timers, &alarm->timer);
        } else if (what < 7) {
            peer__timer_set(&timers, &alarm->timer, now_us + next_random(&seed) % 50);
        } else {
            size_t due = 0, set = 0;
            now_us += next_random(&seed) % 20;
            for (int i = 0; i < COUNT; i++) {
                set += alarms[i].timer.place != 0;
                due += alarms[i].timer.place != 0 && alarms[i].timer.deadline_us <= now_us;
            }
            assert_int_equal(set, timers.count);
            fired_count = 0;
            peer__timers_fire(&timers, now_us);
            assert_int_equal(fired_count, due);
        }
        int64_t earliest = NO_DEADLINE;
        for (int i = 0; i < COUNT; i++) {
            if (alarms[i].timer.place != 0 && alarms[i].timer.deadline_us < earliest)
                earliest = alarms[i].timer.deadline_us;
        }
        assert_true(earliest == peer__timers_deadline(&timers));
    }
    peer__timers_free(&timers);
}

static void room_is_given_back(void **state)
{
    (void)state;
    struct timers timers = {0};
    for (int i = 0; i < 1000; i++) {
        struct alarm alarms[3];
        set_up(&timers, alarms, 3);
        peer__timer_set(&timers, &alarms[1].timer, i);
        peer__timer_cancel(&timers, &alarms[1].timer);
        peer__timers_release(&timers, 3);
    }
    assert_true(timers.capacity < 10);
    assert_int_equal(peer__timers_reserve(&timers, SIZE_MAX), E_OUTOFMEMORY);
    assert_int_equal(peer__timers_reserve(&timers, SIZE_MAX / 2), E_OUTOFMEMORY);
    assert_int_equal(timers.reserved, 0);
    peer__timers_free(&timers);
}

static peer_status reserve(void)
{
    struct timers timers = {0};
    peer_status status = peer__timers_reserve(&timers, 1);
    if (status == PEER_OK)
        status = peer__timers_reserve(&timers, 100);
    peer__timers_free(&timers);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(reserve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earliest_first_and_equals_in_order),
        cmocka_unit_test(one_set_again_for_now_waits_for_the_next_call),
        cmocka_unit_test(timers_move_and_are_cancelled_also_while_firing),
        cmocka_unit_test(agrees_with_a_plain_list),
        cmocka_unit_test(room_is_given_back),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
