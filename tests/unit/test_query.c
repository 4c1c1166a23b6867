/* Queries that are built: what may be added where, and that the reader takes whatever was accepted, for what it meant. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "event/object.h"
#include "unit/check.h"
#include "xml/search.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FORTY "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"
#define FIRST_DATE_US INT64_C(-62135596800000000)
#define LAST_DATE_US INT64_C(253402300799999999)

static const peer_guid GUID = {
    {0x5f, 0x0e, 0x6c, 0x1a, 0x92, 0xd7, 0x4c, 0x2e, 0x8a, 0x41, 0x3f, 0x6f, 0x0c, 0x9f, 0x7b, 0x11}};

static peer_query *create(void)
{
    peer_query *query;
    assert_int_equal(peer_query_create(&query), PEER_OK);
    return query;
}

static const char *xml_of(const peer_query *query)
{
    const char *xml;
    if (peer_query_get_xml(query, &xml) != PEER_OK)
        fail_msg("no XML: %s", peer__last_error());
    return xml;
}

/* What the reader makes of it; the query is freed. */
static struct search read_and_free(peer_query *query)
{
    struct search search = {0};
    const char *xml = xml_of(query);
    if (peer__search_parse(xml, strlen(xml), &search) != PEER_OK)
        fail_msg("%s: %s", xml, peer__last_error());
    peer_free_data(query);
    return search;
}

static void assert_refused(peer_status status, peer_status expected, const char *line)
{
    assert_int_equal(status, expected);
    assert_string_equal(peer__last_error(), line);
}

/* --- what is written -------------------------------------------------------------------------------------------------- */

static void test_build(void **state)
{
    (void)state;
    peer_query *query = create();
    assert_int_equal(peer_query_begin_and(query), PEER_OK);
    assert_int_equal(peer_query_add_text(query, "room", PEER_COMPARE_EQUAL, "5* & \\"), PEER_OK);
    assert_int_equal(peer_query_begin_or(query), PEER_OK);
    assert_int_equal(peer_query_add_pattern(query, "path", PEER_COMPARE_NOT_EQUAL, "docs/\\*?*"), PEER_OK);
    assert_int_equal(peer_query_add_int(query, "size", PEER_COMPARE_LESS, -1), PEER_OK);
    assert_int_equal(peer_query_end(query), PEER_OK);
    assert_int_equal(peer_query_add_date(query, "peercreationtime", PEER_COMPARE_GREATER, 1), PEER_OK);
    assert_int_equal(peer_query_add_guid(query, "peerrecordtype", PEER_COMPARE_LESS_OR_EQUAL, &GUID), PEER_OK);
    assert_int_equal(peer_query_add_int(query, FORTY, PEER_COMPARE_GREATER_OR_EQUAL, 0), PEER_OK);
    assert_int_equal(peer_query_end(query), PEER_OK);
    assert_string_equal(
        xml_of(query),
        "<peersearch><and><clause attrib=\"room\" type=\"string\" compare=\"equal\">5\\* &amp; \\\\</clause>"
        "<or><clause attrib=\"path\" type=\"string\" compare=\"notequal\">docs/\\*?*</clause>"
        "<clause attrib=\"size\" type=\"int\" compare=\"less\">-1</clause></or>"
        "<clause attrib=\"peercreationtime\" type=\"date\" compare=\"greater\">1970-01-01T00:00:00.000001Z</clause>"
        "<clause attrib=\"peerrecordtype\" type=\"string\" compare=\"lessorequal\">"
        "5f0e6c1a-92d7-4c2e-8a41-3f6f0c9f7b11</clause>"
        "<clause attrib=\"" FORTY "\" type=\"int\" compare=\"greaterorequal\">0</clause></and></peersearch>");
    struct search search = read_and_free(query);
    assert_int_equal(search.count, 8);
    peer__search_free(&search);
}

static void test_text_means_itself(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "*",
        "?",
        "\\",
        "\\*",
        "\\\\",
        "a*b?c\\d",
        "\n",
        "\r",
        "\r\n",
        " a ",
        "\t",
        "]]>",
        "<![CDATA[x]]>",
        "&#65;",
        "<a b='c'>\"",
        "\xf0\x9f\x98\x80",
        "\xef\xbf\xbd",
        "\x7f",
        "{x}",
        "--><!--",
    };
    for (int32_t compare = PEER_COMPARE_EQUAL; compare <= PEER_COMPARE_GREATER_OR_EQUAL; compare++) {
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
            peer_query *query = create();
            struct buffer ordinal = {0};
            assert_int_equal(peer_query_add_text(query, "a", compare, texts[i]), PEER_OK);
            struct search search = read_and_free(query);
            peer__ordinal_append(&ordinal, texts[i], strlen(texts[i]));
            const struct search_node *clause = &search.nodes[0];
            assert_int_equal(clause->compare, compare);
            assert_int_equal(clause->literal_size, clause->text.size); /* no wildcards */
            assert_true(peer__span_equal((struct span){clause->text.data, clause->text.size},
                                         (struct span){ordinal.data, ordinal.size}));
            peer__buffer_free(&ordinal);
            peer__search_free(&search);
        }
    }
}

static void test_numbers_mean_themselves(void **state)
{
    (void)state;
    static const int64_t numbers[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
    static const int64_t moments[] = {FIRST_DATE_US, -1, 0, INT64_C(1012435200000001), LAST_DATE_US};
    for (size_t i = 0; i < COUNT_OF(numbers) + COUNT_OF(moments); i++) {
        int is_moment = i >= COUNT_OF(numbers);
        int64_t number = is_moment ? moments[i - COUNT_OF(numbers)] : numbers[i];
        peer_query *query = create();
        assert_int_equal((is_moment ? peer_query_add_date : peer_query_add_int)(query, "n", PEER_COMPARE_LESS, number),
                         PEER_OK);
        struct search search = read_and_free(query);
        assert_int_equal(search.nodes[0].type, is_moment ? PEER_ATTRIBUTE_DATE : PEER_ATTRIBUTE_INT);
        assert_true(search.nodes[0].number == number);
        peer__search_free(&search);
    }
}

/* --- what is refused -------------------------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a b", "a\"", "\xc3\xa4", "\xff", FORTY "a", "PeerCreatorId", "peer-id"};
    peer_query *query = create();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(peer_query_add_text(query, names[i], PEER_COMPARE_EQUAL, "x"), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_pattern(query, names[i], PEER_COMPARE_EQUAL, "x"), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_int(query, names[i], PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_date(query, names[i], PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_guid(query, names[i], PEER_COMPARE_EQUAL, &GUID), PEER_E_INVALID_SEARCH);
    }
    assert_refused(peer_query_add_int(query, "a b", PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH,
                   "name \"a b\" may hold 0-9 a-z A-Z only");
    assert_refused(peer_query_add_int(query, "peercreationtime", PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH,
                   "\"peercreationtime\" is a date and cannot be compared with a value of type int");
    assert_refused(peer_query_add_guid(query, "peerlastmodificationtime", PEER_COMPARE_EQUAL, &GUID),
                   PEER_E_INVALID_SEARCH,
                   "\"peerlastmodificationtime\" is a date and cannot be compared with a value of type string");
    assert_refused(peer_query_add_date(query, "peercreatorid", PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH,
                   "\"peercreatorid\" is a string and cannot be compared with a value of type date");
    assert_refused(peer_query_add_guid(query, "peercreatorid", PEER_COMPARE_EQUAL, &GUID), PEER_E_INVALID_SEARCH,
                   "\"peercreatorid\" is no GUID; peerrecordid and peerrecordtype are");
    assert_int_equal(peer_query_add_guid(query, "id", PEER_COMPARE_EQUAL, &GUID), PEER_E_INVALID_SEARCH);
    assert_refused(peer_query_get_xml(query, &(const char *){NULL}), PEER_E_INVALID_SEARCH, "the query is empty");
    peer_free_data(query);
}

static void test_comparisons(void **state)
{
    (void)state;
    static const int32_t none[] = {INT32_MIN, -1, 0, 7, INT32_MAX};
    peer_query *query = create();
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        assert_int_equal(peer_query_add_text(query, "a", none[i], "x"), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_pattern(query, "a", none[i], "x"), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_int(query, "a", none[i], 1), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_date(query, "a", none[i], 1), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_guid(query, "peerrecordid", none[i], &GUID), PEER_E_INVALID_SEARCH);
    }
    assert_refused(peer_query_add_int(query, "a", 7, 1), PEER_E_INVALID_SEARCH,
                   "\"a\": compare 7 is none of PEER_COMPARE_*");
    for (int32_t compare = PEER_COMPARE_LESS; compare <= PEER_COMPARE_GREATER_OR_EQUAL; compare++)
        assert_int_equal(peer_query_add_pattern(query, "a", compare, "x"), PEER_E_INVALID_SEARCH);
    assert_refused(peer_query_add_pattern(query, "a", PEER_COMPARE_LESS, "x"), PEER_E_INVALID_SEARCH,
                   "\"a\": a pattern is compared for equal or notequal, not for less");
    assert_int_equal(peer_query_get_xml(query, &(const char *){NULL}), PEER_E_INVALID_SEARCH);
    peer_free_data(query);
}

static void test_values(void **state)
{
    (void)state;
    static const char *const texts[] = {"\x01",         "a\x1f",        "\v",   "\xef\xbf\xbe",
                                        "\xef\xbf\xbf", "\xed\xbf\xbf", "\xff", "\xe2\x82"};
    static const char *const patterns[] = {"\\", "a\\", "\\a", "\\\\\\", "C:\\x", "*\\*\\ "};
    peer_query *query = create();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(peer_query_add_text(query, "a", PEER_COMPARE_EQUAL, texts[i]), PEER_E_INVALID_SEARCH);
        assert_int_equal(peer_query_add_pattern(query, "a", PEER_COMPARE_EQUAL, texts[i]), PEER_E_INVALID_SEARCH);
    }
    assert_refused(peer_query_add_text(query, "a", PEER_COMPARE_EQUAL, "x\xff"), PEER_E_INVALID_SEARCH,
                   "\"a\": \"x?\" is not well-formed UTF-8");
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        assert_int_equal(peer_query_add_pattern(query, "a", PEER_COMPARE_EQUAL, patterns[i]), E_INVALIDARG);
    assert_refused(peer_query_add_pattern(query, "a", PEER_COMPARE_EQUAL, "C:\\x"), E_INVALIDARG,
                   "\"a\": \"C:\\x\": \\ may stand before *, ? and \\ only, and \\\\ is a \\ itself");
    static const int64_t moments[] = {INT64_MIN, FIRST_DATE_US - 1, LAST_DATE_US + 1, INT64_MAX};
    for (size_t i = 0; i < COUNT_OF(moments); i++)
        assert_int_equal(peer_query_add_date(query, "a", PEER_COMPARE_EQUAL, moments[i]), PEER_E_INVALID_SEARCH);
    assert_refused(peer_query_add_date(query, "a", PEER_COMPARE_EQUAL, INT64_MIN), PEER_E_INVALID_SEARCH,
                   "\"a\": time -9223372036854775808 is not within the years 1 to 9999");
    assert_refused(peer_query_get_xml(query, &(const char *){NULL}), PEER_E_INVALID_SEARCH, "the query is empty");
    peer_free_data(query);
}

/* --- the form --------------------------------------------------------------------------------------------------------- */

static void test_form(void **state)
{
    (void)state;
    static const char complete[] =
        "the query is complete: several clauses or operators have to be in one \"and\" or \"or\"";
    const char *xml = NULL;
    peer_query *query = create();
    assert_refused(peer_query_get_xml(query, &xml), PEER_E_INVALID_SEARCH, "the query is empty");
    assert_refused(peer_query_end(query), PEER_E_INVALID_SEARCH, "there is no open operator to end");
    assert_int_equal(peer_query_begin_or(query), PEER_OK);
    assert_int_equal(peer_query_begin_and(query), PEER_OK);
    assert_refused(peer_query_get_xml(query, &xml), PEER_E_INVALID_SEARCH,
                   "the query is not complete: open operators: 2, the innermost an \"and\"");
    assert_refused(peer_query_end(query), PEER_E_INVALID_SEARCH, "the \"and\" that would end has nothing in it");
    assert_int_equal(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_OK);
    assert_int_equal(peer_query_end(query), PEER_OK);
    assert_refused(peer_query_get_xml(query, &xml), PEER_E_INVALID_SEARCH,
                   "the query is not complete: open operators: 1, the innermost an \"or\"");
    assert_null(xml);
    assert_int_equal(peer_query_end(query), PEER_OK);
    assert_refused(peer_query_end(query), PEER_E_INVALID_SEARCH, "there is no open operator to end");
    assert_refused(peer_query_begin_and(query), PEER_E_INVALID_SEARCH, complete);
    assert_refused(peer_query_begin_or(query), PEER_E_INVALID_SEARCH, complete);
    assert_refused(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH, complete);
    assert_refused(peer_query_add_text(query, "a", PEER_COMPARE_EQUAL, "x"), PEER_E_INVALID_SEARCH, complete);
    assert_string_equal(xml_of(query), "<peersearch><or><and><clause attrib=\"a\" type=\"int\" compare=\"equal\">1"
                                       "</clause></and></or></peersearch>");
    peer_free_data(query);

    query = create();
    assert_int_equal(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_OK);
    assert_refused(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH, complete);
    struct search search = read_and_free(query);
    peer__search_free(&search);
}

/* As deep and as many as the reader takes, and never an operator that no clause fits in any more. */
static void test_bounds(void **state)
{
    (void)state;
    peer_query *query = create();
    for (unsigned i = 0; i < SEARCH_DEPTH_MAX - 1; i++)
        assert_int_equal(peer_query_begin_and(query), PEER_OK);
    assert_refused(peer_query_begin_or(query), PEER_E_INVALID_SEARCH, "operators would be nested deeper than 63");
    assert_int_equal(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_OK);
    assert_int_equal(peer_query_end(query), PEER_OK);
    assert_int_equal(peer_query_begin_or(query), PEER_OK);
    for (unsigned count = SEARCH_DEPTH_MAX + 1; count < SEARCH_NODES_MAX - 1; count++)
        assert_int_equal(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_OK);
    assert_int_equal(peer_query_end(query), PEER_OK);
    assert_refused(peer_query_begin_and(query), PEER_E_INVALID_SEARCH,
                   "the query would have more than 1024 clauses and operators");
    assert_int_equal(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_OK);
    assert_refused(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_E_INVALID_SEARCH,
                   "the query would have more than 1024 clauses and operators");
    for (unsigned i = 0; i < SEARCH_DEPTH_MAX - 2; i++)
        assert_int_equal(peer_query_end(query), PEER_OK);
    struct search search = read_and_free(query);
    assert_int_equal(search.count, SEARCH_NODES_MAX);
    peer__search_free(&search);
}

static void test_length_of_values(void **state)
{
    (void)state;
    static const char characters[] = {'a', '&', '\r', '*'};
    char text[SEARCH_VALUE_MAX + 2] = "";
    for (size_t i = 0; i < COUNT_OF(characters); i++) {
        size_t longest = characters[i] == '*' ? SEARCH_VALUE_MAX / 2 : SEARCH_VALUE_MAX;
        peer_query *query = create();
        memset(text, characters[i], longest + 1);
        text[longest + 1] = '\0';
        assert_int_equal(peer_query_add_text(query, "a", PEER_COMPARE_EQUAL, text), PEER_E_INVALID_SEARCH);
        assert_non_null(strstr(peer__last_error(), "bytes with its escapes, more than 4096"));
        text[longest] = '\0';
        assert_int_equal(peer_query_add_text(query, "a", PEER_COMPARE_EQUAL, text), PEER_OK);
        struct search search = read_and_free(query);
        assert_int_equal(search.nodes[0].text.size, longest);
        peer__search_free(&search);
    }
    peer_query *query = create();
    memset(text, '*', SEARCH_VALUE_MAX + 1);
    assert_int_equal(peer_query_add_pattern(query, "a", PEER_COMPARE_EQUAL, text), PEER_E_INVALID_SEARCH);
    text[SEARCH_VALUE_MAX] = '\0';
    assert_int_equal(peer_query_add_pattern(query, "a", PEER_COMPARE_EQUAL, text), PEER_OK);
    struct search search = read_and_free(query);
    assert_int_equal(search.nodes[0].literal_size, 0);
    peer__search_free(&search);
}

/* --- the object ------------------------------------------------------------------------------------------------------- */

static void test_arguments(void **state)
{
    (void)state;
    const char *xml = NULL;
    peer_query *query = create();
    assert_refused(peer_query_create(NULL), E_INVALIDARG, "query_out is NULL");
    assert_refused(peer_query_begin_and(NULL), E_INVALIDARG, "the object (query) is NULL");
    assert_int_equal(peer_query_begin_or(NULL), E_INVALIDARG);
    assert_int_equal(peer_query_end(NULL), E_INVALIDARG);
    assert_int_equal(peer_query_add_text(NULL, "a", 1, "a"), E_INVALIDARG);
    assert_refused(peer_query_add_text(query, NULL, 1, "a"), E_INVALIDARG, "name is NULL");
    assert_refused(peer_query_add_text(query, "a", 1, NULL), E_INVALIDARG, "text is NULL");
    assert_int_equal(peer_query_add_pattern(NULL, "a", 1, "a"), E_INVALIDARG);
    assert_int_equal(peer_query_add_pattern(query, NULL, 1, "a"), E_INVALIDARG);
    assert_refused(peer_query_add_pattern(query, "a", 1, NULL), E_INVALIDARG, "pattern is NULL");
    assert_int_equal(peer_query_add_int(NULL, "a", 1, 1), E_INVALIDARG);
    assert_int_equal(peer_query_add_int(query, NULL, 1, 1), E_INVALIDARG);
    assert_int_equal(peer_query_add_date(NULL, "a", 1, 1), E_INVALIDARG);
    assert_int_equal(peer_query_add_date(query, NULL, 1, 1), E_INVALIDARG);
    assert_int_equal(peer_query_add_guid(NULL, "peerrecordid", 1, &GUID), E_INVALIDARG);
    assert_int_equal(peer_query_add_guid(query, NULL, 1, &GUID), E_INVALIDARG);
    assert_refused(peer_query_add_guid(query, "peerrecordid", 1, NULL), E_INVALIDARG, "guid is NULL");
    assert_int_equal(peer_query_get_xml(NULL, &xml), E_INVALIDARG);
    assert_int_equal(peer_query_get_xml(query, NULL), E_INVALIDARG);
    assert_null(xml);
    peer_free_data(query);
}

static void test_owners(void **state)
{
    (void)state;
    int64_t live = peer__memory_live();
    peer_attributes *attributes;
    peer_query *query = create();
    uint32_t count;
    assert_int_equal(peer_retain_data(query), PEER_OK);
    peer_free_data(query);
    assert_int_equal(peer_query_add_int(query, "a", PEER_COMPARE_EQUAL, 1), PEER_OK);
    assert_refused(peer_attributes_get_count((const peer_attributes *)(const void *)query, &count), E_INVALIDARG,
                   "an object (attributes) is wanted, this is another (query)");
    assert_int_equal(peer_attributes_create(&attributes), PEER_OK);
    assert_refused(peer_query_end((peer_query *)(void *)attributes), E_INVALIDARG,
                   "an object (query) is wanted, this is another (attributes)");
    void *connection = peer__object_create(8, OBJECT_CONNECTION_INFO, NULL);
    assert_refused(peer_query_end(connection), E_INVALIDARG,
                   "an object (query) is wanted, this is another (connection info)");
    peer_free_data(connection);
    peer_free_data(attributes);
    peer_free_data(query);
    assert_int_equal(peer__memory_live(), live);
}

/* --- any calls -------------------------------------------------------------------------------------------------------- */

static peer_status any_call(peer_query *query, uint64_t *seed)
{
    static const char *const names[] = {"a", "B9", FORTY, "peercreatorid", "peercreationtime", "peerrecordid",
                                        "",  "a b"};
    static const char *const texts[] = {"", "a*b", "\\*", "\\", "<&>\"'\r\n\t ]]>", "\xf0\x9f\x98\x80", "\x02", "{x"};
    const char *name = names[next_random(seed) % COUNT_OF(names)];
    const char *text = texts[next_random(seed) % COUNT_OF(texts)];
    int32_t compare = (int32_t)(next_random(seed) % 8);
    int64_t number = (int64_t)((uint64_t)next_random(seed) << 33) >> next_random(seed) % 64;
    switch (next_random(seed) % 10) {
    case 0:
        return peer_query_begin_and(query);
    case 1:
        return peer_query_begin_or(query);
    case 2:
    case 3:
        return peer_query_end(query);
    case 4:
        return peer_query_add_pattern(query, name, compare, text);
    case 5:
        return peer_query_add_int(query, name, compare, number);
    case 6:
        return peer_query_add_date(query, name, compare, number);
    case 7:
        return peer_query_add_guid(query, name, compare, &GUID);
    default:
        return peer_query_add_text(query, name, compare, text);
    }
}

static void test_whatever_is_accepted_is_read(void **state)
{
    (void)state;
    uint64_t seed = 20261121;
    unsigned read = 0;
    unsigned refused = 0;
    for (int round = 0; round < 2000; round++) {
        peer_query *query = create();
        const char *xml;
        if (round % 4 != 0) /* else it is complete at once */
            assert_int_equal(peer_query_begin_and(query), PEER_OK);
        for (uint32_t calls = next_random(&seed) % 60; calls > 0; calls--) {
            peer_status status = any_call(query, &seed);
            assert_true(status == PEER_OK || status == PEER_E_INVALID_SEARCH || status == E_INVALIDARG);
            refused += status < 0;
        }
        while (peer_query_end(query) == PEER_OK)
            continue;
        if (peer_query_get_xml(query, &xml) == PEER_OK) {
            struct search search = read_and_free(query);
            peer__search_free(&search);
            read++;
        } else {
            peer_free_data(query);
        }
    }
    assert_true(read > 1000);
    assert_true(refused > 1000);
}

/* --- memory ----------------------------------------------------------------------------------------------------------- */

/* One call that fails for want of memory changes nothing: repeated, it gives what it would have given. */
static peer_status build(peer_query *query, int step)
{
    switch (step % 4) {
    case 0:
        return peer_query_begin_or(query);
    case 1:
        return peer_query_add_text(query, "name", PEER_COMPARE_EQUAL, "a value of some length & more, *much* more");
    case 2:
        return peer_query_begin_and(query);
    default:
        return peer_query_add_date(query, "peercreationtime", PEER_COMPARE_LESS, 0);
    }
}

enum { STEPS = 20, OPERATORS = STEPS / 2 };

/* Of everything, one allocation fails: `failed_out` says whether there were as many. */
static peer_query *build_all(int64_t fail_after, int *failed_out)
{
    peer_query *query = NULL;
    *failed_out = 0;
    peer__memory_fail_after(fail_after);
    if (peer_query_create(&query) != PEER_OK) {
        peer__memory_fail_after(-1);
        assert_null(query);
        *failed_out = 1;
        query = create();
    }
    for (int step = 0; step < STEPS + OPERATORS; step++) {
        peer_status status = step < STEPS ? build(query, step) : peer_query_end(query);
        if (status == PEER_OK)
            continue;
        peer__memory_fail_after(-1);
        assert_int_equal(status, E_OUTOFMEMORY);
        *failed_out = 1;
        assert_int_equal(step < STEPS ? build(query, step) : peer_query_end(query), PEER_OK);
    }
    peer__memory_fail_after(-1);
    return query;
}

static void test_memory_runs_out_everywhere(void **state)
{
    (void)state;
    int64_t live = peer__memory_live();
    int has_failed = 1;
    int64_t count = 0;
    peer_query *whole = build_all(-1, &has_failed);
    assert_false(has_failed);
    for (has_failed = 1; has_failed; count++) {
        peer_query *query = build_all(count, &has_failed);
        assert_string_equal(xml_of(query), xml_of(whole));
        peer_free_data(query);
    }
    assert_true(count > 30);
    peer_free_data(whole);
    assert_int_equal(peer__memory_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_text_means_itself),
        cmocka_unit_test(test_numbers_mean_themselves),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_length_of_values),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_whatever_is_accepted_is_read),
        cmocka_unit_test(test_memory_runs_out_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
