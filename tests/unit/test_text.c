#include "base/text.h"

#include <stdio.h>

#include "unit/check.h"

static const struct {
    const char *utf8;
    const char *utf16;
    size_t units;
} pairs[] = {
    {"", "0000", 0},
    {"alice", "0061006c0069006300650000", 5},
    {"\xc3\xa4", "00e40000", 1},
    {"\xe2\x82\xac", "20ac0000", 1},
    {"\xef\xbf\xbd", "fffd0000", 1},
    {"\xef\xbf\xbf", "ffff0000", 1},
    {"\xed\x9f\xbf\xee\x80\x80", "d7ffe0000000", 2},
    {"\xf0\x90\x80\x80", "d800dc000000", 2},
    {"\xf0\x9f\x8e\xac!", "d83cdfac00210000", 3},
    {"\xf4\x8f\xbf\xbf", "dbffdfff0000", 2},
};

static void well_formed_text_goes_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct buffer out = {0};
        assert_int_equal(peer__utf16_append(&out, pairs[i].utf8), 0);
        assert_buffer(&out, pairs[i].utf16);
        assert_int_equal(peer__utf16_units(pairs[i].utf8), pairs[i].units);
        assert_true(peer__utf8_is_valid(pairs[i].utf8));

        struct span utf16 = exact(out.data, out.size);
        assert_true(peer__utf16_is_valid(utf16));
        char *with = peer__utf8_from_utf16(utf16);
        char *without = peer__utf8_from_utf16((struct span){utf16.data, utf16.size - 2});
        assert_string_equal(with, pairs[i].utf8);
        assert_string_equal(without, pairs[i].utf8);
        peer__free(with);
        peer__free(without);
        drop(utf16);
        peer__buffer_free(&out);
    }
}

static void ill_formed_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "a\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc3",
        "\xc3(",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2(\xa1",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x8e",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buffer out = {0};
        struct span text = exact(bad[i], strlen(bad[i]) + 1);
        assert_false(peer__utf8_is_valid((const char *)text.data));
        assert_true(peer__utf16_units((const char *)text.data) == SIZE_MAX);
        assert_int_equal(peer__utf16_append(&out, (const char *)text.data), -1);
        assert_int_equal(out.size, 0);
        drop(text);
        peer__buffer_free(&out);
    }
}

static void ill_formed_utf16_becomes_replacement(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"0000", ""},
        {"00", "\xef\xbf\xbd"},
        {"006100", "a\xef\xbf\xbd"},
        {"006100000062", "a\xef\xbf\xbd"
                         "b"},
        {"00000000", "\xef\xbf\xbd"},
        {"d800", "\xef\xbf\xbd"},
        {"d8000000", "\xef\xbf\xbd"},
        {"dc000061", "\xef\xbf\xbd"
                     "a"},
        {"d800d83cdfac", "\xef\xbf\xbd\xf0\x9f\x8e\xac"},
        {"d83c0061", "\xef\xbf\xbd"
                     "a"},
        {"d83cdf", "\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span utf16 = from_hex(cases[i][0]);
        char *text = peer__utf8_from_utf16(utf16);
        assert_string_equal(text, cases[i][1]);
        assert_true(peer__utf8_is_valid(text));
        peer__free(text);
        drop(utf16);
    }
}

static void utf16_is_judged(void **state)
{
    (void)state;
    static const char *const good[] = {"0000", "00610000", "fffd0000", "d83cdfac0000"};
    static const char *const bad[] = {
        "", "00", "000000", "0061", "006100000000", "00000000", "d8000000", "dc000000", "dfacd83c0000", "d800d8000000",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct span utf16 = from_hex(good[i]);
        assert_true(peer__utf16_is_valid(utf16));
        drop(utf16);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct span utf16 = from_hex(bad[i]);
        assert_false(peer__utf16_is_valid(utf16));
        drop(utf16);
    }
}

static void utf16_compares_by_unit(void **state)
{
    (void)state;
    static const char *const ascending[] = {"", "0000", "00610000", "006100610000", "00620000", "01000000", "ff000000"};
    size_t count = sizeof(ascending) / sizeof(ascending[0]);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            struct span a = from_hex(ascending[i]), b = from_hex(ascending[j]);
            assert_int_equal(peer__utf16_compare(a, b), (i > j) - (i < j));
            drop(a);
            drop(b);
        }
    }
}

static peer_status convert(void)
{
    struct buffer out = {0};
    peer__utf16_append(&out, "a \xf0\x9f\x8e\xac of text");
    char *text = out.failed ? NULL : peer__utf8_from_utf16((struct span){out.data, out.size});
    peer_status status = text != NULL ? PEER_OK : peer__out_of_memory();
    peer__free(text);
    peer__buffer_free(&out);
    return status;
}

/* Messages quote what others wrote, and are cut where their buffer ends. */
static void any_text_becomes_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *given, *line;
    } texts[] = {
        {"", ""},
        {"plain \xc3\xa4 \xf0\x9f\x8e\xac", "plain \xc3\xa4 \xf0\x9f\x8e\xac"},
        {"a\nb\tc\x1f\x7f", "a?b?c??"},
        {"\xff", "?"},
        {"cut \xf0\x9f\x8e", "cut ???"},
        {"\xc3(\xed\xa0\x80|", "?(???|"},
        {"\xc2\x85", "\xc2\x85"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char text[64];
        snprintf(text, sizeof(text), "%s", texts[i].given);
        peer__text_to_line(text);
        assert_string_equal(text, texts[i].line);
    }
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(convert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_goes_both_ways),
        cmocka_unit_test(ill_formed_utf8_is_refused),
        cmocka_unit_test(ill_formed_utf16_becomes_replacement),
        cmocka_unit_test(utf16_is_judged),
        cmocka_unit_test(utf16_compares_by_unit),
        cmocka_unit_test(any_text_becomes_one_line),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
