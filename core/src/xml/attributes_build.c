#include "xml/attributes.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "xml/value.h"
#include "xml/writer.h"

/* --- the rules of graph-api 10 -------------------------------------------------------------------------------------- */

static const char *const type_names[] = {NULL, "string", "int", "date"};

const char *peer__attribute_type_name(int32_t type)
{
    return type >= PEER_ATTRIBUTE_STRING && type <= PEER_ATTRIBUTE_DATE ? type_names[type] : NULL;
}

int32_t peer__attribute_type(const char *name)
{
    for (int32_t type = PEER_ATTRIBUTE_STRING; type <= PEER_ATTRIBUTE_DATE; type++) {
        if (strcmp(name, type_names[type]) == 0)
            return type;
    }
    return 0;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* The source does not say whether case counts (graph-api 10, MS-PPGRH 2.2.3.5). A name that differs from a searchable
 * one only in case would mislead whoever reads a search, so all are refused. */
static int is_reserved(const char *name)
{
    static const char *const reserved[] = {"peerlastmodifiedby", "peercreatorid",  "peerlastmodificationtime",
                                           "peerrecordid",       "peerrecordtype", "peercreationtime"};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        size_t at = 0;
        while (name[at] != '\0' && lower(name[at]) == reserved[i][at])
            at++;
        if (name[at] == '\0' && reserved[i][at] == '\0')
            return 1;
    }
    return 0;
}

const char *peer__attribute_name_fault(const char *name)
{
    size_t size = 0;
    for (; name[size] != '\0'; size++) {
        if (!is_alphanumeric(name[size]))
            return "may hold 0-9 a-z A-Z only";
        if (size == ATTRIBUTE_NAME_MAX)
            return "is longer than 40 characters";
    }
    if (size == 0)
        return "is empty";
    return is_reserved(name) ? "is reserved" : NULL;
}

const char *peer__attribute_value_fault(int32_t type, const char *value)
{
    int64_t ignored;
    switch (type) {
    case PEER_ATTRIBUTE_INT:
        return peer__int_fault(value);
    case PEER_ATTRIBUTE_DATE:
        return peer__date_read(value, &ignored);
    default:
        return NULL;
    }
}

/* --- the list --------------------------------------------------------------------------------------------------------- */

static int grow(struct attributes *attributes)
{
    if (attributes->count < attributes->capacity)
        return 0;
    size_t capacity = attributes->capacity != 0 ? attributes->capacity * 2 : 4;
    struct attribute *items = peer__realloc_array(attributes->items, capacity, sizeof(*items));
    if (items == NULL)
        return -1;
    attributes->items = items;
    attributes->capacity = capacity;
    return 0;
}

int peer__attributes_append(struct attributes *attributes, const char *name, int32_t type, const char *value)
{
    size_t name_size = strlen(name) + 1;
    size_t value_size = strlen(value) + 1;
    if (grow(attributes) != 0)
        return -1;
    char *block = peer__malloc(name_size + value_size);
    if (block == NULL)
        return -1;
    memcpy(block, name, name_size);
    memcpy(block + name_size, value, value_size);
    attributes->items[attributes->count++] =
        (struct attribute){.type = type, .name = block, .value = block + name_size};
    return 0;
}

peer_status peer__attributes_add(struct attributes *attributes, const char *name, int32_t type, const char *value)
{
    const char *fault = peer__attribute_name_fault(name);
    if (fault != NULL)
        return peer__fail(PEER_E_INVALID_ATTRIBUTES, "attribute name \"%s\" %s", peer__quote(name).text, fault);
    if (peer__attribute_type_name(type) == NULL)
        return peer__fail(PEER_E_INVALID_ATTRIBUTES, "attribute \"%s\": type %d is none", name, (int)type);
    fault = peer__xml_text_fault(value);
    if (fault == NULL)
        fault = peer__attribute_value_fault(type, value);
    if (fault != NULL)
        return peer__fail(PEER_E_INVALID_ATTRIBUTES, "attribute \"%s\": %s \"%s\" %s", name,
                          peer__attribute_type_name(type), peer__quote(value).text, fault);
    if (attributes->count == ATTRIBUTE_COUNT_MAX)
        return peer__fail(PEER_E_TOO_MANY_ATTRIBUTES, "attribute \"%s\" would be the %dth, more than %d", name,
                          ATTRIBUTE_COUNT_MAX + 1, ATTRIBUTE_COUNT_MAX);
    return peer__attributes_append(attributes, name, type, value) == 0 ? PEER_OK : peer__out_of_memory();
}

void peer__attributes_remove_last(struct attributes *attributes)
{
    peer__free(attributes->items[--attributes->count].name);
}

void peer__attributes_free(struct attributes *attributes)
{
    while (attributes->count > 0)
        peer__attributes_remove_last(attributes);
    peer__free(attributes->items);
    *attributes = (struct attributes){0};
}

/* --- XML -------------------------------------------------------------------------------------------------------------- */

void peer__attribute_to_xml(const struct attribute *attribute, struct buffer *out)
{
    peer__xml_append(out, "<attribute name=\"");
    peer__xml_append(out, attribute->name); /* letters and digits */
    peer__xml_append(out, "\" type=\"");
    peer__xml_append(out, peer__attribute_type_name(attribute->type));
    peer__xml_append(out, "\">");
    peer__xml_append_escaped(out, attribute->value);
    peer__xml_append(out, "</attribute>");
}

peer_status peer__attributes_to_xml(const struct attributes *attributes, struct buffer *out)
{
    peer__xml_append(out, "<attributes>");
    for (size_t i = 0; i < attributes->count; i++)
        peer__attribute_to_xml(&attributes->items[i], out);
    peer__xml_append(out, "</attributes>");
    return out->failed ? peer__out_of_memory() : PEER_OK;
}
