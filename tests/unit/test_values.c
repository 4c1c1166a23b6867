/* Values of attributes and searches: dates in the forms of the W3C note, numbers, and how error lines quote them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "peergraph/peergraph.h"
#include "xml/value.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time_us;
    } cases[] = {
        {"1970", 0},
        {"1970-01", 0},
        {"1970-01-01", 0},
        {"1970-01-01T00:00Z", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.0Z", 0},
        {"2002-01-31", INT64_C(1012435200000000)},
        {" \t2002-01-31\r\n", INT64_C(1012435200000000)},
        {"2005-07-01T00:00:00.0000000-06:00\n ", INT64_C(1120197600000000)},
        {"1997-07-16T19:20+01:00", INT64_C(869077200000000)},
        {"1997-07-16T19:20:30+01:00", INT64_C(869077230000000)},
        {"1997-07-16T19:20:30.45+01:00", INT64_C(869077230450000)},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1970-01-01T00:00:00.0000019999999999999999999Z", 1},
        {"1969-12-31T23:59:59.9999999Z", -1},
        {"1970-01-01T23:59-23:59", INT64_C(172680000000)},
        {"1970-01-01T00:00-00:00", 0},
        {"2000-02-29", INT64_C(951782400000000)},
        {"2004-02-29", INT64_C(1078012800000000)},
        {"0001", INT64_C(-62135596800000000)},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t time_us = INT64_MIN;
        assert_int_equal(peer__date_parse(cases[i].text, &time_us), PEER_OK);
        if (time_us != cases[i].time_us)
            fail_msg("%s gave %lld", cases[i].text, (long long)time_us);
    }
}

static void test_bad_dates(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "0000",
        "197",
        "19700",
        "1970-",
        "1970-1",
        "1970-00",
        "1970-13",
        "1970-01-",
        "1970-01-1",
        "1970-01-00",
        "1970-01-32",
        "1970-04-31",
        "2001-02-29",
        "1900-02-29",
        "2100-02-29",
        "2003-02-328",
        "1970-01-01T",
        "1970-01-01T00",
        "1970-01-01T00Z",
        "1970-01-01T00:00",
        "1970-01-01T00:00:00",
        "1970-01-01T0:00Z",
        "1970-01-01T24:00Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00,0Z",
        "1970-01-01T00:00.5Z",
        "1970-01-01T00:00z",
        "1970-01-01t00:00Z",
        "1970-01-01 00:00Z",
        "1970-01-01T00:00+25:00",
        "1970-01-01T00:00+24:00",
        "1970-01-01T00:00+01:60",
        "1970-01-01T00:00+01",
        "1970-01-01T00:00+0100",
        "1970-01-01T00:00+1:00",
        "1970-01-01T00:00 Z",
        "1970-01-01T00:00ZZ",
        "1970-01-01T00:00Z+01:00",
        "1970-01-01Z",
        "1970 01",
        "-1970",
        "+1970",
        "19700101",
        "1970/01/01",
        "1970-W01",
        "2003-02-28x",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t time_us = 7;
        if (peer__date_parse(texts[i], &time_us) != PEER_E_INVALID_ATTRIBUTES)
            fail_msg("%s was accepted", texts[i]);
        assert_int_equal(time_us, 7);
    }
}

/* Every day of the calendar through both directions of the arithmetic. */
static void test_dates_go_around(void **state)
{
    (void)state;
    const int64_t first = INT64_C(-62135596800000000);
    const int64_t last = INT64_C(253402300799999999);
    const int64_t step = INT64_C(86400000000) - 1; /* just less than a day: all times of day come up too */
    char text[DATE_TEXT_SIZE];
    char before[DATE_TEXT_SIZE] = "";
    for (int64_t time_us = first; time_us <= last; time_us += step) {
        int64_t again = 0;
        assert_null(peer__date_write(time_us, text));
        assert_int_equal(peer__date_parse(text, &again), PEER_OK);
        if (again != time_us || strcmp(before, text) >= 0)
            fail_msg("%lld became %s and %lld", (long long)time_us, text, (long long)again);
        memcpy(before, text, sizeof(text));
    }
    assert_null(peer__date_write(first, text));
    assert_string_equal(text, "0001-01-01T00:00:00.000000Z");
    assert_null(peer__date_write(last, text));
    assert_string_equal(text, "9999-12-31T23:59:59.999999Z");
    assert_null(peer__date_write(-1, text));
    assert_string_equal(text, "1969-12-31T23:59:59.999999Z");
    assert_non_null(peer__date_write(first - 1, text));
    assert_non_null(peer__date_write(last + 1, text));
    assert_non_null(peer__date_write(INT64_MIN, text));
    assert_non_null(peer__date_write(INT64_MAX, text));
}

static void test_ints(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_int_equal(peer__int_parse(" \t0042\r\n", &value), PEER_OK);
    assert_int_equal(value, 42);
    assert_int_equal(peer__int_parse("9223372036854775807", &value), PEER_OK);
    assert_true(value == INT64_MAX);
    assert_int_equal(peer__int_parse("9223372036854775808", &value), PEER_E_INVALID_ATTRIBUTES);
    assert_string_equal(peer__last_error(), "int \"9223372036854775808\" is larger than 9223372036854775807");
    assert_int_equal(peer__int_parse("99999999999999999999999999999999999999", &value), PEER_E_INVALID_ATTRIBUTES);
    assert_true(value == INT64_MAX);
    assert_null(peer__int_fault("99999999999999999999999999999999999999"));
    assert_non_null(peer__int_fault("-1"));
    assert_non_null(peer__int_fault(""));
}

/* Whole characters only: a cut one would make the line ill-formed. */
static void test_quotes_are_short(void **state)
{
    (void)state;
    static const char euros[] = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";
    char text[200] = "";
    for (size_t size = 0; size < 100; size++) {
        struct quote quote = peer__quote(text);
        assert_true(size < 64 ? strcmp(quote.text, text) == 0 : strlen(quote.text) < 64);
        text[size] = 'a';
    }
    for (size_t lead = 0; lead < 3; lead++) {
        memset(text, 'a', lead);
        for (size_t i = 0; i < 6; i++)
            memcpy(text + lead + i * 18, euros, sizeof(euros));
        struct quote quote = peer__quote(text);
        size_t kept = strlen(quote.text) - 3;
        assert_int_equal((kept - lead) % 3, 0);
        assert_memory_equal(quote.text, text, kept);
        assert_string_equal(quote.text + kept, "\xe2\x80\xa6");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates), cmocka_unit_test(test_bad_dates),        cmocka_unit_test(test_dates_go_around),
        cmocka_unit_test(test_ints),  cmocka_unit_test(test_quotes_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
