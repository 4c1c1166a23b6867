/* Queries: the grammar of graph-api 11, what a clause compares, and what a hostile query may cost. */
#include <stdio.h>

#include "base/store.h"
#include "base/time.h"
#include "unit/check.h"
#include "xml/search.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SEARCH(inside) "<peersearch>" inside "</peersearch>"
#define CLAUSE(name, type, compare, value)                                                                             \
    "<clause attrib=\"" name "\" type=\"" type "\" compare=\"" compare "\">" value "</clause>"
#define ONE CLAUSE("a", "string", "equal", "x")

static peer_status parse_sized(const char *xml, size_t size)
{
    struct search search = {0};
    struct span copy = exact(xml, size);
    peer_status status = peer__search_parse((const char *)copy.data, copy.size, &search);
    drop(copy);
    if (status < 0)
        assert_null(search.nodes);
    peer__search_free(&search);
    return status;
}

static peer_status parse(const char *xml)
{
    return parse_sized(xml, strlen(xml));
}

static void assert_all(const char *const *queries, size_t count, peer_status status)
{
    for (size_t i = 0; i < count; i++) {
        if (parse(queries[i]) != status)
            fail_msg("%s gave 0x%x (%s), not 0x%x", queries[i], (unsigned)parse(queries[i]), peer__last_error(),
                     (unsigned)status);
    }
}

static void test_valid_queries(void **state)
{
    (void)state;
    static const char *const queries[] = {
        SEARCH(ONE),
        "<?xml version=\"1.0\"?>" SEARCH(ONE),
        "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n" SEARCH(ONE) "\n",
        "<peersearch xmlns=\"urn:x\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">" ONE "</peersearch>",
        SEARCH("<!-- a comment --><clause attrib=\"a\" type=\"string\">x</clause>"),
        SEARCH("<clause type=\"string\" attrib=\"a\"/>"),
        SEARCH("<and>" ONE "</and>"),
        SEARCH(" <or>\n" ONE "\t" ONE " <and>" ONE "<or>" ONE "</or></and></or> "),
        SEARCH(CLAUSE("a", "string", "equal", "<![CDATA[<b> & c]]>")),
        SEARCH(CLAUSE("a", "int", "less", " 42 ")),
        SEARCH(CLAUSE("a", "int", "less", "-1")),
        SEARCH(CLAUSE("a", "int", "less", "-9223372036854775808")),
        SEARCH(CLAUSE("a", "int", "less", "9223372036854775807")),
        SEARCH(CLAUSE("a", "date", "greater", "2003-02-28 ")),
        SEARCH(CLAUSE("a", "date", "greaterorequal", "2005-07-01T00:00:00.0000000-06:00")),
        SEARCH(CLAUSE("a", "string", "lessorequal", "a*b?")),
        SEARCH(CLAUSE("a", "string", "notequal", "\\\\ \\* \\?")),
        SEARCH(CLAUSE("peercreatorid", "string", "equal", "James P*")),
        SEARCH(CLAUSE("peercreationtime", "int", "equal", "5")),
        SEARCH(CLAUSE("abcdefghijabcdefghijabcdefghijabcdefghij", "string", "equal", "")),
    };
    assert_all(queries, COUNT_OF(queries), PEER_OK);
}

static void test_invalid_queries(void **state)
{
    (void)state;
    static const char *const queries[] = {
        "",
        " ",
        "x",
        "<peersearch>",
        SEARCH(""),
        SEARCH(" "),
        SEARCH("x"),
        SEARCH("<and/>"),
        SEARCH("<or></or>"),
        SEARCH("<and><or/>" ONE "</and>"),
        SEARCH(ONE ONE),
        SEARCH(ONE "<and>" ONE ONE "</and>"),
        SEARCH("<and>" ONE "</and><or>" ONE "</or>"),
        SEARCH(ONE) SEARCH(ONE),
        "<search>" ONE "</search>",
        "<PeerSearch>" ONE "</PeerSearch>",
        "<attributes/>",
        "<peersearch version=\"1\">" ONE "</peersearch>",
        SEARCH("<not>" ONE "</not>"),
        SEARCH("<and x=\"1\">" ONE "</and>"),
        SEARCH("<and>x" ONE "</and>"),
        SEARCH("<and>" ONE "x</and>"),
        SEARCH("<and>" ONE "</or>"),
        SEARCH("<xs:and xmlns:xs=\"urn:x\">" ONE "</xs:and>"),
        SEARCH(CLAUSE("a", "string", "equal", "<and/>")),
        SEARCH(CLAUSE("a", "string", "equal", "<clause/>")),
        SEARCH("<clause type=\"string\" compare=\"equal\">x</clause>"),
        SEARCH("<clause attrib=\"a\" compare=\"equal\">x</clause>"),
        SEARCH("<clause attrib=\"a\" type=\"string\" comparison=\"equal\">x</clause>"),
        SEARCH(CLAUSE("", "string", "equal", "x")),
        SEARCH(CLAUSE("a b", "string", "equal", "x")),
        SEARCH(CLAUSE("a-b", "string", "equal", "x")),
        SEARCH(CLAUSE("PeerCreatorId", "string", "equal", "x")),
        SEARCH(CLAUSE("abcdefghijabcdefghijabcdefghijabcdefghijk", "string", "equal", "x")),
        SEARCH(CLAUSE("a", "float", "equal", "1")),
        SEARCH(CLAUSE("a", "", "equal", "1")),
        SEARCH(CLAUSE("a", "Int", "equal", "1")),
        SEARCH(CLAUSE("a", "string", "like", "1")),
        SEARCH(CLAUSE("a", "string", "Equal", "1")),
        SEARCH(CLAUSE("a", "int", "equal", "")),
        SEARCH(CLAUSE("a", "int", "equal", "12a")),
        SEARCH(CLAUSE("a", "int", "equal", "- 1")),
        SEARCH(CLAUSE("a", "int", "equal", "--1")),
        SEARCH(CLAUSE("a", "int", "equal", "1*")),
        SEARCH(CLAUSE("a", "int", "equal", "9223372036854775808")),
        SEARCH(CLAUSE("a", "int", "less", "-9223372036854775809")),
        SEARCH(CLAUSE("a", "date", "equal", "2003-02-328")),
        SEARCH(CLAUSE("a", "date", "equal", "2001-02-29")),
        SEARCH(CLAUSE("peercreationtime", "date", "equal", "yesterday")),
        SEARCH(CLAUSE("a", "string", "equal", "&amp")),
        SEARCH(CLAUSE("a", "string", "equal", "&undeclared;")),
        "<!DOCTYPE peersearch>" SEARCH(ONE),
        "<!DOCTYPE p [<!ENTITY e \"x\">]>" SEARCH(CLAUSE("a", "string", "equal", "&e;")),
        "<!DOCTYPE p SYSTEM \"file:///etc/passwd\">" SEARCH(ONE),
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>" SEARCH(ONE),
        SEARCH(CLAUSE("a", "string", "equal", "\xff")),
        SEARCH(CLAUSE("a", "string", "equal", "\xed\xa0\x80")),
        SEARCH(CLAUSE("a", "string", "equal", "\x01")),
    };
    assert_all(queries, COUNT_OF(queries), PEER_E_INVALID_SEARCH);
    static const char with_nul[] = SEARCH("<clause attrib=\"a\" type=\"string\">x\0</clause>");
    assert_int_equal(parse_sized(with_nul, sizeof(with_nul) - 1), PEER_E_INVALID_SEARCH);
}

static void test_bad_escapes(void **state)
{
    (void)state;
    static const char *const queries[] = {
        SEARCH(CLAUSE("a", "string", "equal", "a\\b")),
        SEARCH(CLAUSE("a", "string", "equal", "a\\")),
        SEARCH(CLAUSE("a", "string", "less", "\\n")),
        SEARCH(CLAUSE("a", "string", "equal", "\\\\\\")),
        SEARCH(CLAUSE("a", "int", "equal", "\\1")),
        SEARCH(CLAUSE("a", "date", "equal", "2003\\")),
        SEARCH("<and>" ONE CLAUSE("peercreatorid", "string", "equal", "DOMAIN\\user") "</and>"),
    };
    assert_all(queries, COUNT_OF(queries), E_INVALIDARG);
}

static void test_lines_name_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *query, *line;
    } cases[] = {
        {SEARCH("\n  <nor/>"), "<nor> is none of <clause>, <and> and <or>, line 2, column 3"},
        {SEARCH(ONE ONE), "<peersearch> may hold one element only"},
        {SEARCH(CLAUSE("a", "date", "equal", "2003-02-328")), "date \"2003-02-328\" has a day that"},
        {SEARCH(CLAUSE("a", "string", "equal", "C:\\x")), "\"C:\\x\": \\ may stand before"},
        {SEARCH(CLAUSE("a b", "int", "equal", "1")), "attrib \"a b\" may hold"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(parse(cases[i].query) < 0);
        if (strstr(peer__last_error(), cases[i].line) == NULL)
            fail_msg("%s gave the line %s", cases[i].query, peer__last_error());
    }
}

/* ------------------------------------------------------------------------------------------------------- hostile ones */

#define TEN_MB (10u * 1000 * 1000)

/* Whatever the size, the tree is bounded. A unit of "" is a NUL. */
static peer_status parse_repeated(const char *before, const char *unit, const char *after)
{
    size_t unit_size = *unit != 0 ? strlen(unit) : 1;
    struct buffer text = {0};
    peer__buffer_append(&text, before, strlen(before));
    while (text.size < TEN_MB)
        peer__buffer_append(&text, unit, unit_size);
    peer__buffer_append(&text, after, strlen(after));
    struct search search = {0};
    peer_status status = peer__search_parse((const char *)text.data, text.size, &search);
    assert_true(search.count <= SEARCH_NODES_MAX);
    peer__search_free(&search);
    peer__buffer_free(&text);
    return status;
}

static void test_ten_megabytes(void **state)
{
    (void)state;
    assert_int_equal(parse_repeated("<peersearch>", "<and>", ""), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<peersearch><or>", ONE, "</or></peersearch>"), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<peersearch><clause attrib=\"a\" type=\"string\">", "x", "</clause></peersearch>"),
                     PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<peersearch><clause attrib=\"a\" type=\"string\">", "&#120;", "</clause>"),
                     PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<peersearch ", "x=\"1\" ", ">"), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<", "p", ">"), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<!--", "-", ""), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<!DOCTYPE p [", "<!ENTITY a \"&a;&a;\">", "]>"), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("", "\0", ""), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_repeated("<peersearch>", "  \n", ONE "</peersearch>"), PEER_OK);
}

static peer_status parse_counted(size_t depth, size_t clauses, size_t value_size)
{
    struct buffer text = {0};
    char *value = malloc(value_size + 1);
    memset(value, 'v', value_size);
    value[value_size] = '\0';
    peer__buffer_append(&text, "<peersearch>", 12);
    for (size_t i = 0; i < depth; i++)
        peer__buffer_append(&text, "<and>", 5);
    for (size_t i = 0; i < clauses; i++) {
        peer__buffer_append(&text, "<clause attrib=\"a\" type=\"string\">", 33);
        peer__buffer_append(&text, value, value_size);
        peer__buffer_append(&text, "</clause>", 9);
    }
    for (size_t i = 0; i < depth; i++)
        peer__buffer_append(&text, "</and>", 6);
    peer__buffer_append(&text, "</peersearch>", 13);
    peer_status status = parse_sized((const char *)text.data, text.size);
    peer__buffer_free(&text);
    free(value);
    return status;
}

static void test_bounds(void **state)
{
    (void)state;
    assert_int_equal(parse_counted(SEARCH_DEPTH_MAX - 1, 1, 1), PEER_OK);
    assert_int_equal(parse_counted(SEARCH_DEPTH_MAX, 1, 1), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_counted(1, SEARCH_NODES_MAX - 1, 1), PEER_OK);
    assert_int_equal(parse_counted(1, SEARCH_NODES_MAX, 1), PEER_E_INVALID_SEARCH);
    assert_int_equal(parse_counted(0, 1, SEARCH_VALUE_MAX), PEER_OK);
    assert_int_equal(parse_counted(0, 1, SEARCH_VALUE_MAX + 1), PEER_E_INVALID_SEARCH);
}

static void test_memory_runs_out_everywhere(void **state)
{
    (void)state;
    static const char query[] = SEARCH("<and>" ONE ONE CLAUSE("b", "int", "less", "7") "<or>" ONE ONE ONE CLAUSE(
        "c", "date", "less", "2001") CLAUSE("peerrecordid", "string", "equal", "{00}") "</or></and>");
    int64_t live = peer__memory_live();
    int64_t count = 0;
    for (;; count++) {
        struct search search = {0};
        peer__memory_fail_after(count);
        peer_status status = peer__search_parse(query, sizeof(query) - 1, &search);
        peer__memory_fail_after(-1);
        peer__search_free(&search);
        assert_int_equal(peer__memory_live(), live);
        if (status >= 0)
            break;
        assert_int_equal(status, E_OUTOFMEMORY);
    }
    assert_true(count > 10);
}

/* ---------------------------------------------------------------------------------------------------------- matching */

struct subject {
    struct store_row row;
    struct buffer attributes;
};

static struct span bytes_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static void add_text(struct subject *subject, const char *name, const char *text)
{
    struct indexed_attribute attribute = {
        .type = PEER_ATTRIBUTE_STRING, .name = bytes_of(name), .text = bytes_of(text)};
    peer__indexed_append(&subject->attributes, &attribute);
}

static void add_number(struct subject *subject, const char *name, int32_t type, int64_t number)
{
    struct indexed_attribute attribute = {.type = type, .name = bytes_of(name), .number = number};
    peer__indexed_append(&subject->attributes, &attribute);
}

static int matches(struct subject *subject, const char *inside)
{
    char query[1024];
    struct search search = {0};
    snprintf(query, sizeof(query), "<peersearch>%s</peersearch>", inside);
    assert_int_equal(peer__search_parse(query, strlen(query), &search), PEER_OK);
    subject->row.attributes = (struct span){subject->attributes.data, subject->attributes.size};
    int result = peer__search_matches(&search, &subject->row);
    peer__search_free(&search);
    return result;
}

static int text_matches(const char *text, const char *pattern)
{
    struct subject subject = {0};
    char clause[512];
    add_text(&subject, "t", text);
    snprintf(clause, sizeof(clause), CLAUSE("t", "string", "equal", "%s"), pattern);
    int is_equal = matches(&subject, clause);
    snprintf(clause, sizeof(clause), CLAUSE("t", "string", "notequal", "%s"), pattern);
    assert_int_equal(matches(&subject, clause), !is_equal);
    peer__buffer_free(&subject.attributes);
    return is_equal;
}

static void test_wildcards(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pattern;
        int matches;
    } cases[] = {
        {"James Peters", "James P*", 1},
        {"James Peters", "james p*", 0},
        {"James P", "James P*", 1},
        {"James", "James P*", 0},
        {"data-01.xml", "data-0?.xml", 1},
        {"data-0.xml", "data-0?.xml", 0},
        {"data-012.xml", "data-0?.xml", 0},
        {"a*b", "a\\*b", 1},
        {"axb", "a\\*b", 0},
        {"a?b\\", "a\\?b\\\\", 1},
        {"", "*", 1},
        {"", "?", 0},
        {"", "", 1},
        {"x", "", 0},
        {"any \n thing", "*", 1},
        {"aab", "a*ab", 1},
        {"aXbYc", "*b*", 1},
        {"mississippi", "m*iss*ip*i", 1},
        {"mississippi", "m*iss*ix*", 0},
        {"abcabc", "*abc", 1},
        {"abcab", "*abc", 0},
        {"100%_[a-z]", "100%_[a-z]", 1},
        {"100%_b", "100%_[a-z]", 0},
        {"\xc3\xa9t\xc3\xa9", "?t?", 1},
        {"\xc3\xa9", "??", 0},
        {"\xed\xa0\xbd\xed\xb8\x80!", "?!", 1},              /* U+1F600 in ordinal text */
        {"\xed\xa0\xbd\xed\xb8\x80", "\xf0\x9f\x98\x80", 1}, /* and in the query */
        {"\xed\xa0\xbd\xed\xb8\x80", "??", 0},
        {"\xed\xa0\xbd\xed\xb8\x80z", "*?z", 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (text_matches(cases[i].text, cases[i].pattern) != cases[i].matches)
            fail_msg("\"%s\" against \"%s\" is not %d", cases[i].text, cases[i].pattern, cases[i].matches);
    }
}

static void test_comparisons(void **state)
{
    (void)state;
    struct subject subject = {0};
    add_number(&subject, "n", PEER_ATTRIBUTE_INT, 9);
    add_text(&subject, "t", "9");
    add_text(&subject, "multi", "a");
    add_text(&subject, "multi", "c");
    assert_true(matches(&subject, CLAUSE("n", "int", "less", "10"))); /* numbers, not digits */
    assert_false(matches(&subject, CLAUSE("t", "string", "less", "10")));
    assert_true(matches(&subject, CLAUSE("n", "int", "lessorequal", "9")));
    assert_false(matches(&subject, CLAUSE("n", "int", "less", "9")));
    assert_true(matches(&subject, CLAUSE("n", "int", "greater", "-5")));
    assert_false(matches(&subject, CLAUSE("n", "string", "equal", "9"))); /* another type */
    assert_false(matches(&subject, CLAUSE("n", "string", "notequal", "x")));
    assert_false(matches(&subject, CLAUSE("N", "int", "equal", "9"))); /* another name */
    assert_false(matches(&subject, CLAUSE("missing", "int", "notequal", "9")));
    assert_true(matches(&subject, CLAUSE("multi", "string", "equal", "c")));
    assert_true(matches(&subject, CLAUSE("multi", "string", "notequal", "c"))); /* by the other value */
    assert_true(matches(&subject, "<and>" CLAUSE("multi", "string", "equal", "a")
                                      CLAUSE("multi", "string", "equal", "c") "</and>"));
    assert_true(matches(&subject, "<or>" CLAUSE("n", "int", "equal", "1") CLAUSE("n", "int", "equal", "9") "</or>"));
    assert_false(matches(&subject, "<and>" CLAUSE("n", "int", "equal", "1") CLAUSE("n", "int", "equal", "9") "</and>"));
    assert_false(
        matches(&subject, "<or><and>" CLAUSE("n", "int", "equal", "1") CLAUSE("n", "int", "equal", "9") "</and></or>"));
    peer__buffer_free(&subject.attributes);
}

static void test_fields_of_every_record(void **state)
{
    (void)state;
    struct subject subject = {0};
    int64_t time_us = INT64_C(1046390400000000); /* 2003-02-28 */
    subject.row.id =
        (peer_guid){{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}};
    subject.row.created = peer__ticks_from_us(time_us) + 3; /* finer than a microsecond */
    subject.row.modified = peer__ticks_from_us(time_us + 1);
    subject.row.creator_id = (struct span){(const uint8_t *)"\0b\0o\0b\0\0", 8};
    assert_true(matches(&subject, CLAUSE("peercreatorid", "string", "equal", "bob")));
    assert_true(matches(&subject, CLAUSE("peercreatorid", "string", "equal", "b*")));
    assert_false(matches(&subject, CLAUSE("peercreatorid", "string", "equal", "Bob")));
    assert_false(matches(&subject, CLAUSE("peercreatorid", "int", "notequal", "1")));
    assert_false(matches(&subject, CLAUSE("peerlastmodifiedby", "string", "notequal", "x"))); /* there is none */
    subject.row.modifier_id = subject.row.creator_id;
    assert_true(matches(&subject, CLAUSE("peerlastmodifiedby", "string", "notequal", "x")));
    assert_true(matches(&subject, CLAUSE("peercreationtime", "date", "equal", "2003-02-28")));
    assert_false(matches(&subject, CLAUSE("peercreationtime", "date", "greater", "2003-02-28")));
    assert_true(matches(&subject, CLAUSE("peerlastmodificationtime", "date", "greater", "2003-02-28")));
    assert_true(matches(&subject, CLAUSE("peerrecordid", "string", "equal", "00112233-4455-6677-8899-AABBCCDDEEFF")));
    assert_true(matches(&subject, CLAUSE("peerrecordid", "string", "equal", "{00112233-4455-6677-8899-aabbccddeeff}")));
    assert_true(matches(&subject, CLAUSE("peerrecordid", "string", "equal", "00112233-*")));
    assert_true(matches(&subject, CLAUSE("peerrecordid", "string", "less", "1")));
    assert_true(matches(&subject, CLAUSE("peerrecordtype", "string", "equal", "00000000-0000-0000-0000-000000000000")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_queries),
        cmocka_unit_test(test_invalid_queries),
        cmocka_unit_test(test_bad_escapes),
        cmocka_unit_test(test_lines_name_what_is_wrong),
        cmocka_unit_test(test_ten_megabytes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_memory_runs_out_everywhere),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_fields_of_every_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
