#include "store/sqlite_found.h"

#define FOUND_SQL(more) "SELECT seq, id, type, flags, expires" more " FROM records WHERE seq >= ? ORDER BY seq"
#define FIELDS ", creator, modifier, created, modified"
enum {
    FOUND_SEQ,
    FOUND_ID,
    FOUND_TYPE,
    FOUND_FLAGS,
    FOUND_EXPIRES,
    FOUND_CREATOR,
    FOUND_MODIFIER,
    FOUND_CREATED,
    FOUND_MODIFIED
};

#define ATTRIBUTES_SQL "SELECT name, value, rest FROM attributes WHERE seq = ?"

/* A seek takes as long as about so many steps. */
#define NEAR_COUNT 4u

/* Records are often found in their order: then the next one is near. */
static int find_record(struct found_records *found, uint64_t seq)
{
    int result;

    if (found->at == 0 || seq <= found->at || seq - found->at > NEAR_COUNT) {
        sqlite3_reset(found->records);
        sqlite3_bind_int64(found->records, 1, (int64_t)seq);
    }
    found->at = 0;
    do {
        result = sqlite3_step(found->records);
        if (result != SQLITE_ROW)
            return result == SQLITE_DONE ? SQLITE_CORRUPT : result;
        found->at = (uint64_t)sqlite3_column_int64(found->records, FOUND_SEQ);
    } while (found->at < seq);
    return found->at == seq ? SQLITE_OK : SQLITE_CORRUPT;
}

int peer__sqlite_found_read(struct found_records *found, uint64_t seq, struct store_row *row)
{
    int result = find_record(found, seq);
    sqlite3_stmt *records = found->records;

    if (result != SQLITE_OK)
        return result;
    *row = (struct store_row){.seq = seq,
                              .flags = (uint32_t)sqlite3_column_int64(records, FOUND_FLAGS),
                              .expires = peer__sqlite_column_ticks(records, FOUND_EXPIRES)};
    if (peer__sqlite_column_guid(records, FOUND_ID, &row->id) != 0 ||
        peer__sqlite_column_guid(records, FOUND_TYPE, &row->type) != 0)
        return SQLITE_CORRUPT;
    if (found->has_fields) {
        row->creator_id = peer__sqlite_column_span(records, FOUND_CREATOR);
        row->modifier_id = peer__sqlite_column_span(records, FOUND_MODIFIER);
        row->created = peer__sqlite_column_ticks(records, FOUND_CREATED);
        row->modified = peer__sqlite_column_ticks(records, FOUND_MODIFIED);
    }
    return SQLITE_OK;
}

int peer__sqlite_found_read_attributes(struct found_records *found, struct store_row *row)
{
    if (found->attributes_of == NULL)
        return SQLITE_OK;
    peer__buffer_clear(&found->attributes);
    sqlite3_bind_int64(found->attributes_of, 1, (int64_t)row->seq);
    int result = peer__sqlite_attributes_read(found->attributes_of, &found->attributes);
    sqlite3_reset(found->attributes_of);
    if (found->attributes.failed)
        return SQLITE_NOMEM;
    row->attributes = (struct span){found->attributes.data, found->attributes.size};
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static int asks_for(const struct search *tree, int attributes)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].kind == SEARCH_CLAUSE && (tree->nodes[i].field == SEARCH_ATTRIBUTE) == attributes)
            return 1;
    }
    return 0;
}

int peer__sqlite_found_open(sqlite3 *db, const struct search *tree, struct found_records *found)
{
    found->has_fields = asks_for(tree, 0);
    int result =
        sqlite3_prepare_v2(db, found->has_fields ? FOUND_SQL(FIELDS) : FOUND_SQL(""), -1, &found->records, NULL);

    if (result == SQLITE_OK && asks_for(tree, 1))
        result = sqlite3_prepare_v2(db, ATTRIBUTES_SQL, -1, &found->attributes_of, NULL);
    return result;
}

void peer__sqlite_found_close(struct found_records *found)
{
    sqlite3_finalize(found->records);
    sqlite3_finalize(found->attributes_of);
    peer__buffer_free(&found->attributes);
    *found = (struct found_records){0};
}
