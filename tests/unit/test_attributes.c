/* Attributes of records: the schema of graph-api 10, the exported functions, and what a hostile peer may send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/memory.h"
#include "event/object.h"
#include "peergraph/peergraph.h"
#include "xml/attributes.h"
#include "xml/reader.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define DOCUMENT(inside) "<attributes>" inside "</attributes>"
#define STRING(name) DOCUMENT("<attribute name=\"" name "\" type=\"string\">v</attribute>")
#define OF(type, value) DOCUMENT("<attribute name=\"a\" type=\"" type "\">" value "</attribute>")
#define FORTY "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN"
#define MEGABYTE ((size_t)1024 * 1024)

/* Reader and check must agree about every document. */
static peer_status judge(const char *xml, size_t size)
{
    struct attributes attributes = {0};
    peer_status status = peer__attributes_check(xml, size);
    assert_int_equal(peer__attributes_parse(xml, size, &attributes), status);
    if (status < 0) {
        assert_null(attributes.items);
        assert_int_equal(attributes.count, 0);
    }
    peer__attributes_free(&attributes);
    return status;
}

static void assert_all(const char *const *documents, size_t count, peer_status expected)
{
    for (size_t i = 0; i < count; i++) {
        peer_status status = judge(documents[i], strlen(documents[i]));
        if (status != expected)
            fail_msg("%s gave %d: %s", documents[i], (int)status, peer__last_error());
    }
}

static void test_valid_documents(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "<attributes><attribute name=\"AuthenticationType\" type=\"string\">Kerberos</attribute>"
        "<attribute name=\"AuthExpires\" type=\"date\">2002-01-31</attribute></attributes>",
        "<attributes><attribute name=\"Owner\" type=\"string\">Scott</attribute>"
        "<attribute name=\"Birthday\" type=\"date\">1972-04-04</attribute>"
        "<attribute name=\"Priority\" type=\"int\">1</attribute></attributes>",
        "<attributes/>", /* row 173 */
        "<attributes></attributes>",
        "  \n<attributes>\r\n\t <attribute name='a' type='string'/> \n</attributes>\n\n",
        "\xef\xbb\xbf<attributes/>",
        "<?xml version=\"1.0\"?><attributes/>",
        "<?xml version='1.0' encoding='utf-8' standalone='yes'?><attributes/>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><attributes/>",
        "<!-- a --><attributes><!-- b --><?pi c?></attributes><!-- d --><?pi e?>",
        STRING("a") /* one character */,
        STRING(FORTY),
        STRING("0123456789"),
        STRING("peerrecordid2"),
        STRING("peerrecordi"),
        DOCUMENT("<attribute type='int' name='a'>1</attribute><attribute name='a' type='int'>2</attribute>"), /* 183 */
        OF("string", ""),
        OF("string", "&lt;&amp;&gt;&quot;&apos;&#65;&#x1F600;"),
        OF("string", "<![CDATA[<attribute>]]> and <!-- more --> text"),
        OF("string", "\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa4 \x7f"),
        OF("int", "0"),
        OF("int", "007"),
        OF("int", " \t\r\n42\n "),
        OF("int", "4<!-- -->2"),
        OF("int", "&#52;2"),
        OF("int", "99999999999999999999999999999999999999999999999999999999999999999999999999"),
        OF("date", "2005-07-01T00:00:00.0000000-06:00\n  "), /* [X]: white space before the end tag */
    };
    assert_all(documents, COUNT_OF(documents), PEER_OK);
}

static void test_invalid_structure(void **state)
{
    (void)state;
    static const char *const documents[] = {
        "",
        " ",
        "text",
        "<attributes>",
        "<attributes></attribute>",
        "<attributes/><attributes/>",
        "<attributes/>text",
        "<Attributes/>",
        "<a:attributes xmlns:a='urn:a'/>",
        "<a:attributes/>",
        "<attribute name='a' type='string'/>", /* row 175 */
        "<attributes xmlns='urn:a'/>",
        "<attributes version='1'/>",
        DOCUMENT("text"),
        DOCUMENT("&#65;"),
        DOCUMENT("<![CDATA[a]]>"),
        DOCUMENT("<Attribute name='a' type='string'/>"),
        DOCUMENT("<attributes/>"),
        DOCUMENT("<attribute/>"),
        DOCUMENT("<attribute name='a'/>"),
        DOCUMENT("<attribute type='string'/>"),
        DOCUMENT("<attribute name='a' name='b' type='string'/>"),
        DOCUMENT("<attribute name='a' type='string' more=''/>"),
        DOCUMENT("<attribute Name='a' type='string'/>"),
        DOCUMENT("<attribute name='a' type='string' xmlns='urn:a'/>"),
        DOCUMENT("<attribute name='a' type='string'><b/></attribute>"),
        DOCUMENT("<attribute name='a' type='string'>a<attribute name='b' type='string'/></attribute>"),
        DOCUMENT("<attribute name='a' type='string'>a & b</attribute>"),
        DOCUMENT("<attribute name='a' type='string'>]]></attribute>"),
        DOCUMENT("<attribute name='a' type='string'>&nbsp;</attribute>"),
        OF("float", "1"),
        OF("String", "a"),
        OF(" string", "a"),
        OF("", "a"),
        OF("string", "&#0;"),
        OF("string", "&#1;"),
        OF("string", "\x01"),
        OF("string", "&#xFFFE;"),
        OF("string", "&#xD800;"),
        OF("string", "\xef\xbf\xbf"),
        OF("string", "\xed\xa0\x80"), /* a surrogate */
        OF("string", "\xc0\x80"),     /* overlong */
        OF("string", "\xf4\x90\x80\x80"),
        OF("string", "\xff"),
        OF("string", "\xe2\x82"),
        "<?xml version='1.0' encoding='ISO-8859-1'?><attributes/>",
        "<?xml version='1.0' encoding='utf-81'?><attributes/>",
        "<?xml version='1.0' encoding='utf'?><attributes/>",
        "<?xml version='1.1'?><attributes",
        "<!DOCTYPE attributes><attributes/>",
        "<!DOCTYPE attributes SYSTEM 'file:///etc/hostname'><attributes/>",
        "<!DOCTYPE attributes [<!ENTITY a 'b'>]>" OF("string", "&a;"),
    };
    assert_all(documents, COUNT_OF(documents), PEER_E_INVALID_ATTRIBUTES);
}

static void test_invalid_names(void **state)
{
    (void)state;
    static const char *const documents[] = {
        STRING(""),
        STRING(" "),
        STRING("a-b"), /* row 177 */
        STRING("a_b"),
        STRING("a b"),
        STRING(" a"),
        STRING("a.b"),
        STRING("a:b"),
        STRING("\xc3\xa4"),
        STRING("&#228;"),
        STRING(FORTY "a"),
        STRING("peerlastmodifiedby"), /* row 179 */
        STRING("peercreatorid"),
        STRING("peerlastmodificationtime"),
        STRING("peerrecordid"),
        STRING("peerrecordtype"),
        STRING("peercreationtime"),
        STRING("PeerCreatorID"),
        STRING("PEERRECORDTYPE"),
    };
    assert_all(documents, COUNT_OF(documents), PEER_E_INVALID_ATTRIBUTES);
}

static void test_invalid_values(void **state)
{
    (void)state;
    static const char *const documents[] = {
        OF("int", ""),    OF("int", "  "),           OF("int", "12a"),    OF("int", "-1"),          OF("int", "+1"),
        OF("int", "1 2"), OF("int", "0x10"),         OF("int", "1.0"),    OF("int", "\xd9\xa1"),    OF("date", ""),
        OF("date", " "),  OF("date", "2003-02-328"), OF("date", "today"), OF("date", "2001-02-29"),
    };
    assert_all(documents, COUNT_OF(documents), PEER_E_INVALID_ATTRIBUTES);
}

static void test_lines_name_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        const char *line;
    } cases[] = {
        {"<attributes>\n  <attribute name=\"a-b\" type=\"int\"/></attributes>",
         "attribute name \"a-b\" may hold 0-9 a-z A-Z only, line 2, column 3"},
        {STRING(FORTY "a"), "attribute name \"" FORTY "a\" is longer than 40 characters, line 1, column 13"},
        {STRING("peerRecordId"), "attribute name \"peerRecordId\" is reserved, line 1, column 13"},
        {OF("float", "1"), "attribute \"a\": type \"float\" is none of string, int and date, line 1, column 13"},
        {OF("int", "12a"), "attribute \"a\": int \"12a\" may hold digits only, line 1, column 47"},
        {OF("date", "2003-02-29"),
         "attribute \"a\": date \"2003-02-29\" has a day that the month does not have, line 1, column 55"},
        {"<a/>", "the root element is <a>, not <attributes>, line 1, column 1"},
        {"<!DOCTYPE a><a/>", "a document type is not allowed, line 1, column 12"},
        {"<attributes>", "the attributes are not well-formed XML: no element found, line 1, column 13"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(judge(cases[i].xml, strlen(cases[i].xml)), PEER_E_INVALID_ATTRIBUTES);
        assert_string_equal(peer__last_error(), cases[i].line);
    }
}

/* --- hostile documents ------------------------------------------------------------------------------------------------ */

struct text {
    char *data;
    size_t size;
};

static void add(struct text *text, const char *piece, size_t times)
{
    size_t size = strlen(piece);
    text->data = realloc(text->data, text->size + size * times + 1);
    assert_non_null(text->data);
    for (size_t i = 0; i < times; i++) {
        memcpy(text->data + text->size, piece, size);
        text->size += size;
    }
}

static void judge_and_free(struct text *text, peer_status expected)
{
    assert_int_equal(judge(text->data, text->size), expected);
    free(text->data);
    *text = (struct text){0};
}

static void test_count_is_bounded(void **state)
{
    (void)state;
    static const char one[] = "<attribute name=\"a\" type=\"int\">1</attribute>";
    for (int more = 0; more < 2; more++) {
        struct text text = {0};
        add(&text, "<attributes>", 1);
        add(&text, one, ATTRIBUTE_COUNT_MAX + (size_t)more);
        add(&text, "</attributes>", 1);
        judge_and_free(&text, more ? PEER_E_TOO_MANY_ATTRIBUTES : PEER_OK);
    }
}

static void test_billion_laughs(void **state)
{
    (void)state;
    static const char xml[] = "<?xml version=\"1.0\"?><!DOCTYPE attributes ["
                              "<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
                              "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">"
                              "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]>" OF("string", "&d;");
    assert_int_equal(judge(xml, sizeof(xml) - 1), PEER_E_INVALID_ATTRIBUTES);
    assert_non_null(strstr(peer__last_error(), "a document type is not allowed"));
}

static void test_large_documents(void **state)
{
    (void)state;
    struct text text = {0};
    add(&text, "<attributes>", 10 * MEGABYTE / 12);
    judge_and_free(&text, PEER_E_INVALID_ATTRIBUTES);

    add(&text, "<attributes><attribute name='a' type='string'>", 1);
    add(&text,
        "\xe2\x82\xac"
        "0123456789\r\n",
        10 * MEGABYTE / 15);
    add(&text, "</attribute></attributes>", 1);
    judge_and_free(&text, PEER_OK);

    add(&text, "<attributes><attribute name='a' type='int'>", 1);
    add(&text, "7", 10 * MEGABYTE);
    add(&text, "</attribute></attributes>", 1);
    judge_and_free(&text, PEER_OK);

    add(&text, "<attributes>", 1);
    add(&text, " ", 10 * MEGABYTE);
    add(&text, "</attributes>", 1);
    judge_and_free(&text, PEER_OK);
}

/* One token may not be long, whatever it is, and wherever it falls on the pieces in which expat gets the document. */
static void test_long_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *before, *fill, *after;
    } shapes[] = {
        {"<attributes><!--", "a", "--></attributes>"},
        {"<attributes><?pi ", "a", "?></attributes>"},
        {"<attributes><attribute name='", "a", "' type='string'/></attributes>"},
        {"<attributes><attribute name='a' type='string' ", " ", "/></attributes>"},
        {"<attributes></attributes", " ", ">"},
        {"<attributes ", "a='' ", "/>"},
        {"<", "a", "/>"},
        {"<!--", "a", "--><attributes/>"},
        {"<attributes/><!--", "a", "-->"},
    };
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        for (size_t size = XML_TOKEN_MAX; size <= 10 * MEGABYTE; size = size < MEGABYTE ? size * 3 / 2 : size * 4) {
            struct text text = {0};
            add(&text, shapes[i].before, 1);
            add(&text, shapes[i].fill, size / strlen(shapes[i].fill));
            add(&text, shapes[i].after, 1);
            judge_and_free(&text, PEER_E_INVALID_ATTRIBUTES);
        }
    }
    for (size_t lead = 0; lead < 2 * XML_TOKEN_MAX; lead += 1021) {
        for (size_t more = 0; more < 2; more++) {
            struct text text = {0};
            add(&text, "<attributes>", 1);
            add(&text, "\n", lead);
            add(&text, "<!--", 1);
            add(&text, "a", XML_TOKEN_MAX - 7 + more);
            add(&text, "--></attributes>", 1);
            judge_and_free(&text, more ? PEER_E_INVALID_ATTRIBUTES : PEER_OK);
        }
    }
}

static void test_memory_of_a_check_is_bounded(void **state)
{
    (void)state;
    struct text text = {0};
    add(&text, "<attributes>", 1);
    add(&text, "<attribute name='abc' type='int'>12</attribute>", 4000);
    add(&text, "</attributes>", 1);
    /* No allocation for each attribute: four thousand of them need no more than a few. */
    peer__memory_fail_after(100);
    peer_status status = peer__attributes_check(text.data, text.size);
    peer__memory_fail_after(-1);
    assert_int_equal(status, PEER_OK);
    free(text.data);
}

static void test_nul_bytes(void **state)
{
    (void)state;
    static const char inside[] = OF("string", "a\0b");
    static const char behind[] = OF("string", "a"); /* with its terminator */
    static const char tag[] = "<attributes\0/>";
    assert_int_equal(judge(inside, sizeof(inside) - 1), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(judge(behind, sizeof(behind)), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(judge(tag, sizeof(tag) - 1), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(judge(NULL, 0), PEER_E_INVALID_ATTRIBUTES);
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33);
}

/* Whatever comes: no crash, no leak, reader and check agree, and what was accepted survives being written and read. */
static void test_mutations(void **state)
{
    (void)state;
    static const char base[] =
        "<?xml version='1.0' encoding='UTF-8'?>\n<attributes>"
        "<attribute name=\"Name\" type=\"string\">a &amp; <![CDATA[b]]>&#8364; \xe2\x82\xac</attribute>"
        "<attribute name='Count' type='int'> 42 </attribute><!-- c -->"
        "<attribute name='Day' type='date'>1997-07-16T19:20:30.45+01:00</attribute></attributes>";
    static const char *const words[] = {"<",        ">",   "&",    "]]>", "<!--", "-->",  "<attribute", "</attribute>",
                                        "\"",       "'",   "&#0;", "9",   "-",    "\xff", "\xe2",       "<!DOCTYPE a [",
                                        "name='x'", "int", " ",    "<?"};
    int64_t live = peer__memory_live();
    uint64_t seed = 20261121;
    size_t accepted = 0;
    for (int round = 0; round < 20000; round++) {
        char xml[2 * sizeof(base)];
        size_t size = sizeof(base) - 1;
        memcpy(xml, base, size);
        for (uint32_t change = next_random(&seed) % 3; change < 3; change++) {
            size_t at = next_random(&seed) % size;
            const char *word = words[next_random(&seed) % COUNT_OF(words)];
            size_t cut = next_random(&seed) % 4 < 3 ? next_random(&seed) % 3 : next_random(&seed) % 40;
            size_t more = next_random(&seed) % 2 ? strlen(word) : 0;
            cut = cut < size - at ? cut : size - at - 1;
            memmove(xml + at + more, xml + at + cut, size - at - cut);
            memcpy(xml + at, word, more);
            size = size - cut + more;
        }
        if (next_random(&seed) % 4 == 0)
            xml[next_random(&seed) % size] = (char)next_random(&seed);

        struct attributes attributes = {0};
        peer_status status = judge(xml, size);
        if (peer__attributes_parse(xml, size, &attributes) == PEER_OK) {
            struct buffer written = {0};
            assert_int_equal(peer__attributes_to_xml(&attributes, &written), PEER_OK);
            assert_int_equal(judge((const char *)written.data, written.size), PEER_OK);
            peer__buffer_free(&written);
            accepted++;
        } else {
            assert_int_equal(status, PEER_E_INVALID_ATTRIBUTES);
        }
        peer__attributes_free(&attributes);
    }
    assert_true(accepted > 100);
    assert_int_equal(peer__memory_live(), live);
}

/* --- the exported functions ------------------------------------------------------------------------------------------- */

static void test_build_and_read(void **state)
{
    (void)state;
    peer_attributes *built;
    peer_attributes *read;
    const char *xml;
    assert_int_equal(peer_attributes_create(&built), PEER_OK);
    assert_int_equal(peer_attributes_get_xml(built, &xml), PEER_OK);
    assert_string_equal(xml, "<attributes></attributes>");
    assert_int_equal(peer_attributes_add(built, "Colour", PEER_ATTRIBUTE_STRING, "red & \"blue\""), PEER_OK);
    assert_int_equal(peer_attributes_add_int(built, "Size", INT64_MAX), PEER_OK);
    assert_int_equal(peer_attributes_add_date(built, "Day", INT64_C(1012435200000001)), PEER_OK);
    assert_int_equal(peer_attributes_get_xml(built, &xml), PEER_OK);
    assert_string_equal(xml,
                        "<attributes><attribute name=\"Colour\" type=\"string\">red &amp; &quot;blue&quot;</attribute>"
                        "<attribute name=\"Size\" type=\"int\">9223372036854775807</attribute>"
                        "<attribute name=\"Day\" type=\"date\">2002-01-31T00:00:00.000001Z</attribute></attributes>");

    assert_int_equal(peer_attributes_parse(xml, &read), PEER_OK);
    uint32_t count = 0;
    assert_int_equal(peer_attributes_get_count(read, &count), PEER_OK);
    assert_int_equal(count, 3);
    const char *name;
    const char *value;
    int32_t type;
    assert_int_equal(peer_attributes_get(read, 0, &name, &type, &value), PEER_OK);
    assert_string_equal(name, "Colour");
    assert_int_equal(type, PEER_ATTRIBUTE_STRING);
    assert_string_equal(value, "red & \"blue\"");
    int64_t number = 0;
    assert_int_equal(peer_attributes_get_int(read, 1, &number), PEER_OK);
    assert_true(number == INT64_MAX);
    assert_int_equal(peer_attributes_get_date(read, 2, &number), PEER_OK);
    assert_true(number == INT64_C(1012435200000001));

    const char *again;
    assert_int_equal(peer_attributes_get_xml(read, &again), PEER_OK);
    assert_string_equal(again, xml);
    peer_free_data(built);
    peer_free_data(read);
}

static void test_tricky_values_go_around(void **state)
{
    (void)state;
    static const char *const values[] = {
        "",
        " ",
        "  a  ",
        "\n",
        "\r",
        "\r\n",
        "\t\n\r ",
        "]]>",
        "<![CDATA[x]]>",
        "&amp;",
        "&#65;",
        "<a b='c'>",
        "\"'",
        "\xf0\x9f\x98\x80",
        "\xf4\x8f\xbf\xbf",
        "\xef\xbf\xbd",
        "\xc2\x85\xe2\x80\xa8",
        "\x7f",
        "*?\\",
        "--><!--",
    };
    peer_attributes *built;
    peer_attributes *read;
    const char *xml;
    assert_int_equal(peer_attributes_create(&built), PEER_OK);
    for (size_t i = 0; i < COUNT_OF(values); i++)
        assert_int_equal(peer_attributes_add(built, "a", PEER_ATTRIBUTE_STRING, values[i]), PEER_OK);
    assert_int_equal(peer_attributes_get_xml(built, &xml), PEER_OK);
    assert_int_equal(peer_attributes_parse(xml, &read), PEER_OK);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const char *name;
        const char *value;
        int32_t type;
        assert_int_equal(peer_attributes_get(read, (uint32_t)i, &name, &type, &value), PEER_OK);
        assert_string_equal(value, values[i]);
    }
    peer_free_data(read);
    peer_free_data(built);
}

static void test_what_may_not_be_added(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t type;
        const char *value;
    } cases[] = {
        {"", PEER_ATTRIBUTE_STRING, "a"},
        {FORTY "a", PEER_ATTRIBUTE_STRING, "a"},
        {"a b", PEER_ATTRIBUTE_STRING, "a"},
        {"\xff", PEER_ATTRIBUTE_STRING, "a"},
        {"peercreatorid", PEER_ATTRIBUTE_STRING, "a"},
        {"PeerCreatorId", PEER_ATTRIBUTE_STRING, "a"},
        {"a", 0, "a"},
        {"a", 4, "a"},
        {"a", INT32_MIN, "a"},
        {"a", PEER_ATTRIBUTE_INT, ""},
        {"a", PEER_ATTRIBUTE_INT, "-1"},
        {"a", PEER_ATTRIBUTE_INT, "a"},
        {"a", PEER_ATTRIBUTE_DATE, "2003-02-328"},
        {"a", PEER_ATTRIBUTE_STRING, "\x01"},
        {"a", PEER_ATTRIBUTE_STRING, "a\x1f"},
        {"a", PEER_ATTRIBUTE_STRING, "\v"},
        {"a", PEER_ATTRIBUTE_STRING, "\xef\xbf\xbe"},
        {"a", PEER_ATTRIBUTE_STRING, "\xef\xbf\xbf"},
        {"a", PEER_ATTRIBUTE_STRING, "\xed\xbf\xbf"},
        {"a", PEER_ATTRIBUTE_STRING, "\xff"},
        {"a", PEER_ATTRIBUTE_STRING, "\xe2\x82"},
    };
    peer_attributes *built;
    const char *xml;
    assert_int_equal(peer_attributes_create(&built), PEER_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(peer_attributes_add(built, cases[i].name, cases[i].type, cases[i].value),
                         PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(peer_attributes_add_int(built, "a", -1), PEER_E_INVALID_ATTRIBUTES);
    assert_string_equal(peer__last_error(), "attribute \"a\": int \"-1\" may hold digits only");
    assert_int_equal(peer_attributes_add_int(built, "a", INT64_MIN), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(peer_attributes_add_date(built, "a", INT64_MIN), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(peer_attributes_add_date(built, "a", INT64_MAX), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(peer_attributes_get_xml(built, &xml), PEER_OK);
    assert_string_equal(xml, "<attributes></attributes>");

    for (int i = 0; i < ATTRIBUTE_COUNT_MAX; i++)
        assert_int_equal(peer_attributes_add_int(built, "a", i), PEER_OK);
    assert_int_equal(peer_attributes_add_int(built, "a", 1), PEER_E_TOO_MANY_ATTRIBUTES);
    assert_int_equal(peer_attributes_get_xml(built, &xml), PEER_OK);
    assert_int_equal(judge(xml, strlen(xml)), PEER_OK);
    peer_free_data(built);
}

static void test_arguments(void **state)
{
    (void)state;
    peer_attributes *read;
    const char *text;
    int32_t type;
    uint32_t count = 7;
    int64_t number = 7;
    assert_int_equal(peer_attributes_create(NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_parse(NULL, &read), E_INVALIDARG);
    assert_int_equal(peer_attributes_parse("<attributes/>", NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_parse(DOCUMENT("<attribute name='i' type='int'>9223372036854775808</attribute>"
                                                    "<attribute name='d' type='date'>2002</attribute>"),
                                           &read),
                     PEER_OK);
    assert_int_equal(peer_attributes_add(NULL, "a", 1, "a"), E_INVALIDARG);
    assert_int_equal(peer_attributes_add(read, NULL, 1, "a"), E_INVALIDARG);
    assert_int_equal(peer_attributes_add(read, "a", 1, NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_xml(NULL, &text), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_xml(read, NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_count(NULL, &count), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_count(read, NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_get(NULL, 0, &text, &type, &text), E_INVALIDARG);
    assert_int_equal(peer_attributes_get(read, 2, &text, &type, &text), E_INVALIDARG);
    assert_int_equal(peer_attributes_get(read, UINT32_MAX, &text, &type, &text), E_INVALIDARG);
    assert_int_equal(peer_attributes_get(read, 0, NULL, &type, &text), E_INVALIDARG);
    assert_int_equal(peer_attributes_get(read, 0, &text, NULL, &text), E_INVALIDARG);
    assert_int_equal(peer_attributes_get(read, 0, &text, &type, NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_int(read, 0, NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_int(read, 2, &number), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_int(read, 0, &number), PEER_E_INVALID_ATTRIBUTES); /* beyond 64 bits */
    assert_int_equal(peer_attributes_get_int(read, 1, &number), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(peer_attributes_get_date(read, 0, &number), PEER_E_INVALID_ATTRIBUTES);
    assert_int_equal(peer_attributes_get_date(read, 1, NULL), E_INVALIDARG);
    assert_int_equal(peer_attributes_get_date(NULL, 1, &number), E_INVALIDARG);
    assert_int_equal(count, 7);
    assert_int_equal(number, 7);
    peer_free_data(read);
}

static void test_owners(void **state)
{
    (void)state;
    static _Alignas(16) char other[256]; /* no object, wherever one looks for its header */
    int64_t live = peer__memory_live();
    peer_attributes *built;
    uint32_t count;
    assert_int_equal(peer_attributes_create(&built), PEER_OK);
    assert_int_equal(peer_retain_data(built), PEER_OK);
    peer_free_data(built);
    assert_int_equal(peer_attributes_get_count(built, &count), PEER_OK);
    peer_free_data(built);
    assert_int_equal(peer__memory_live(), live);

    peer_free_data(NULL);
    assert_int_equal(peer_retain_data(NULL), E_INVALIDARG);
    peer_free_data(other + 128);
    peer_free_data(other + 129);
    assert_int_equal(peer_retain_data(other + 128), E_INVALIDARG);
    void *record = peer__object_create(8, OBJECT_RECORD, NULL);
    assert_int_equal(peer_attributes_get_count(record, &count), E_INVALIDARG);
    assert_string_equal(peer__last_error(), "an object (attributes) is wanted, this is another (record)");
    peer_free_data(record);
    assert_int_equal(peer__memory_live(), live);
}

/* --- memory ----------------------------------------------------------------------------------------------------------- */

/* Fails unless all that it does succeeds or memory is out; leaves nothing behind. */
static peer_status build_and_parse(void)
{
    peer_attributes *built;
    peer_attributes *read;
    const char *xml;
    char before[4096];
    peer_status status = peer_attributes_create(&built);
    if (status < 0)
        return status;
    for (int i = 0; i < 20 && status >= 0; i++) {
        uint32_t count_before;
        uint32_t count;
        peer_attributes_get_count(built, &count_before);
        peer_attributes_get_xml(built, &xml);
        memcpy(before, xml, strlen(xml) + 1);
        status = peer_attributes_add(built, "Attribute", PEER_ATTRIBUTE_STRING, "a value of some length & more");
        if (status < 0) { /* nothing has changed */
            peer_attributes_get_count(built, &count);
            peer_attributes_get_xml(built, &xml);
            assert_int_equal(count, count_before);
            assert_string_equal(xml, before);
        }
    }
    if (status >= 0)
        status = peer_attributes_get_xml(built, &xml);
    if (status >= 0)
        status = peer__attributes_check(OF("date", "2002"), sizeof(OF("date", "2002")) - 1);
    if (status >= 0)
        status = peer_attributes_parse(xml, &read);
    if (status >= 0)
        peer_free_data(read);
    peer_free_data(built);
    return status;
}

static void test_memory_runs_out_everywhere(void **state)
{
    (void)state;
    int64_t live = peer__memory_live();
    int64_t count = 0;
    for (;; count++) {
        peer__memory_fail_after(count);
        peer_status status = build_and_parse();
        peer__memory_fail_after(-1);
        assert_int_equal(peer__memory_live(), live);
        if (status >= 0)
            break;
        assert_int_equal(status, E_OUTOFMEMORY);
    }
    assert_true(count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_documents),
        cmocka_unit_test(test_invalid_structure),
        cmocka_unit_test(test_invalid_names),
        cmocka_unit_test(test_invalid_values),
        cmocka_unit_test(test_lines_name_what_is_wrong),
        cmocka_unit_test(test_count_is_bounded),
        cmocka_unit_test(test_billion_laughs),
        cmocka_unit_test(test_large_documents),
        cmocka_unit_test(test_long_tokens),
        cmocka_unit_test(test_memory_of_a_check_is_bounded),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_build_and_read),
        cmocka_unit_test(test_tricky_values_go_around),
        cmocka_unit_test(test_what_may_not_be_added),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_owners),
        cmocka_unit_test(test_memory_runs_out_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
