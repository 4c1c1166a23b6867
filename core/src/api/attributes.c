/* The exported functions about attributes. They need no runtime. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/handle.h"
#include "base/error.h"
#include "event/object.h"
#include "xml/attributes.h"
#include "xml/value.h"
#include "xml/writer.h"

static const char xml_empty[] = "<attributes></attributes>";
#define XML_END_SIZE sizeof("</attributes>") /* with the NUL */

/* `xml` is always the whole document with its NUL, so that reading an object changes nothing in it: objects that are
 * not being built any more may be read from any thread. */
struct peer_attributes {
    struct attributes attributes;
    struct buffer xml;
};

static void destroy(void *data)
{
    peer_attributes *attributes = data;
    peer__attributes_free(&attributes->attributes);
    peer__buffer_free(&attributes->xml);
}

static peer_attributes *create(void)
{
    return peer__object_create(sizeof(peer_attributes), OBJECT_ATTRIBUTES, destroy);
}

static peer_status check(const peer_attributes *attributes)
{
    PEER_TRY(peer__check_not_forked());
    return peer__object_check(attributes, OBJECT_ATTRIBUTES);
}

static peer_status is_null(const char *argument)
{
    return peer__fail(E_INVALIDARG, "%s is NULL", argument);
}

/* --- building --------------------------------------------------------------------------------------------------------- */

peer_status peer_attributes_create(peer_attributes **attributes_out)
{
    PEER_TRY(peer__check_not_forked());
    if (attributes_out == NULL)
        return is_null("attributes_out");
    peer_attributes *attributes = create();
    if (attributes == NULL)
        return peer__out_of_memory();
    peer__buffer_append(&attributes->xml, xml_empty, sizeof(xml_empty));
    if (attributes->xml.failed) {
        peer__object_release(attributes);
        return peer__out_of_memory();
    }
    *attributes_out = attributes;
    return PEER_OK;
}

static peer_status insert_last(peer_attributes *attributes)
{
    struct buffer element = {0};
    peer__attribute_to_xml(&attributes->attributes.items[attributes->attributes.count - 1], &element);
    peer_status status = peer__xml_insert(&attributes->xml, XML_END_SIZE, &element);
    peer__buffer_free(&element);
    return status;
}

peer_status peer_attributes_add(peer_attributes *attributes, const char *name, int32_t type, const char *value)
{
    PEER_TRY(check(attributes));
    if (name == NULL)
        return is_null("name");
    if (value == NULL)
        return is_null("value");
    PEER_TRY(peer__attributes_add(&attributes->attributes, name, type, value));
    peer_status status = insert_last(attributes);
    if (status < 0)
        peer__attributes_remove_last(&attributes->attributes);
    return status;
}

peer_status peer_attributes_add_int(peer_attributes *attributes, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value); /* a '-' is refused with the value in the line */
    return peer_attributes_add(attributes, name, PEER_ATTRIBUTE_INT, text);
}

peer_status peer_attributes_add_date(peer_attributes *attributes, const char *name, int64_t time_utc_us)
{
    char text[DATE_TEXT_SIZE];
    const char *fault = peer__date_write(time_utc_us, text);
    if (fault != NULL)
        return peer__fail(PEER_E_INVALID_ATTRIBUTES, "time %" PRId64 " %s", time_utc_us, fault);
    return peer_attributes_add(attributes, name, PEER_ATTRIBUTE_DATE, text);
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

static peer_status parse(peer_attributes *attributes, const char *xml)
{
    PEER_TRY(peer__attributes_parse(xml, strlen(xml), &attributes->attributes));
    peer__attributes_to_xml(&attributes->attributes, &attributes->xml);
    peer__buffer_u8(&attributes->xml, '\0');
    return attributes->xml.failed ? peer__out_of_memory() : PEER_OK;
}

peer_status peer_attributes_parse(const char *xml, peer_attributes **attributes_out)
{
    PEER_TRY(peer__check_not_forked());
    if (xml == NULL)
        return is_null("xml");
    if (attributes_out == NULL)
        return is_null("attributes_out");
    peer_attributes *attributes = create();
    if (attributes == NULL)
        return peer__out_of_memory();
    peer_status status = parse(attributes, xml);
    if (status < 0)
        peer__object_release(attributes);
    else
        *attributes_out = attributes;
    return status;
}

peer_status peer_attributes_get_xml(const peer_attributes *attributes, const char **xml_out)
{
    PEER_TRY(check(attributes));
    if (xml_out == NULL)
        return is_null("xml_out");
    *xml_out = (const char *)attributes->xml.data;
    return PEER_OK;
}

peer_status peer_attributes_get_count(const peer_attributes *attributes, uint32_t *count_out)
{
    PEER_TRY(check(attributes));
    if (count_out == NULL)
        return is_null("count_out");
    *count_out = (uint32_t)attributes->attributes.count;
    return PEER_OK;
}

static peer_status item_at(const peer_attributes *attributes, uint32_t index, const struct attribute **item_out)
{
    PEER_TRY(check(attributes));
    if (index >= attributes->attributes.count)
        return peer__fail(E_INVALIDARG, "index %" PRIu32 " is not below the count of %zu", index,
                          attributes->attributes.count);
    *item_out = &attributes->attributes.items[index];
    return PEER_OK;
}

peer_status peer_attributes_get(const peer_attributes *attributes, uint32_t index, const char **name_out,
                                int32_t *type_out, const char **value_out)
{
    const struct attribute *item = NULL;
    PEER_TRY(item_at(attributes, index, &item));
    if (name_out == NULL || type_out == NULL || value_out == NULL)
        return is_null(name_out == NULL ? "name_out" : type_out == NULL ? "type_out" : "value_out");
    *name_out = item->name;
    *type_out = item->type;
    *value_out = item->value;
    return PEER_OK;
}

static peer_status item_of_type(const peer_attributes *attributes, uint32_t index, int32_t type,
                                const struct attribute **item_out)
{
    PEER_TRY(item_at(attributes, index, item_out));
    if ((*item_out)->type == type)
        return PEER_OK;
    return peer__fail(PEER_E_INVALID_ATTRIBUTES, "attribute \"%s\" has the type %s, not %s", (*item_out)->name,
                      peer__attribute_type_name((*item_out)->type), peer__attribute_type_name(type));
}

peer_status peer_attributes_get_int(const peer_attributes *attributes, uint32_t index, int64_t *value_out)
{
    const struct attribute *item = NULL;
    PEER_TRY(item_of_type(attributes, index, PEER_ATTRIBUTE_INT, &item));
    if (value_out == NULL)
        return is_null("value_out");
    return peer__int_parse(item->value, value_out);
}

peer_status peer_attributes_get_date(const peer_attributes *attributes, uint32_t index, int64_t *time_utc_us_out)
{
    const struct attribute *item = NULL;
    PEER_TRY(item_of_type(attributes, index, PEER_ATTRIBUTE_DATE, &item));
    if (time_utc_us_out == NULL)
        return is_null("time_utc_us_out");
    return peer__date_parse(item->value, time_utc_us_out);
}
