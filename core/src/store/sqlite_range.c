#include "store/sqlite_range.h"

static const struct {
    const char *from;
    const char *column;
} places[SEARCH_FIELD_COUNT] = {
    [SEARCH_ATTRIBUTE] = {"attributes INDEXED BY attributes_value", "value"},
    [SEARCH_CREATOR_ID] = {"records INDEXED BY records_creator", "creator"},
    [SEARCH_MODIFIER_ID] = {"records INDEXED BY records_modifier", "modifier"},
    [SEARCH_CREATED] = {"records INDEXED BY records_created", "created"},
    [SEARCH_MODIFIED] = {"records INDEXED BY records_modified", "modified"},
    [SEARCH_RECORD_ID] = {"records INDEXED BY records_id", "id"},
    [SEARCH_RECORD_TYPE] = {"records INDEXED BY records_type", "type"},
};

#define SQL_SIZE 256

void peer__sqlite_range_free(struct search_range *range)
{
    peer__buffer_free(&range->low.bytes);
    peer__buffer_free(&range->high.bytes);
}

/* "… FROM the index WHERE it is in the range", with ?1 the name, ?2 the lower end and ?3 the upper. */
static void write_sql(const struct search_range *range, const char *what, char sql[SQL_SIZE])
{
    enum search_field field = range->clause->field;
    const char *column = places[field].column;
    char high[32] = "";

    if (!range->high.is_open)
        sqlite3_snprintf(sizeof(high), high, " AND %s %s ?3", column, range->high.is_exclusive ? "<" : "<=");
    sqlite3_snprintf(SQL_SIZE, sql, "SELECT %s FROM %s WHERE %s%s %s ?2%s", what, places[field].from,
                     field == SEARCH_ATTRIBUTE ? "name = ?1 AND " : "", column,
                     range->low.is_exclusive ? ">" : ">=", high);
}

static void bind_bound(sqlite3_stmt *statement, int at, const struct search_range *range,
                       const struct search_bound *bound)
{
    if (range->is_number)
        sqlite3_bind_int64(statement, at, bound->number);
    else
        peer__sqlite_bind_span(statement, at, (struct span){bound->bytes.data, bound->bytes.size});
}

static int prepare(sqlite3 *db, const char *sql, const struct search_range *range, sqlite3_stmt **statement_out)
{
    int result = sqlite3_prepare_v2(db, sql, -1, statement_out, NULL);

    if (result != SQLITE_OK)
        return result;
    if (range->clause->field == SEARCH_ATTRIBUTE)
        sqlite3_bind_text(*statement_out, 1, range->key, -1, SQLITE_STATIC);
    bind_bound(*statement_out, 2, range, &range->low);
    if (!range->high.is_open)
        bind_bound(*statement_out, 3, range, &range->high);
    return SQLITE_OK;
}

int peer__sqlite_range_prepare(sqlite3 *db, const struct search_range *range, sqlite3_stmt **statement_out)
{
    char what[32];
    char sql[SQL_SIZE];

    sqlite3_snprintf(sizeof(what), what, "seq, %s", places[range->clause->field].column);
    write_sql(range, what, sql);
    return prepare(db, sql, range, statement_out);
}

int peer__sqlite_range_count(sqlite3 *db, const struct search_range *range, size_t count_max, size_t *count_out)
{
    char inner[SQL_SIZE];
    char sql[SQL_SIZE + 64];
    sqlite3_stmt *statement = NULL;

    write_sql(range, "1", inner);
    sqlite3_snprintf(sizeof(sql), sql, "SELECT count(*) FROM (%s LIMIT %d)", inner, (int)count_max);
    int result = prepare(db, sql, range, &statement);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *count_out = (size_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? SQLITE_OK : result;
}

/* ---------------------------------------------------------------------------------------------------- the entries */

#define ENTRY_SEQ 0
#define ENTRY_VALUE 1

static enum entry_verdict test_attribute(const struct search_node *clause, sqlite3_stmt *statement)
{
    struct indexed_attribute attribute = {.type = clause->type};

    if (clause->type != PEER_ATTRIBUTE_STRING) {
        attribute.number = sqlite3_column_int64(statement, ENTRY_VALUE);
    } else {
        attribute.text = peer__sqlite_column_span(statement, ENTRY_VALUE);
        if (attribute.text.size >= VALUE_INDEXED_MAX)
            return ENTRY_IS_CUT;
    }
    return peer__search_value_matches(clause, &attribute) ? ENTRY_SATISFIES : ENTRY_FAILS;
}

/* The one field of a row that its index holds. */
static int read_field(enum search_field field, sqlite3_stmt *statement, struct store_row *row)
{
    int result = 0;

    switch (field) {
    case SEARCH_CREATOR_ID:
        row->creator_id = peer__sqlite_column_span(statement, ENTRY_VALUE);
        break;
    case SEARCH_MODIFIER_ID:
        row->modifier_id = peer__sqlite_column_span(statement, ENTRY_VALUE);
        break;
    case SEARCH_CREATED:
        row->created = peer__sqlite_column_ticks(statement, ENTRY_VALUE);
        break;
    case SEARCH_MODIFIED:
        row->modified = peer__sqlite_column_ticks(statement, ENTRY_VALUE);
        break;
    case SEARCH_RECORD_ID:
        result = peer__sqlite_column_guid(statement, ENTRY_VALUE, &row->id);
        break;
    default:
        result = peer__sqlite_column_guid(statement, ENTRY_VALUE, &row->type);
        break;
    }
    return result == 0 ? SQLITE_OK : SQLITE_CORRUPT;
}

int peer__sqlite_range_entry(const struct search_range *range, sqlite3_stmt *statement, uint64_t *seq_out,
                             enum entry_verdict *verdict_out)
{
    const struct search_node *clause = range->clause;
    struct store_row row = {.seq = 0};

    *seq_out = (uint64_t)sqlite3_column_int64(statement, ENTRY_SEQ);
    if (*seq_out == 0)
        return SQLITE_CORRUPT;
    if (clause->field == SEARCH_ATTRIBUTE) {
        *verdict_out = test_attribute(clause, statement);
        return SQLITE_OK;
    }
    int result = read_field(clause->field, statement, &row);
    if (result == SQLITE_OK)
        *verdict_out = peer__search_clause_matches(clause, &row) ? ENTRY_SATISFIES : ENTRY_FAILS;
    return result;
}
