/* The reader of query XML. The tree is bounded in nodes, depth and the length of values, whatever comes. */
#include "xml/search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "base/text.h"
#include "xml/attributes.h"
#include "xml/reader.h"
#include "xml/value.h"

struct scan {
    struct xml_reader reader;
    struct search *out;
    uint32_t path[SEARCH_DEPTH_MAX + 1]; /* the node of each open element; that of the root has none */
    struct buffer value;                 /* of the clause that is being read */
};

/* --- clauses ---------------------------------------------------------------------------------------------------------- */

/* 0, or -1: nothing has that name. */
static int take_name(struct scan *scan, struct search_node *clause, const char *name)
{
    const char *fault = peer__search_field(name, &clause->field);
    if (fault != NULL) {
        peer__xml_refuse(&scan->reader, "attrib \"%s\" %s", peer__quote(name).text, fault);
        return -1;
    }
    if (clause->field == SEARCH_ATTRIBUTE)
        snprintf(clause->name, sizeof(clause->name), "%s", name);
    return 0;
}

static int take_compare(struct scan *scan, struct search_node *clause, const char *name)
{
    for (int32_t compare = PEER_COMPARE_EQUAL; peer__compare_word(compare) != NULL; compare++) {
        if (strcmp(name, peer__compare_word(compare)) == 0) {
            clause->compare = compare;
            return 0;
        }
    }
    peer__xml_refuse(&scan->reader,
                     "compare \"%s\" is none of equal, notequal, less, greater, lessorequal, greaterorequal",
                     peer__quote(name).text);
    return -1;
}

static int take_type(struct scan *scan, struct search_node *clause, const char *name)
{
    clause->type = peer__attribute_type(name);
    if (clause->type != 0)
        return 0;
    peer__xml_refuse(&scan->reader, "type \"%s\" is none of string, int and date", peer__quote(name).text);
    return -1;
}

static void start_clause(struct scan *scan, struct search_node *clause, const char **pairs)
{
    int has_name = 0;
    clause->compare = PEER_COMPARE_EQUAL;
    for (; pairs[0] != NULL; pairs += 2) {
        int failed;
        if (strcmp(pairs[0], "attrib") == 0) {
            failed = take_name(scan, clause, pairs[1]);
            has_name = 1;
        } else if (strcmp(pairs[0], "type") == 0) {
            failed = take_type(scan, clause, pairs[1]);
        } else if (strcmp(pairs[0], "compare") == 0) {
            failed = take_compare(scan, clause, pairs[1]);
        } else {
            peer__xml_refuse(&scan->reader, "<clause> has no \"%s\"", peer__quote(pairs[0]).text);
            failed = 1;
        }
        if (failed)
            return;
    }
    if (!has_name || clause->type == 0) /* graph-api 11: only `compare` has a default */
        peer__xml_refuse(&scan->reader, "<clause> needs %s", has_name ? "a type" : "an attrib");
}

/* --- values ----------------------------------------------------------------------------------------------------------- */

/* Wildcards mean something where text is compared for being equal or not; elsewhere they are characters (11.2). */
static int has_wildcards(const struct search_node *clause)
{
    return clause->type == PEER_ATTRIBUTE_STRING && clause->compare <= PEER_COMPARE_NOT_EQUAL;
}

/* The value without escapes, as ordinal text with wildcards. 0, or -1: a backslash escapes nothing. */
static int take_text(struct search_node *clause, const char *value)
{
    struct buffer *text = &clause->text;
    int wild = has_wildcards(clause);
    size_t literal_size = SIZE_MAX;
    for (const char *at = value; *at != '\0'; at++) {
        size_t plain = strcspn(at, "\\*?");
        peer__ordinal_append(text, at, plain);
        at += plain;
        if (*at == '\0')
            break;
        if (*at == '\\') {
            at++;
            if (*at == '\0' || strchr("\\*?", *at) == NULL)
                return -1;
        } else if (wild) {
            if (literal_size == SIZE_MAX)
                literal_size = text->size;
            peer__buffer_u8(text, *at == '*' ? SEARCH_ANY_RUN : SEARCH_ANY_CHARACTER);
            continue;
        }
        peer__buffer_u8(text, (uint8_t)*at);
    }
    clause->literal_size = literal_size != SIZE_MAX ? literal_size : text->size;
    return 0;
}

/* GUIDs are compared as they are printed: lower case, no braces. */
static void fold_guid(struct search_node *clause)
{
    struct buffer *text = &clause->text;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] >= 'A' && text->data[i] <= 'Z')
            text->data[i] = (uint8_t)(text->data[i] - 'A' + 'a');
    }
    if (text->size >= 2 && text->data[0] == '{' && text->data[text->size - 1] == '}') {
        memmove(text->data, text->data + 1, text->size - 2);
        text->size -= 2;
        clause->literal_size = clause->literal_size > text->size ? text->size : clause->literal_size - 1;
    }
}

/* Attributes hold no negative numbers, but 64 bits with a sign are compared (11.4). */
static const char *read_int(const char *text, int64_t *number_out)
{
    while (peer__is_xml_space(*text))
        text++;
    if (*text != '-')
        return peer__int_read(text, number_out);
    const char *fault = peer__int_fault(text + 1);
    if (fault != NULL || peer__is_xml_space(text[1]))
        return "may hold a sign and digits only";
    errno = 0;
    *number_out = strtoll(text, NULL, 10);
    return errno == ERANGE ? "is less than -9223372036854775808" : NULL;
}

static void take_number(struct scan *scan, struct search_node *clause)
{
    peer__buffer_u8(&clause->text, '\0');
    if (clause->text.failed)
        return;
    const char *text = (const char *)clause->text.data;
    const char *fault =
        clause->type == PEER_ATTRIBUTE_INT ? read_int(text, &clause->number) : peer__date_read(text, &clause->number);
    if (fault != NULL)
        peer__xml_refuse(&scan->reader, "%s \"%s\" %s", peer__attribute_type_name(clause->type), peer__quote(text).text,
                         fault);
    peer__buffer_free(&clause->text);
}

static void end_clause(struct scan *scan)
{
    struct search_node *clause = &scan->out->nodes[scan->path[scan->reader.depth - 1]];
    peer__buffer_u8(&scan->value, '\0');
    if (!scan->value.failed && take_text(clause, (const char *)scan->value.data) != 0) {
        peer__xml_refuse_with(&scan->reader, E_INVALIDARG,
                              "\"%s\": \\ may stand before *, ? and \\ only, and \\\\ is a \\ itself",
                              peer__quote((const char *)scan->value.data).text);
        return;
    }
    if (clause->type != PEER_ATTRIBUTE_STRING && !scan->value.failed && !clause->text.failed)
        take_number(scan, clause);
    else if (clause->field == SEARCH_RECORD_ID || clause->field == SEARCH_RECORD_TYPE)
        fold_guid(clause);
    if (scan->value.failed || clause->text.failed)
        peer__xml_stop(&scan->reader, peer__out_of_memory());
    peer__buffer_clear(&scan->value);
}

/* --- elements --------------------------------------------------------------------------------------------------------- */

/* Namespaces may be declared and mean nothing. */
static void start_root(struct scan *scan, const char *element, const char **pairs)
{
    if (strcmp(element, "peersearch") != 0) {
        peer__xml_refuse(&scan->reader, "the root element is <%s>, not <peersearch>", peer__quote(element).text);
        return;
    }
    for (; pairs[0] != NULL; pairs += 2) {
        if (strcmp(pairs[0], "xmlns") != 0 && strncmp(pairs[0], "xmlns:", 6) != 0) {
            peer__xml_refuse(&scan->reader, "<peersearch> has no \"%s\"", peer__quote(pairs[0]).text);
            return;
        }
    }
}

static struct search_node *parent_of(struct scan *scan)
{
    return scan->reader.depth > 2 ? &scan->out->nodes[scan->path[scan->reader.depth - 2]] : NULL;
}

/* The node of the element, or NULL: refused. */
static struct search_node *add_node(struct scan *scan)
{
    struct xml_reader *reader = &scan->reader;
    if (reader->depth - 1 > (int)SEARCH_DEPTH_MAX) {
        peer__xml_refuse(reader, "clauses and operators are nested deeper than %u", SEARCH_DEPTH_MAX);
        return NULL;
    }
    if (reader->depth == 2 && scan->out->count > 0) {
        peer__xml_refuse(reader, "<peersearch> may hold one element only; put them into <and> or <or>");
        return NULL;
    }
    if (scan->out->count == SEARCH_NODES_MAX) {
        peer__xml_refuse(reader, "there are more than %u clauses and operators", SEARCH_NODES_MAX);
        return NULL;
    }
    struct search_node *node = peer__search_append(scan->out);
    if (node == NULL) {
        peer__xml_stop(reader, peer__out_of_memory());
        return NULL;
    }
    scan->path[reader->depth - 1] = scan->out->count - 1;
    return node;
}

static void start_node(struct scan *scan, const char *element, const char **pairs)
{
    int is_clause = strcmp(element, "clause") == 0;
    int is_and = strcmp(element, "and") == 0;
    const struct search_node *parent = parent_of(scan);
    if (parent != NULL && parent->kind == SEARCH_CLAUSE) {
        peer__xml_refuse(&scan->reader, "<clause> holds the element <%s>", peer__quote(element).text);
    } else if (!is_clause && !is_and && strcmp(element, "or") != 0) {
        peer__xml_refuse(&scan->reader, "<%s> is none of <clause>, <and> and <or>", peer__quote(element).text);
    } else if (!is_clause && pairs[0] != NULL) {
        peer__xml_refuse(&scan->reader, "<%s> has no \"%s\"", element, peer__quote(pairs[0]).text);
    } else {
        struct search_node *node = add_node(scan);
        if (node == NULL)
            return;
        node->kind = is_clause ? SEARCH_CLAUSE : is_and ? SEARCH_AND : SEARCH_OR;
        if (is_clause)
            start_clause(scan, node, pairs);
    }
}

static void on_start(struct xml_reader *reader, const char *element, const char **pairs)
{
    struct scan *scan = CONTAINER_OF(reader, struct scan, reader);
    if (reader->depth == 1)
        start_root(scan, element, pairs);
    else
        start_node(scan, element, pairs);
}

static void on_end(struct xml_reader *reader)
{
    struct scan *scan = CONTAINER_OF(reader, struct scan, reader);
    if (reader->depth == 1) {
        if (scan->out->count == 0)
            peer__xml_refuse(reader, "<peersearch> is empty");
        return;
    }
    uint32_t at = scan->path[reader->depth - 1];
    struct search_node *node = &scan->out->nodes[at];
    node->end = scan->out->count;
    if (node->kind == SEARCH_CLAUSE)
        end_clause(scan);
    else if (node->end == at + 1)
        peer__xml_refuse(reader, "<%s> is empty", node->kind == SEARCH_AND ? "and" : "or");
}

static void on_text(struct xml_reader *reader, const char *text, size_t size)
{
    struct scan *scan = CONTAINER_OF(reader, struct scan, reader);
    int in_clause = reader->depth > 1 && scan->out->nodes[scan->path[reader->depth - 1]].kind == SEARCH_CLAUSE;
    if (in_clause && size > SEARCH_VALUE_MAX - scan->value.size) {
        peer__xml_refuse(reader, "a value is longer than %u bytes", SEARCH_VALUE_MAX);
        return;
    }
    if (in_clause) {
        peer__buffer_append(&scan->value, text, size);
        if (scan->value.failed)
            peer__xml_stop(reader, peer__out_of_memory());
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (!peer__is_xml_space(text[i])) {
            peer__xml_refuse(reader, "there is text between the elements");
            return;
        }
    }
}

peer_status peer__search_parse(const char *xml, size_t size, struct search *out)
{
    struct scan scan = {.reader = {.what = "the query is",
                                   .violation = PEER_E_INVALID_SEARCH,
                                   .start = on_start,
                                   .end = on_end,
                                   .text = on_text},
                        .out = out};
    peer_status status = peer__xml_read(&scan.reader, xml, size);
    peer__buffer_free(&scan.value);
    if (status < 0)
        peer__search_free(out);
    return status;
}
