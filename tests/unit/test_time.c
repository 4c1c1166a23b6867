/* Moments: wire ticks, microseconds, and what people read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"

/* 2021-01-01T00:00:00Z, as the vectors of the specification's notes have it (17.2). */
#define VECTOR_TICKS UINT64_C(0x01d6dfd10c358000)
#define VECTOR_US INT64_C(1609459200000000)

static void ticks_and_microseconds(void **state)
{
    (void)state;
    assert_int_equal(peer__ticks_from_us(VECTOR_US), VECTOR_TICKS);
    assert_int_equal(peer__us_from_ticks(VECTOR_TICKS), VECTOR_US);
    assert_int_equal(peer__us_from_ticks(VECTOR_TICKS + 9), VECTOR_US); /* rounds down */
    assert_int_equal(peer__us_from_ticks(TICKS_AT_1970), 0);
    assert_int_equal(peer__us_from_ticks(0), -(int64_t)(TICKS_AT_1970 / TICKS_PER_US));
}

static void both_saturate(void **state)
{
    (void)state;
    assert_int_equal(peer__ticks_from_us(INT64_MIN), 0);
    assert_int_equal(peer__ticks_from_us(INT64_MAX), UINT64_MAX);
    assert_true(peer__us_from_ticks(UINT64_MAX) > 0);
    assert_int_equal(peer__ticks_add(5, -6), 0);
    assert_int_equal(peer__ticks_add(5, INT64_MIN), 0);
    assert_int_equal(peer__ticks_add(UINT64_MAX - 5, 6), UINT64_MAX);
    assert_int_equal(peer__ticks_add(5, 6), 11);
    assert_int_equal(peer__ticks_add(11, -6), 5);
}

static void moments_for_people(void **state)
{
    char text[TIME_TEXT_SIZE];
    (void)state;
    assert_string_equal(peer__time_text(VECTOR_US + 123456, text), "2021-01-01 00:00:00.123456 UTC");
    assert_string_equal(peer__time_text(-1, text), "1969-12-31 23:59:59.999999 UTC");
    assert_true(peer__time_text(INT64_MIN, text)[0] != '\0');
    assert_true(peer__time_text(INT64_MAX, text)[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_and_microseconds),
        cmocka_unit_test(both_saturate),
        cmocka_unit_test(moments_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
