/* The writer of query XML. Every call refuses what the reader would refuse, so that its line is about its own arguments. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "xml/attributes.h"
#include "xml/search.h"
#include "xml/value.h"
#include "xml/writer.h"

static const char xml_empty[] = "<peersearch></peersearch>";
#define XML_END_SIZE sizeof("</peersearch>") /* with the NUL */

/* --- words ------------------------------------------------------------------------------------------------------------ */

const char *peer__compare_word(int32_t compare)
{
    static const char *const words[] = {
        [PEER_COMPARE_EQUAL] = "equal",
        [PEER_COMPARE_NOT_EQUAL] = "notequal",
        [PEER_COMPARE_LESS] = "less",
        [PEER_COMPARE_GREATER] = "greater",
        [PEER_COMPARE_LESS_OR_EQUAL] = "lessorequal",
        [PEER_COMPARE_GREATER_OR_EQUAL] = "greaterorequal",
    };
    return compare >= PEER_COMPARE_EQUAL && compare <= PEER_COMPARE_GREATER_OR_EQUAL ? words[compare] : NULL;
}

const char *peer__search_field(const char *name, enum search_field *field_out)
{
    static const char *const names[SEARCH_FIELD_COUNT] = {
        [SEARCH_CREATOR_ID] = "peercreatorid", [SEARCH_MODIFIER_ID] = "peerlastmodifiedby",
        [SEARCH_CREATED] = "peercreationtime", [SEARCH_MODIFIED] = "peerlastmodificationtime",
        [SEARCH_RECORD_ID] = "peerrecordid",   [SEARCH_RECORD_TYPE] = "peerrecordtype",
    };
    for (int field = SEARCH_ATTRIBUTE + 1; field < SEARCH_FIELD_COUNT; field++) {
        if (strcmp(name, names[field]) == 0) {
            *field_out = (enum search_field)field;
            return NULL;
        }
    }
    *field_out = SEARCH_ATTRIBUTE;
    return peer__attribute_name_fault(name);
}

static const char *operator_word(enum search_kind kind)
{
    return kind == SEARCH_AND ? "and" : "or";
}

/* --- the object ------------------------------------------------------------------------------------------------------- */

peer_status peer__query_init(struct query *query)
{
    peer__buffer_append(&query->xml, xml_empty, sizeof(xml_empty));
    return query->xml.failed ? peer__out_of_memory() : PEER_OK;
}

void peer__query_free(struct query *query)
{
    peer__buffer_free(&query->xml);
}

peer_status peer__query_check_complete(const struct query *query)
{
    if (query->count == 0)
        return peer__fail(PEER_E_INVALID_SEARCH, "the query is empty");
    if (query->open_count > 0)
        return peer__fail(PEER_E_INVALID_SEARCH,
                          "the query is not complete: open operators: %" PRIu32 ", the innermost an \"%s\"",
                          query->open_count, operator_word(query->open[query->open_count - 1]));
    return PEER_OK;
}

/* Whether there is room for an element and `further` ones that it cannot be without. */
static peer_status check_place(const struct query *query, uint32_t further)
{
    if (query->count > 0 && query->open_count == 0)
        return peer__fail(PEER_E_INVALID_SEARCH,
                          "the query is complete: several clauses or operators have to be in one \"and\" or \"or\"");
    if (query->count + 1 + further > SEARCH_NODES_MAX)
        return peer__fail(PEER_E_INVALID_SEARCH, "the query would have more than %u clauses and operators",
                          SEARCH_NODES_MAX);
    return PEER_OK;
}

/* Takes the element's memory. */
static peer_status insert(struct query *query, struct buffer *element)
{
    peer_status status = peer__xml_insert(&query->xml, XML_END_SIZE, element);
    peer__buffer_free(element);
    return status;
}

/* --- operators -------------------------------------------------------------------------------------------------------- */

static peer_status insert_tag(struct query *query, const char *begins, enum search_kind kind)
{
    struct buffer tag = {0};
    peer__xml_append(&tag, begins);
    peer__xml_append(&tag, operator_word(kind));
    peer__xml_append(&tag, ">");
    return insert(query, &tag);
}

peer_status peer__query_begin(struct query *query, enum search_kind kind)
{
    PEER_TRY(check_place(query, 1));
    if (query->open_count == QUERY_OPEN_MAX)
        return peer__fail(PEER_E_INVALID_SEARCH, "operators would be nested deeper than %u", QUERY_OPEN_MAX);
    PEER_TRY(insert_tag(query, "<", kind));
    query->open[query->open_count++] = kind;
    query->is_open_empty = 1;
    query->count++;
    return PEER_OK;
}

peer_status peer__query_end(struct query *query)
{
    if (query->open_count == 0)
        return peer__fail(PEER_E_INVALID_SEARCH, "there is no open operator to end");
    enum search_kind kind = query->open[query->open_count - 1];
    if (query->is_open_empty)
        return peer__fail(PEER_E_INVALID_SEARCH, "the \"%s\" that would end has nothing in it", operator_word(kind));
    PEER_TRY(insert_tag(query, "</", kind));
    query->open_count--;
    return PEER_OK;
}

/* --- clauses ---------------------------------------------------------------------------------------------------------- */

/* The reader takes a clause whose type is not that of the field, and nothing ever matches it: a mistake all the same. */
static peer_status check_head(const char *name, int32_t compare, int32_t type)
{
    enum search_field field;
    const char *fault = peer__search_field(name, &field);
    if (fault != NULL)
        return peer__fail(PEER_E_INVALID_SEARCH, "name \"%s\" %s", peer__quote(name).text, fault);
    if (field != SEARCH_ATTRIBUTE && peer__search_type_of(field) != type)
        return peer__fail(PEER_E_INVALID_SEARCH, "\"%s\" is a %s and cannot be compared with a value of type %s", name,
                          peer__attribute_type_name(peer__search_type_of(field)), peer__attribute_type_name(type));
    if (peer__compare_word(compare) == NULL)
        return peer__fail(PEER_E_INVALID_SEARCH, "\"%s\": compare %" PRId32 " is none of PEER_COMPARE_*", name,
                          compare);
    return PEER_OK;
}

/* What was checked but for its place. `value` as the XML means it, with escapes. */
static peer_status add(struct query *query, const char *name, int32_t compare, int32_t type, const char *value)
{
    PEER_TRY(check_place(query, 0));
    struct buffer clause = {0};
    peer__xml_append(&clause, "<clause attrib=\"");
    peer__xml_append(&clause, name); /* letters and digits */
    peer__xml_append(&clause, "\" type=\"");
    peer__xml_append(&clause, peer__attribute_type_name(type));
    peer__xml_append(&clause, "\" compare=\"");
    peer__xml_append(&clause, peer__compare_word(compare));
    peer__xml_append(&clause, "\">");
    peer__xml_append_escaped(&clause, value);
    peer__xml_append(&clause, "</clause>");
    PEER_TRY(insert(query, &clause));
    query->is_open_empty = 0;
    query->count++;
    return PEER_OK;
}

static peer_status check_value(const char *name, const char *value, size_t size)
{
    const char *fault = peer__xml_text_fault(value);
    if (fault != NULL)
        return peer__fail(PEER_E_INVALID_SEARCH, "\"%s\": \"%s\" %s", name, peer__quote(value).text, fault);
    if (size > SEARCH_VALUE_MAX)
        return peer__fail(PEER_E_INVALID_SEARCH, "\"%s\": \"%s\" has %zu bytes with its escapes, more than %u", name,
                          peer__quote(value).text, size, SEARCH_VALUE_MAX);
    return PEER_OK;
}

static int is_special(char c)
{
    return c == '*' || c == '?' || c == '\\';
}

peer_status peer__query_add_text(struct query *query, const char *name, int32_t compare, const char *text)
{
    char escaped[SEARCH_VALUE_MAX + 1];
    PEER_TRY(check_head(name, compare, PEER_ATTRIBUTE_STRING));
    size_t size = strlen(text);
    for (const char *at = text; *at != '\0'; at++)
        size += (size_t)is_special(*at);
    PEER_TRY(check_value(name, text, size));
    char *to = escaped;
    for (const char *at = text; *at != '\0'; at++) {
        if (is_special(*at))
            *to++ = '\\';
        *to++ = *at;
    }
    *to = '\0';
    return add(query, name, compare, PEER_ATTRIBUTE_STRING, escaped);
}

/* Where text is compared by its order, wildcards would be characters (graph-api 11.2): no pattern. */
peer_status peer__query_add_pattern(struct query *query, const char *name, int32_t compare, const char *pattern)
{
    PEER_TRY(check_head(name, compare, PEER_ATTRIBUTE_STRING));
    if (compare != PEER_COMPARE_EQUAL && compare != PEER_COMPARE_NOT_EQUAL)
        return peer__fail(PEER_E_INVALID_SEARCH, "\"%s\": a pattern is compared for equal or notequal, not for %s",
                          name, peer__compare_word(compare));
    PEER_TRY(check_value(name, pattern, strlen(pattern)));
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '\\' && !is_special(*++at))
            return peer__fail(E_INVALIDARG,
                              "\"%s\": \"%s\": \\ may stand before *, ? and \\ only, and \\\\ is a \\ itself", name,
                              peer__quote(pattern).text);
    }
    return add(query, name, compare, PEER_ATTRIBUTE_STRING, pattern);
}

peer_status peer__query_add_int(struct query *query, const char *name, int32_t compare, int64_t value)
{
    char text[24];
    PEER_TRY(check_head(name, compare, PEER_ATTRIBUTE_INT));
    snprintf(text, sizeof(text), "%" PRId64, value);
    return add(query, name, compare, PEER_ATTRIBUTE_INT, text);
}

peer_status peer__query_add_date(struct query *query, const char *name, int32_t compare, int64_t time_us)
{
    char text[DATE_TEXT_SIZE];
    PEER_TRY(check_head(name, compare, PEER_ATTRIBUTE_DATE));
    const char *fault = peer__date_write(time_us, text);
    if (fault != NULL)
        return peer__fail(PEER_E_INVALID_SEARCH, "\"%s\": time %" PRId64 " %s", name, time_us, fault);
    return add(query, name, compare, PEER_ATTRIBUTE_DATE, text);
}

peer_status peer__query_add_guid(struct query *query, const char *name, int32_t compare, const peer_guid *guid)
{
    enum search_field field;
    char text[37];
    PEER_TRY(check_head(name, compare, PEER_ATTRIBUTE_STRING));
    peer__search_field(name, &field);
    if (field != SEARCH_RECORD_ID && field != SEARCH_RECORD_TYPE)
        return peer__fail(PEER_E_INVALID_SEARCH, "\"%s\" is no GUID; peerrecordid and peerrecordtype are", name);
    peer__guid_format(guid, text);
    return add(query, name, compare, PEER_ATTRIBUTE_STRING, text);
}
