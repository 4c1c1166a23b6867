#include "store/sqlite_plan.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/time.h"

/* Entries that are counted of all ranges together before the best is chosen: about 2 ms. */
#define COUNTED_MAX 32768u
#define COUNTED_MIN 64u
#define COUNTED_PER_RANGE_MAX 8192u

/* -------------------------------------------------------------------------------------------- the range of a clause */

static void set_low(struct search_range *range, int64_t number, int is_exclusive)
{
    range->low.number = number;
    range->low.is_exclusive = is_exclusive;
}

static void set_high(struct search_range *range, int64_t number, int is_exclusive)
{
    range->high = (struct search_bound){.number = number, .is_exclusive = is_exclusive};
}

static void number_range(struct search_range *range, int32_t compare, int64_t number)
{
    if (compare == PEER_COMPARE_EQUAL || compare == PEER_COMPARE_GREATER || compare == PEER_COMPARE_GREATER_OR_EQUAL)
        set_low(range, number, compare == PEER_COMPARE_GREATER);
    if (compare == PEER_COMPARE_EQUAL || compare == PEER_COMPARE_LESS || compare == PEER_COMPARE_LESS_OR_EQUAL)
        set_high(range, number, compare == PEER_COMPARE_LESS);
}

/* Ticks as the column has them: sqlite_schema.c. */
static int64_t biased(uint64_t ticks)
{
    ticks ^= UINT64_C(1) << 63;
    return (int64_t)ticks;
}

/* Columns are finer than a microsecond, and what is compared is the microsecond that the API shows. */
static void time_range(struct search_range *range, int32_t compare, int64_t time_us)
{
    int64_t first = biased(peer__ticks_from_us(time_us));
    int64_t after = biased(peer__ticks_from_us(time_us + 1)); /* a date: far from the end of its type */

    if (compare == PEER_COMPARE_EQUAL || compare == PEER_COMPARE_GREATER_OR_EQUAL)
        set_low(range, first, 0);
    if (compare == PEER_COMPARE_GREATER)
        set_low(range, after, 0);
    if (compare == PEER_COMPARE_EQUAL || compare == PEER_COMPARE_LESS_OR_EQUAL)
        set_high(range, after, 1);
    if (compare == PEER_COMPARE_LESS)
        set_high(range, first, 1);
}

/* The first bytes that come after all that begin with the bound; open if there are none. */
static void make_successor(struct search_bound *bound)
{
    bound->is_exclusive = 1;
    while (bound->bytes.size > 0 && bound->bytes.data[bound->bytes.size - 1] == 0xff)
        bound->bytes.size--;
    if (bound->bytes.size > 0)
        bound->bytes.data[bound->bytes.size - 1]++;
    else
        bound->is_open = 1;
}

/* `begins`: what every value that may match begins with. `is_whole`: nothing may follow. */
static void text_range(struct search_range *range, int32_t compare, struct span begins, int is_whole)
{
    if (compare == PEER_COMPARE_EQUAL || compare == PEER_COMPARE_GREATER || compare == PEER_COMPARE_GREATER_OR_EQUAL)
        peer__buffer_append(&range->low.bytes, begins.data, begins.size);
    if (compare == PEER_COMPARE_EQUAL || compare == PEER_COMPARE_LESS || compare == PEER_COMPARE_LESS_OR_EQUAL) {
        peer__buffer_append(&range->high.bytes, begins.data, begins.size);
        range->high.is_open = 0;
        if (compare == PEER_COMPARE_EQUAL && !is_whole && !range->high.bytes.failed)
            make_successor(&range->high);
    }
}

static void attribute_range(struct search_range *range, const struct search_node *clause)
{
    struct span name = {(const uint8_t *)clause->name, strlen(clause->name)};
    struct span begins = {clause->text.data, clause->literal_size};

    peer__sqlite_attribute_key(clause->type, name, range->key);
    range->is_number = clause->type != PEER_ATTRIBUTE_STRING;
    if (range->is_number) {
        number_range(range, clause->compare, clause->number);
        return;
    }
    /* Of a long text only the beginning stands in the index, which is then as long as ours. */
    if (begins.size > VALUE_INDEXED_MAX)
        begins.size = VALUE_INDEXED_MAX;
    text_range(range, clause->compare, begins, clause->literal_size == clause->text.size);
}

/* The column is UTF-16BE with a terminator, whose bytes have the order of the units (D-02, D-12). */
static void id_range(struct search_range *range, const struct search_node *clause)
{
    static const uint8_t terminator[2] = {0, 0};
    struct buffer begins = {0};
    int is_whole = clause->literal_size == clause->text.size;

    peer__ordinal_to_utf16(&begins, (struct span){clause->text.data, clause->literal_size});
    if (is_whole)
        peer__buffer_append(&begins, terminator, sizeof(terminator));
    text_range(range, clause->compare, (struct span){begins.data, begins.size}, is_whole);
    range->low.bytes.failed |= begins.failed;
    peer__buffer_free(&begins);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 0, or -1: no GUID is printed like that. */
static int guid_parse(struct span text, peer_guid *guid_out)
{
    size_t digits = 0;

    if (text.size != 36)
        return -1;
    for (size_t i = 0; i < text.size; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.data[i] != '-')
                return -1;
            continue;
        }
        int value = hex_value(text.data[i]);
        if (value < 0)
            return -1;
        uint8_t *byte = &guid_out->bytes[digits / 2];
        *byte = (uint8_t)(digits % 2 == 0 ? value << 4 : *byte | value);
        digits++;
    }
    return 0;
}

/* 0, or -1: nothing is in it. All but plain equality is decided on the printed form, over the whole index. */
static int guid_range(struct search_range *range, const struct search_node *clause)
{
    peer_guid guid = {{0}};

    if (clause->compare != PEER_COMPARE_EQUAL || clause->literal_size < clause->text.size)
        return 0;
    if (guid_parse((struct span){clause->text.data, clause->text.size}, &guid) != 0)
        return -1;
    text_range(range, PEER_COMPARE_EQUAL, (struct span){guid.bytes, sizeof(guid.bytes)}, 1);
    return 0;
}

/* 0, or -1: no record can match. */
static int clause_range(const struct search_node *clause, struct search_range *range)
{
    *range = (struct search_range){.clause = clause, .high = {.is_open = 1}};
    range->low.number = INT64_MIN;
    if (clause->field != SEARCH_ATTRIBUTE && clause->type != peer__search_type_of(clause->field))
        return -1;
    switch (clause->field) {
    case SEARCH_ATTRIBUTE:
        attribute_range(range, clause);
        return 0;
    case SEARCH_CREATED:
    case SEARCH_MODIFIED:
        range->is_number = 1;
        time_range(range, clause->compare, clause->number);
        return 0;
    case SEARCH_RECORD_ID:
    case SEARCH_RECORD_TYPE:
        return guid_range(range, clause);
    default:
        id_range(range, clause);
        return 0;
    }
}

/* ---------------------------------------------------------------------------------------------------- the plan */

struct planner {
    sqlite3 *db;
    const struct search *tree;
    size_t count_max; /* entries of one range */
};

void peer__sqlite_plan_free(struct search_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        peer__sqlite_range_free(&plan->ranges[i]);
    peer__free(plan->ranges);
    *plan = (struct search_plan){0};
}

/* Takes the range over. */
static int add_range(struct search_plan *plan, struct search_range *range)
{
    int failed = range->low.bytes.failed || range->high.bytes.failed;

    if (!failed && plan->count == plan->capacity) {
        size_t capacity = plan->capacity != 0 ? plan->capacity * 2 : 1;
        struct search_range *ranges = peer__realloc_array(plan->ranges, capacity, sizeof(*ranges));
        failed = ranges == NULL;
        if (!failed) {
            plan->ranges = ranges;
            plan->capacity = capacity;
        }
    }
    if (failed) {
        peer__sqlite_range_free(range);
        return SQLITE_NOMEM;
    }
    plan->ranges[plan->count++] = *range;
    return SQLITE_OK;
}

static int is_time_clause(const struct search_node *node)
{
    return node->kind == SEARCH_CLAUSE && node->type == PEER_ATTRIBUTE_DATE &&
           (node->field == SEARCH_CREATED || node->field == SEARCH_MODIFIED);
}

/* Of a time a record has one, so that two clauses of an <and> share a range: "between" is the usual question. Attributes
 * may have several values, of which one satisfies this clause and another that one. */
static void narrow(const struct search *tree, uint32_t parent, uint32_t at, struct search_range *range)
{
    const struct search_node *nodes = tree->nodes;

    if (!is_time_clause(&nodes[at]))
        return;
    for (uint32_t other = parent + 1; other < nodes[parent].end; other = nodes[other].end) {
        struct search_range with;
        if (!is_time_clause(&nodes[other]) || nodes[other].field != nodes[at].field ||
            clause_range(&nodes[other], &with) != 0)
            continue;
        if (with.low.number > range->low.number) /* the lower ends of times are inclusive, the upper ones exclusive */
            range->low = with.low;
        if (!with.high.is_open && (range->high.is_open || with.high.number < range->high.number))
            range->high = with.high;
    }
}

static int plan_clause(const struct planner *planner, uint32_t parent, uint32_t at, struct search_plan *plan,
                       size_t *cost_out)
{
    struct search_range range;
    int is_and = parent != at && planner->tree->nodes[parent].kind == SEARCH_AND;

    *cost_out = 0;
    if (clause_range(&planner->tree->nodes[at], &range) != 0)
        return SQLITE_OK;
    if (is_and)
        narrow(planner->tree, parent, at, &range);
    int result = add_range(plan, &range);
    if (result == SQLITE_OK && planner->count_max != 0)
        result = peer__sqlite_range_count(planner->db, &plan->ranges[plan->count - 1], planner->count_max, cost_out);
    return result;
}

static int plan_node(const struct planner *planner, uint32_t parent, uint32_t at, struct search_plan *plan,
                     size_t *cost_out);

static int plan_or(const struct planner *planner, uint32_t at, struct search_plan *plan, size_t *cost_out)
{
    const struct search_node *nodes = planner->tree->nodes;
    size_t cost;
    int result = SQLITE_OK;

    *cost_out = 0;
    for (uint32_t child = at + 1; child < nodes[at].end && result == SQLITE_OK; child = nodes[child].end) {
        result = plan_node(planner, at, child, plan, &cost);
        *cost_out += result == SQLITE_OK ? cost : 0;
    }
    return result;
}

static int plan_and(const struct planner *planner, uint32_t at, struct search_plan *plan, size_t *cost_out)
{
    const struct search_node *nodes = planner->tree->nodes;
    struct search_plan best = {0};
    int result = SQLITE_OK;

    *cost_out = SIZE_MAX;
    for (uint32_t child = at + 1; child < nodes[at].end && result == SQLITE_OK; child = nodes[child].end) {
        struct search_plan tried = {0};
        size_t cost = 0;
        result = plan_node(planner, at, child, &tried, &cost);
        if (result == SQLITE_OK && cost < *cost_out) {
            peer__sqlite_plan_free(&best);
            best = tried;
            *cost_out = cost;
        } else {
            peer__sqlite_plan_free(&tried);
        }
    }
    for (size_t i = 0; i < best.count; i++) {
        if (result == SQLITE_OK)
            result = add_range(plan, &best.ranges[i]);
        else
            peer__sqlite_range_free(&best.ranges[i]);
    }
    peer__free(best.ranges);
    return result;
}

/* As deep as SEARCH_DEPTH_MAX. */
static int plan_node(const struct planner *planner, uint32_t parent, uint32_t at, struct search_plan *plan,
                     size_t *cost_out)
{
    switch (planner->tree->nodes[at].kind) {
    case SEARCH_AND:
        return plan_and(planner, at, plan, cost_out);
    case SEARCH_OR:
        return plan_or(planner, at, plan, cost_out);
    default:
        return plan_clause(planner, parent, at, plan, cost_out);
    }
}

/* Nothing has to be counted where nothing can be chosen. */
static size_t counted_max(const struct search *tree)
{
    int has_choice = 0;

    for (uint32_t i = 0; i < tree->count; i++)
        has_choice |= tree->nodes[i].kind == SEARCH_AND && tree->nodes[i + 1].end < tree->nodes[i].end;
    if (!has_choice)
        return 0;
    size_t share = COUNTED_MAX / tree->count;
    if (share > COUNTED_PER_RANGE_MAX)
        return COUNTED_PER_RANGE_MAX;
    return share > COUNTED_MIN ? share : COUNTED_MIN;
}

int peer__sqlite_plan(sqlite3 *db, const struct search *tree, struct search_plan *plan)
{
    struct planner planner = {db, tree, counted_max(tree)};
    size_t cost;
    int result = plan_node(&planner, 0, 0, plan, &cost);

    if (result != SQLITE_OK)
        peer__sqlite_plan_free(plan);
    return result;
}
