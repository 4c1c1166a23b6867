#include "base/search.h"

#include <string.h>

#include "base/memory.h"
#include "base/store.h"
#include "base/text.h"
#include "base/time.h"

/* --- the tree --------------------------------------------------------------------------------------------------------- */

struct search_node *peer__search_append(struct search *search)
{
    if (search->count == search->capacity) {
        uint32_t capacity = search->capacity != 0 ? search->capacity * 2 : 4;
        struct search_node *nodes = peer__realloc_array(search->nodes, capacity, sizeof(*nodes));
        if (nodes == NULL)
            return NULL;
        search->nodes = nodes;
        search->capacity = capacity;
    }
    struct search_node *node = &search->nodes[search->count++];
    *node = (struct search_node){.kind = SEARCH_CLAUSE};
    return node;
}

void peer__search_free(struct search *search)
{
    for (uint32_t i = 0; i < search->count; i++)
        peer__buffer_free(&search->nodes[i].text);
    peer__free(search->nodes);
    *search = (struct search){0};
}

int32_t peer__search_type_of(enum search_field field)
{
    if (field == SEARCH_ATTRIBUTE)
        return 0;
    return field == SEARCH_CREATED || field == SEARCH_MODIFIED ? PEER_ATTRIBUTE_DATE : PEER_ATTRIBUTE_STRING;
}

/* --- attributes ------------------------------------------------------------------------------------------------------- */

void peer__indexed_append(struct buffer *out, const struct indexed_attribute *attribute)
{
    peer__buffer_u8(out, (uint8_t)attribute->type);
    peer__buffer_u8(out, (uint8_t)attribute->name.size);
    peer__buffer_append(out, attribute->name.data, attribute->name.size);
    if (attribute->type == PEER_ATTRIBUTE_STRING) {
        peer__buffer_u32(out, (uint32_t)attribute->text.size);
        peer__buffer_append(out, attribute->text.data, attribute->text.size);
    } else {
        peer__buffer_u64(out, (uint64_t)attribute->number);
    }
}

int peer__indexed_next(struct reader *from, struct indexed_attribute *attribute_out)
{
    struct indexed_attribute attribute = {.type = peer__read_u8(from)};
    attribute.name = peer__read_span(from, peer__read_u8(from));
    if (attribute.type == PEER_ATTRIBUTE_STRING)
        attribute.text = peer__read_span(from, peer__read_u32(from));
    else
        attribute.number = (int64_t)peer__read_u64(from);
    *attribute_out = attribute;
    return !from->failed;
}

/* --- clauses ---------------------------------------------------------------------------------------------------------- */

/* Where the character at `at` ends; a pair of surrogates is one. */
static size_t after_character(struct span text, size_t at)
{
    uint8_t first = text.data[at];
    size_t next = at + (first < 0x80 ? 1 : first < 0xe0 ? 2 : 3);
    int is_high = first == 0xed && at + 1 < text.size && text.data[at + 1] >= 0xa0 && text.data[at + 1] < 0xb0;
    if (is_high && next + 1 < text.size && text.data[next] == 0xed && text.data[next + 1] >= 0xb0)
        next += 3;
    return next < text.size ? next : text.size;
}

/* After a mismatch only the last run before it can take more: what stood before that run has matched at its first place,
 * and no later one leaves more to choose from. */
static int matches_pattern(struct span pattern, struct span text)
{
    size_t in_pattern = 0;
    size_t in_text = 0;
    size_t run = SIZE_MAX; /* behind the last run */
    size_t run_text = 0;   /* to where it reaches */
    while (in_text < text.size) {
        if (in_pattern < pattern.size && pattern.data[in_pattern] == SEARCH_ANY_RUN) {
            run = ++in_pattern;
            run_text = in_text;
        } else if (in_pattern < pattern.size && pattern.data[in_pattern] == SEARCH_ANY_CHARACTER) {
            in_pattern++;
            in_text = after_character(text, in_text);
        } else if (in_pattern < pattern.size && pattern.data[in_pattern] == text.data[in_text]) {
            in_pattern++;
            in_text++;
        } else if (run != SIZE_MAX) {
            in_pattern = run;
            in_text = run_text = after_character(text, run_text);
        } else {
            return 0;
        }
    }
    while (in_pattern < pattern.size && pattern.data[in_pattern] == SEARCH_ANY_RUN)
        in_pattern++;
    return in_pattern == pattern.size;
}

static int satisfies(int32_t compare, int order)
{
    switch (compare) {
    case PEER_COMPARE_EQUAL:
        return order == 0;
    case PEER_COMPARE_NOT_EQUAL:
        return order != 0;
    case PEER_COMPARE_LESS:
        return order < 0;
    case PEER_COMPARE_GREATER:
        return order > 0;
    case PEER_COMPARE_LESS_OR_EQUAL:
        return order <= 0;
    default:
        return order >= 0;
    }
}

static int text_satisfies(const struct search_node *clause, struct span text)
{
    struct span wanted = {clause->text.data, clause->text.size};
    if (clause->literal_size < wanted.size)
        return matches_pattern(wanted, text) == (clause->compare == PEER_COMPARE_EQUAL);
    return satisfies(clause->compare, peer__span_compare(text, wanted));
}

static int number_satisfies(const struct search_node *clause, int64_t number)
{
    return satisfies(clause->compare, (number > clause->number) - (number < clause->number));
}

static int utf16_satisfies(const struct search_node *clause, struct span utf16)
{
    uint8_t text[ORDINAL_ID_SIZE];
    if (utf16.size == 0) /* never modified: there is nothing that could match */
        return 0;
    return text_satisfies(clause, (struct span){text, peer__ordinal_from_utf16(utf16, text, sizeof(text))});
}

static int guid_satisfies(const struct search_node *clause, const peer_guid *guid)
{
    char text[37];
    peer__guid_format(guid, text);
    return text_satisfies(clause, (struct span){(const uint8_t *)text, 36});
}

int peer__search_value_matches(const struct search_node *clause, const struct indexed_attribute *attribute)
{
    if (attribute->type != clause->type)
        return 0;
    return attribute->type == PEER_ATTRIBUTE_STRING ? text_satisfies(clause, attribute->text)
                                                    : number_satisfies(clause, attribute->number);
}

/* Any value of that name will do; of another type none does (graph-api 11.4). */
static int attribute_satisfies(const struct search_node *clause, struct span attributes)
{
    struct span name = {(const uint8_t *)clause->name, strlen(clause->name)};
    struct reader reader = peer__reader(attributes);
    struct indexed_attribute attribute;
    while (peer__read_left(&reader) > 0 && peer__indexed_next(&reader, &attribute)) {
        if (peer__span_equal(attribute.name, name) && peer__search_value_matches(clause, &attribute))
            return 1;
    }
    return 0;
}

int peer__search_clause_matches(const struct search_node *clause, const struct store_row *row)
{
    if (clause->field != SEARCH_ATTRIBUTE && clause->type != peer__search_type_of(clause->field))
        return 0;
    switch (clause->field) {
    case SEARCH_CREATOR_ID:
        return utf16_satisfies(clause, row->creator_id);
    case SEARCH_MODIFIER_ID:
        return utf16_satisfies(clause, row->modifier_id);
    case SEARCH_CREATED:
        return number_satisfies(clause, peer__us_from_ticks(row->created));
    case SEARCH_MODIFIED:
        return number_satisfies(clause, peer__us_from_ticks(row->modified));
    case SEARCH_RECORD_ID:
        return guid_satisfies(clause, &row->id);
    case SEARCH_RECORD_TYPE:
        return guid_satisfies(clause, &row->type);
    default:
        return attribute_satisfies(clause, row->attributes);
    }
}

/* As deep as SEARCH_DEPTH_MAX. */
static int node_matches(const struct search *search, uint32_t at, const struct store_row *row)
{
    const struct search_node *node = &search->nodes[at];
    if (node->kind == SEARCH_CLAUSE)
        return peer__search_clause_matches(node, row);
    int decisive = node->kind == SEARCH_OR;
    for (uint32_t child = at + 1; child < node->end; child = search->nodes[child].end) {
        if (node_matches(search, child, row) == decisive)
            return decisive;
    }
    return !decisive;
}

int peer__search_matches(const struct search *search, const struct store_row *row)
{
    return node_matches(search, 0, row);
}
