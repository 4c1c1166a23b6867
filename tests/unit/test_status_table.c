/* Every status has a name and a text; everything else has none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status_table.h"
#include "peergraph/codes.h"

static void names_and_texts_are_found(void **state)
{
    static const struct {
        int32_t code;
        const char *name;
    } expected[] = {
        {PEER_OK, "PEER_OK"},
        {PEER_S_NO_EVENT_DATA, "PEER_S_NO_EVENT_DATA"},
        {PEER_S_SUBSCRIPTION_EXISTS, "PEER_S_SUBSCRIPTION_EXISTS"}, /* the greatest */
        {PEER_E_FILE_NOT_FOUND, "PEER_E_FILE_NOT_FOUND"},           /* the smallest */
        {E_INVALIDARG, "E_INVALIDARG"},
        {PEER_E_INVALID_GRAPH, "PEER_E_INVALID_GRAPH"},
        {PEER_E_INTERNAL, "PEER_E_INTERNAL"},
    };

    (void)state;
    for (size_t index = 0; index < sizeof expected / sizeof expected[0]; index++) {
        const struct peer__status_row *row = peer__status_row(expected[index].code);

        assert_non_null(row);
        assert_int_equal(row->code, expected[index].code);
        assert_string_equal(row->name, expected[index].name);
        assert_true(row->text[0] != '\0');
    }
}

static void unknown_codes_have_no_row(void **state)
{
    static const int32_t unknown[] = {1, -1, INT32_MIN, INT32_MAX, PEER_E_INVALID_GRAPH - 1};

    (void)state;
    for (size_t index = 0; index < sizeof unknown / sizeof unknown[0]; index++)
        assert_null(peer__status_row(unknown[index]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_texts_are_found),
        cmocka_unit_test(unknown_codes_have_no_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
