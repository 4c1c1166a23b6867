#include "values.h"

#include <lauxlib.h>
#include <string.h>

/* ---- mistakes */

static void raise_type(lua_State *L, int index, const char *name, const char *expected)
{
    luaL_error(L, "%s must be %s, not %s", name, expected, luaL_typename(L, index));
}

static int refuse(lua_State *L, const char *format, const char *name, const char *value)
{
    lua_pushfstring(L, format, name, value);
    return -1;
}

/* ---- numbers */

static int read_integer(lua_State *L, int index, const char *name, int64_t lowest, int64_t highest, int64_t *out)
{
    int is_whole = 0;

    if (lua_type(L, index) != LUA_TNUMBER)
        raise_type(L, index, name, "an integer");
    *out = lua_tointegerx(L, index, &is_whole);
    if (!is_whole)
        luaL_error(L, "%s must be an integer, not %f", name, lua_tonumber(L, index));
    if (*out < lowest || *out > highest) {
        lua_pushfstring(L, "%s is %I, not %I to %I", name, (LUAI_UACINT)*out, (LUAI_UACINT)lowest,
                        (LUAI_UACINT)highest);
        return -1;
    }
    return 0;
}

int peer__lua_read_int32(lua_State *L, int index, const char *name, int32_t *out)
{
    int64_t value;

    if (read_integer(L, index, name, INT32_MIN, INT32_MAX, &value) != 0)
        return -1;
    *out = (int32_t)value;
    return 0;
}

int peer__lua_read_uint32(lua_State *L, int index, const char *name, uint32_t *out)
{
    int64_t value;

    if (read_integer(L, index, name, 0, UINT32_MAX, &value) != 0)
        return -1;
    *out = (uint32_t)value;
    return 0;
}

int peer__lua_read_int64(lua_State *L, int index, const char *name, int64_t *out)
{
    return read_integer(L, index, name, INT64_MIN, INT64_MAX, out);
}

/* ---- hexadecimal digits */

static int digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return letter - '0';
    if (letter >= 'a' && letter <= 'f')
        return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F')
        return letter - 'A' + 10;
    return -1;
}

static char *put_byte(char *at, unsigned byte)
{
    static const char digits[] = "0123456789abcdef";

    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15];
    return at;
}

int peer__lua_read_node_id(lua_State *L, int index, const char *name, uint64_t *out)
{
    const char *text;
    uint64_t id = 0;

    if (peer__lua_read_text(L, index, name, &text) != 0)
        return -1;
    if (text != NULL && strlen(text) != 16)
        return refuse(L, "%s is \"%s\", not 16 hexadecimal digits", name, text);
    for (size_t i = 0; text != NULL && i < 16; i++) {
        int digit = digit_of(text[i]);
        if (digit < 0)
            return refuse(L, "%s is \"%s\", not 16 hexadecimal digits", name, text);
        id = id << 4 | (uint64_t)digit;
    }
    *out = id;
    return 0;
}

void peer__lua_push_node_id(lua_State *L, uint64_t id)
{
    char text[16];
    char *at = text;

    for (int shift = 56; shift >= 0; shift -= 8)
        at = put_byte(at, (unsigned)(id >> shift & 255));
    lua_pushlstring(L, text, sizeof(text));
}

/* Whether a hyphen stands before this byte of the printed form. */
static int has_hyphen(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

static int parse_guid(const char *text, peer_guid *guid)
{
    for (size_t i = 0; i < sizeof(guid->bytes); i++) {
        if (has_hyphen(i) && *text++ != '-')
            return -1;
        int high = digit_of(text[0]);
        int low = high < 0 ? -1 : digit_of(text[1]);
        if (low < 0)
            return -1;
        guid->bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return *text == '\0' ? 0 : -1;
}

static int read_guid_text(lua_State *L, const char *name, const char *text, peer_guid *guid)
{
    if (parse_guid(text, guid) != 0)
        return refuse(L, "%s is \"%s\", not like \"00112233-4455-6677-8899-aabbccddeeff\"", name, text);
    return 0;
}

int peer__lua_read_guid(lua_State *L, int index, const char *name, peer_guid *space, const peer_guid **out)
{
    const char *text;

    if (peer__lua_read_text(L, index, name, &text) != 0)
        return -1;
    *out = text == NULL ? NULL : space;
    return text == NULL ? 0 : read_guid_text(L, name, text, space);
}

void peer__lua_push_guid(lua_State *L, const peer_guid *guid)
{
    char text[36];
    char *at = text;

    for (size_t i = 0; i < sizeof(guid->bytes); i++) {
        if (has_hyphen(i))
            *at++ = '-';
        at = put_byte(at, guid->bytes[i]);
    }
    lua_pushlstring(L, text, sizeof(text));
}

/* ---- text */

int peer__lua_read_text(lua_State *L, int index, const char *name, const char **out)
{
    size_t size;

    *out = NULL;
    if (lua_isnoneornil(L, index))
        return 0;
    if (lua_type(L, index) != LUA_TSTRING) /* a number would become text in place, and confuse lua_next */
        raise_type(L, index, name, "a string");
    *out = lua_tolstring(L, index, &size);
    if (strlen(*out) != size) /* C would stop there, and never see the rest */
        return refuse(L, "%s contains a NUL after \"%s\"", name, *out);
    return 0;
}

void peer__lua_push_text(lua_State *L, const char *text)
{
    if (text == NULL)
        lua_pushnil(L);
    else
        lua_pushstring(L, text);
}

/* ---- arrays */

/* How many items an array has; 0 for nil. */
static uint32_t array_count(lua_State *L, int index, const char *name)
{
    if (lua_isnoneornil(L, index))
        return 0;
    if (lua_type(L, index) != LUA_TTABLE)
        raise_type(L, index, name, "an array");
    if (lua_rawlen(L, index) > UINT32_MAX)
        luaL_error(L, "%s has too many items", name);
    return (uint32_t)lua_rawlen(L, index);
}

int peer__lua_read_guids(lua_State *L, int index, const char *name, uint32_t *count_out, const peer_guid **out)
{
    uint32_t count = array_count(L, index, name);
    const char *item_name = lua_pushfstring(L, "each of %s", name);
    peer_guid *guids = count == 0 ? NULL : lua_newuserdatauv(L, count * sizeof(*guids), 0);

    for (uint32_t i = 0; i < count; i++) {
        const peer_guid *guid;
        if (lua_rawgeti(L, index, (lua_Integer)i + 1) != LUA_TSTRING)
            raise_type(L, -1, item_name, "a string");
        if (peer__lua_read_guid(L, lua_gettop(L), item_name, &guids[i], &guid) != 0)
            return -1;
        lua_pop(L, 1);
    }
    *count_out = count;
    *out = guids;
    return 0;
}

struct registration_fields {
    int32_t type;
    const char *record_type;
};

static const struct field registration_fields[] = {
    {"type", FIELD_INT32, offsetof(struct registration_fields, type), 0},
    {"record_type", FIELD_TEXT, offsetof(struct registration_fields, record_type), 0},
    {NULL, FIELD_INT32, 0, 0},
};

static int read_registration(lua_State *L, peer_event_registration *registration, peer_guid *space)
{
    struct registration_fields read = {0};

    if (peer__lua_read_struct(L, lua_gettop(L), registration_fields, &read) != 0)
        return -1;
    memset(registration, 0, sizeof(*registration));
    registration->type = read.type;
    if (read.record_type == NULL)
        return 0;
    registration->record_type = space;
    return read_guid_text(L, "record_type", read.record_type, space);
}

int peer__lua_read_registrations(lua_State *L, int index, uint32_t *count_out, const peer_event_registration **out)
{
    uint32_t count = array_count(L, index, "registrations");
    size_t size = sizeof(peer_event_registration) + sizeof(peer_guid);
    peer_event_registration *registrations = count == 0 ? NULL : lua_newuserdatauv(L, count * size, 0);
    peer_guid *guids = count == 0 ? NULL : (peer_guid *)(registrations + count);

    for (uint32_t i = 0; i < count; i++) {
        if (lua_rawgeti(L, index, (lua_Integer)i + 1) != LUA_TTABLE)
            raise_type(L, -1, "each registration", "a table");
        if (read_registration(L, &registrations[i], &guids[i]) != 0)
            return -1;
        lua_pop(L, 1);
    }
    *count_out = count;
    *out = registrations;
    return 0;
}
