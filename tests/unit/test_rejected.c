/* What was judged invalid and is not asked about again (graph/records/rejected.h), against a plain list. */
#include "graph/records/rejected.h"

#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "unit/check.h"

#define TRIES 6000u

static struct rejected rejected_of(unsigned id, uint32_t version, uint8_t copy)
{
    struct rejected rejected = {.version = version};
    memcpy(rejected.id.bytes, &id, sizeof(id));
    rejected.element[7] = copy;
    rejected.element[15] = (uint8_t)(copy / 2);
    return rejected;
}

static int has(struct rejections *rejections, const struct rejected *rejected)
{
    return peer__rejections_have(rejections, &rejected->id, rejected->version, rejected->element,
                                 sizeof(rejected->element));
}

static void each_copy_of_each_version_is_known_by_itself(void **state)
{
    (void)state;
    struct rejections *rejections = peer__rejections_create(7);
    struct rejected one = rejected_of(1, 3, 4);
    struct rejected others[] = {rejected_of(1, 2, 4), rejected_of(1, 4, 4), rejected_of(1, 3, 5), rejected_of(2, 3, 4)};
    assert_false(has(NULL, &one));
    assert_false(peer__rejections_forget(NULL, &one.id));
    assert_false(has(rejections, &one));
    peer__rejections_add(rejections, &one, 0);
    peer__rejections_add(rejections, &one, 0);
    assert_int_equal(rejections->count, 1);
    assert_true(has(rejections, &one));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(has(rejections, &others[i]));
    assert_true(peer__rejections_have(rejections, &one.id, 3, one.element, 8)); /* as much as a list tells */
    assert_false(peer__rejections_have(rejections, &one.id, 3, others[2].element, 8));
    assert_true(peer__rejections_have(rejections, &one.id, 3, NULL, 0));
    assert_false(peer__rejections_have(rejections, &one.id, 4, NULL, 0));
    peer__free(rejections);
}

static void all_versions_are_forgotten_and_nothing_else(void **state)
{
    (void)state;
    struct rejections *rejections = peer__rejections_create(7);
    for (unsigned i = 0; i < TRIES / 2; i++) {
        struct rejected each = rejected_of(i % 10, i / 10, 1);
        peer__rejections_add(rejections, &each, 0);
    }
    struct rejected three = rejected_of(3, 0, 1);
    assert_true(peer__rejections_forget(rejections, &three.id));
    assert_false(peer__rejections_forget(rejections, &three.id));
    assert_int_equal(rejections->count, TRIES / 2 - TRIES / 20);
    for (unsigned i = 0; i < TRIES / 2; i++) {
        struct rejected each = rejected_of(i % 10, i / 10, 1);
        assert_int_equal(has(rejections, &each), i % 10 != 3);
    }
    peer__free(rejections);
}

/* Of more than fit, in one order again and again, most are known when they come again; what came last always is. */
static void more_than_fit_are_known_in_part(void **state)
{
    (void)state;
    struct rejections *rejections = peer__rejections_create(7);
    uint64_t chance = 1;
    size_t known = 0;
    for (unsigned i = 0; i < 10 * TRIES; i++) {
        struct rejected each = rejected_of(i % TRIES, 1, 1);
        known += i >= 9 * TRIES && has(rejections, &each);
        chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
        peer__rejections_add(rejections, &each, chance >> 33);
        assert_true(has(rejections, &each));
    }
    assert_int_equal(rejections->count, REJECTED_MAX);
    assert_in_range(known, TRIES / 4, REJECTED_MAX);
    size_t there = 0;
    for (unsigned i = 0; i < TRIES; i++) {
        struct rejected each = rejected_of(i, 1, 1);
        there += (size_t)has(rejections, &each);
    }
    assert_int_equal(there, REJECTED_MAX);
    peer__free(rejections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_copy_of_each_version_is_known_by_itself),
        cmocka_unit_test(all_versions_are_forgotten_and_nothing_else),
        cmocka_unit_test(more_than_fit_are_known_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
