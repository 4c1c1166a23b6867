/* The attributes of records, as searches need them: a row for each, in an index by name and value. */
#include <string.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

static const char type_letters[] = {0, 's', 'i', 'd'};

void peer__sqlite_attribute_key(int32_t type, struct span name, char key[ATTRIBUTE_KEY_SIZE])
{
    size_t size = name.size < SEARCH_NAME_MAX ? name.size : SEARCH_NAME_MAX;

    key[0] = type_letters[type];
    memcpy(key + 1, name.data, size);
    key[size + 1] = '\0';
}

static void bind_value(sqlite3_stmt *statement, const struct indexed_attribute *attribute)
{
    struct span text = attribute->text;

    sqlite3_bind_null(statement, 5);
    if (attribute->type != PEER_ATTRIBUTE_STRING) {
        sqlite3_bind_int64(statement, 4, attribute->number);
    } else if (text.size <= VALUE_INDEXED_MAX) {
        peer__sqlite_bind_span(statement, 4, text);
    } else {
        peer__sqlite_bind_span(statement, 4, (struct span){text.data, VALUE_INDEXED_MAX});
        peer__sqlite_bind_span(statement, 5,
                               (struct span){text.data + VALUE_INDEXED_MAX, text.size - VALUE_INDEXED_MAX});
    }
}

peer_status peer__sqlite_attributes_put(struct sqlite_store *store, uint64_t seq, struct span attributes)
{
    struct reader reader = peer__reader(attributes);
    struct indexed_attribute attribute;
    peer_status status;

    for (int place = 0; peer__read_left(&reader) > 0 && peer__indexed_next(&reader, &attribute); place++) {
        sqlite3_stmt *statement = peer__sqlite_statement(store, STATEMENT_ATTRIBUTE_PUT, &status);
        char key[ATTRIBUTE_KEY_SIZE];
        if (statement == NULL)
            return status;
        peer__sqlite_attribute_key(attribute.type, attribute.name, key);
        sqlite3_bind_int64(statement, 1, (int64_t)seq);
        sqlite3_bind_int(statement, 2, place);
        sqlite3_bind_text(statement, 3, key, -1, SQLITE_STATIC);
        bind_value(statement, &attribute);
        PEER_TRY(peer__sqlite_finish(store, statement, sqlite3_step(statement)));
    }
    return PEER_OK;
}

static void append_text(struct buffer *out, struct indexed_attribute *attribute, struct span start, struct span rest)
{
    struct buffer text = {0};

    attribute->text = start;
    if (rest.size != 0) {
        peer__buffer_append(&text, start.data, start.size);
        peer__buffer_append(&text, rest.data, rest.size);
        attribute->text = (struct span){text.data, text.size};
        out->failed |= text.failed;
    }
    peer__indexed_append(out, attribute);
    peer__buffer_free(&text);
}

int peer__sqlite_attributes_read(sqlite3_stmt *statement, struct buffer *out)
{
    int result;

    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct span key = peer__sqlite_column_span(statement, 0);
        struct indexed_attribute attribute = {0};
        for (int32_t type = PEER_ATTRIBUTE_STRING; type <= PEER_ATTRIBUTE_DATE; type++) {
            if (key.size > 0 && key.data[0] == (uint8_t)type_letters[type])
                attribute.type = type;
        }
        if (attribute.type == 0 || key.size > SEARCH_NAME_MAX + 1)
            return SQLITE_CORRUPT;
        attribute.name = (struct span){key.data + 1, key.size - 1};
        attribute.number = sqlite3_column_int64(statement, 1);
        if (attribute.type == PEER_ATTRIBUTE_STRING)
            append_text(out, &attribute, peer__sqlite_column_span(statement, 1),
                        peer__sqlite_column_span(statement, 2));
        else
            peer__indexed_append(out, &attribute);
    }
    return result;
}
