#include "api/input.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "event/view.h"
#include "wire/limits.h"

peer_status peer__input_not_null(const char *name, const void *argument)
{
    return argument != NULL ? PEER_OK : peer__fail(E_INVALIDARG, "%s is NULL", name);
}

peer_status peer__input_struct(const char *name, const void *input, size_t first_size, void *copy, size_t size)
{
    uint32_t struct_size;
    PEER_TRY(peer__input_not_null(name, input));
    memcpy(&struct_size, input, sizeof(struct_size));
    if (struct_size < first_size || struct_size > STRUCT_SIZE_MAX)
        return peer__fail(E_INVALIDARG, "%s.struct_size is %" PRIu32 ", not %zu", name, struct_size, size);
    for (size_t at = size; at < struct_size; at++) {
        if (((const char *)input)[at] != 0)
            return peer__fail(E_INVALIDARG, "%s has fields that this version of the library does not know", name);
    }
    memset(copy, 0, size);
    memcpy(copy, input, struct_size < size ? struct_size : size);
    return PEER_OK;
}

peer_status peer__input_optional_text(const char *name, const char *text, size_t units_max)
{
    if (text == NULL)
        return PEER_OK;
    size_t units = peer__utf16_units(text);
    if (units == SIZE_MAX)
        return peer__fail(E_INVALIDARG, "%s is not well-formed UTF-8", name);
    if (units > units_max)
        return peer__fail(E_INVALIDARG, "%s has %zu UTF-16 units, more than %zu: \"%.40s...\"", name, units, units_max,
                          text);
    return PEER_OK;
}

peer_status peer__input_text(const char *name, const char *text, size_t units_max)
{
    PEER_TRY(peer__input_not_null(name, text));
    if (text[0] == '\0')
        return peer__fail(E_INVALIDARG, "%s is empty", name);
    return peer__input_optional_text(name, text, units_max);
}

/* decisions.md 27: a group names itself on the wire by what no graph id can be; it begins with a control character. */
peer_status peer__input_graph_id(const char *name, const char *graph_id)
{
    PEER_TRY(peer__input_text(name, graph_id, ID_UNITS));
    for (const char *at = graph_id; *at != '\0'; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return peer__fail(E_INVALIDARG, "%s has a control character: \"%.40s\"", name, graph_id);
    }
    return PEER_OK;
}

static int is_plain_file_name(const char *name)
{
    size_t size = strnlen(name, DATABASE_NAME_BYTES + 1);
    if (size == 0 || size > DATABASE_NAME_BYTES || name[0] == '.')
        return 0;
    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '/' || *at == '\\' || (unsigned char)*at < 0x20 || *at == 0x7f)
            return 0;
    }
    return peer__utf8_is_valid(name);
}

peer_status peer__input_database_name(const char *database_name, const char **name_out)
{
    *name_out = database_name != NULL ? database_name : "default";
    if (!is_plain_file_name(*name_out))
        return peer__fail(E_INVALIDARG, "database_name \"%.80s\" is not a plain file name of 1 to %u bytes", *name_out,
                          DATABASE_NAME_BYTES);
    return PEER_OK;
}

static peer_status check_limit(const char *name, uint64_t bytes)
{
    if (bytes == 0 || bytes >= LIMIT_BYTES_MIN)
        return PEER_OK;
    return peer__fail(E_INVALIDARG, "%s is %" PRIu64 ", neither 0 nor at least %u", name, bytes, LIMIT_BYTES_MIN);
}

peer_status peer__input_options(const peer_graph_options_input *options, uint32_t *flags_out,
                                struct graph_limits *limits_out)
{
    peer_graph_options_input copy;
    *flags_out = 0;
    *limits_out = (struct graph_limits){0};
    if (options == NULL)
        return PEER_OK;
    PEER_TRY(peer__input_struct("options", options, offsetof(peer_graph_options_input, max_database_bytes), &copy,
                                sizeof(copy)));
    PEER_TRY(check_limit("options.max_database_bytes", copy.max_database_bytes));
    PEER_TRY(check_limit("options.max_bytes_per_creator", copy.max_bytes_per_creator));
    *limits_out = (struct graph_limits){.database_bytes = copy.max_database_bytes,
                                        .bytes_per_creator = copy.max_bytes_per_creator};
    if ((copy.flags & ~(uint32_t)(PEER_GRAPH_OPTION_DURABLE | PEER_GRAPH_OPTION_MANUAL | PEER_GRAPH_OPTION_JUDGE)) != 0)
        return peer__fail(E_INVALIDARG, "options.flags is 0x%" PRIx32 ", of which not all is known", copy.flags);
    *flags_out = copy.flags;
    return PEER_OK;
}

static peer_status check_presence(const peer_graph_properties_view *properties)
{
    if (properties->presence_lifetime_s != 0 && properties->presence_lifetime_s < 300)
        return peer__fail(E_INVALIDARG, "properties.presence_lifetime_s is %" PRIu32 ", neither 0 nor 300 or more",
                          properties->presence_lifetime_s);
    if (properties->presence_max < -1)
        return peer__fail(E_INVALIDARG, "properties.presence_max is %" PRId32 ", less than -1",
                          properties->presence_max);
    return PEER_OK;
}

static peer_status check_property_numbers(const peer_graph_properties_view *properties)
{
    if ((properties->flags & ~(uint32_t)PEER_GRAPH_PROPERTY_DEFER_EXPIRATION) != 0)
        return peer__fail(E_INVALIDARG, "properties.flags is 0x%" PRIx32 ", of which not all is known",
                          properties->flags);
    if (properties->scope > PEER_GRAPH_SCOPE_LINKLOCAL)
        return peer__fail(E_INVALIDARG, "properties.scope is %" PRIu32 ", which is no scope of a graph",
                          properties->scope);
    if (properties->max_record_size != 0 &&
        (properties->max_record_size < RECORD_SIZE_MIN_LIMIT || properties->max_record_size > RECORD_SIZE_MAX))
        return peer__fail(E_INVALIDARG, "properties.max_record_size is %" PRIu32 ", neither 0 nor %u to %u",
                          properties->max_record_size, RECORD_SIZE_MIN_LIMIT, RECORD_SIZE_MAX);
    return check_presence(properties);
}

peer_status peer__input_properties(const peer_graph_properties_input *properties, peer_graph_properties_view *copy)
{
    PEER_TRY(peer__input_struct("properties", properties, sizeof(*copy), copy, sizeof(*copy)));
    PEER_TRY(peer__input_graph_id("properties.graph_id", copy->graph_id));
    PEER_TRY(peer__input_text("properties.creator_id", copy->creator_id, ID_UNITS));
    PEER_TRY(peer__input_optional_text("properties.friendly_name", copy->friendly_name, ID_UNITS));
    PEER_TRY(peer__input_optional_text("properties.comment", copy->comment, COMMENT_UNITS));
    return check_property_numbers(copy);
}

peer_status peer__input_new_properties(const peer_graph_properties_input *properties, peer_graph_properties_view *copy)
{
    PEER_TRY(peer__input_struct("properties", properties, sizeof(*copy), copy, sizeof(*copy)));
    PEER_TRY(peer__input_optional_text("properties.friendly_name", copy->friendly_name, ID_UNITS));
    PEER_TRY(peer__input_optional_text("properties.comment", copy->comment, COMMENT_UNITS));
    return check_presence(copy);
}

static peer_status check_span(const char *name, const void *data, size_t size)
{
    if (data == NULL && size > 0)
        return peer__fail(E_INVALIDARG, "%s is NULL and its size %zu", name, size);
    return PEER_OK;
}

/* 9.3: an id has 1 to 255 units. No other node takes a record whose creator has none. */
static peer_status check_author(const char *name, const char *peer_id)
{
    return peer_id == NULL ? PEER_OK : peer__input_text(name, peer_id, ID_UNITS);
}

peer_status peer__input_record(const peer_record_input *record, peer_record_view *copy)
{
    PEER_TRY(peer__input_struct("record", record, sizeof(*copy), copy, sizeof(*copy)));
    copy->flags &= ~(uint32_t)PEER_RECORD_FLAG_DELETED; /* of a view that was edited; it says nothing here */
    if ((copy->flags & ~(uint32_t)PEER_RECORD_FLAG_AUTOREFRESH) != 0)
        return peer__fail(E_INVALIDARG, "record.flags is 0x%" PRIx32 ", of which not all is known", copy->flags);
    if (copy->reserved != 0)
        return peer__fail(E_INVALIDARG, "record.reserved is not 0");
    PEER_TRY(check_author("record.creator_id", copy->creator_id));
    PEER_TRY(check_author("record.modifier_id", copy->modifier_id));
    PEER_TRY(check_span("record.data", copy->data, copy->size));
    PEER_TRY(check_span("record.security_data", copy->security_data, copy->security_data_size));
    if (copy->security_data_size > SECURITY_DATA_SIZE_MAX)
        return peer__fail(E_INVALIDARG, "record.security_data has %zu bytes, more than %u", copy->security_data_size,
                          SECURITY_DATA_SIZE_MAX);
    if (copy->attributes != NULL && !peer__utf8_is_valid(copy->attributes))
        return peer__fail(E_INVALIDARG, "record.attributes is not well-formed UTF-8");
    return PEER_OK;
}

peer_status peer__input_new_record(const peer_record_input *record, peer_record_view *copy)
{
    PEER_TRY(peer__input_record(record, copy));
    if (peer__guid_is_zero(&copy->type))
        return peer__fail(E_INVALIDARG, "record.type is not set");
    return PEER_OK;
}
