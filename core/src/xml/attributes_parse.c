/* The reader of attribute XML: elements are two deep, and the first violation of the schema stops it. */
#include "xml/attributes.h"

#include <string.h>

#include "base/error.h"
#include "base/list.h"
#include "base/search.h"
#include "base/text.h"
#include "xml/reader.h"
#include "xml/value.h"

struct scan {
    struct xml_reader reader;
    struct attributes *out; /* NULL, and `index` too: check only */
    struct buffer *index;
    size_t count;
    int32_t type; /* of the attribute that is being read */
    char name[ATTRIBUTE_NAME_MAX + 1];
    struct buffer value; /* kept from one attribute to the next */
};

static void start_root(struct scan *scan, const char *element, const char **pairs)
{
    if (strcmp(element, "attributes") != 0)
        peer__xml_refuse(&scan->reader, "the root element is <%s>, not <attributes>", peer__quote(element).text);
    else if (pairs[0] != NULL)
        peer__xml_refuse(&scan->reader, "<attributes> has no \"%s\"", peer__quote(pairs[0]).text);
}

static void start_attribute(struct scan *scan, const char **pairs)
{
    const char *name = NULL;
    const char *type = NULL;
    for (; pairs[0] != NULL; pairs += 2) {
        if (strcmp(pairs[0], "name") == 0)
            name = pairs[1];
        else if (strcmp(pairs[0], "type") == 0)
            type = pairs[1];
        else {
            peer__xml_refuse(&scan->reader, "<attribute> has no \"%s\"", peer__quote(pairs[0]).text);
            return;
        }
    }
    if (name == NULL || type == NULL) {
        peer__xml_refuse(&scan->reader, "<attribute> needs a %s", name == NULL ? "name" : "type");
        return;
    }
    const char *fault = peer__attribute_name_fault(name);
    if (fault != NULL) {
        peer__xml_refuse(&scan->reader, "attribute name \"%s\" %s", peer__quote(name).text, fault);
        return;
    }
    scan->type = peer__attribute_type(type);
    if (scan->type == 0) {
        peer__xml_refuse(&scan->reader, "attribute \"%s\": type \"%s\" is none of string, int and date", name,
                         peer__quote(type).text);
        return;
    }
    memcpy(scan->name, name, strlen(name) + 1);
}

static void on_start(struct xml_reader *reader, const char *element, const char **pairs)
{
    struct scan *scan = CONTAINER_OF(reader, struct scan, reader);
    if (reader->depth == 1)
        start_root(scan, element, pairs);
    else if (reader->depth > 2)
        peer__xml_refuse(reader, "attribute \"%s\" holds the element <%s>", scan->name, peer__quote(element).text);
    else if (strcmp(element, "attribute") != 0)
        peer__xml_refuse(reader, "<attributes> holds the element <%s>", peer__quote(element).text);
    else if (++scan->count > ATTRIBUTE_COUNT_MAX)
        peer__xml_refuse_with(reader, PEER_E_TOO_MANY_ATTRIBUTES, "there are more than %d attributes",
                              ATTRIBUTE_COUNT_MAX);
    else
        start_attribute(scan, pairs);
}

/* Text that nobody asks for is not collected: any text satisfies the type string. */
static int wants_text(const struct scan *scan)
{
    return scan->out != NULL || scan->index != NULL || scan->type != PEER_ATTRIBUTE_STRING;
}

/* An integer of any size is allowed; what is beyond 64 bits is not compared (graph-api 11.4), and so not found. */
static void index_attribute(struct scan *scan, const char *value)
{
    struct indexed_attribute attribute = {.type = scan->type,
                                          .name = {(const uint8_t *)scan->name, strlen(scan->name)}};
    struct buffer text = {0};
    if (scan->type == PEER_ATTRIBUTE_STRING) {
        peer__ordinal_append(&text, value, strlen(value));
        attribute.text = (struct span){text.data, text.size};
    } else if (scan->type == PEER_ATTRIBUTE_DATE) {
        (void)peer__date_read(value, &attribute.number); /* it was checked */
    } else if (peer__int_read(value, &attribute.number) != NULL) {
        return;
    }
    peer__indexed_append(scan->index, &attribute);
    if (text.failed || scan->index->failed)
        peer__xml_stop(&scan->reader, peer__out_of_memory());
    peer__buffer_free(&text);
}

static void end_attribute(struct scan *scan)
{
    peer__buffer_u8(&scan->value, '\0'); /* XML holds no NUL, so this is the only one */
    if (scan->value.failed) {
        peer__xml_stop(&scan->reader, peer__out_of_memory());
        return;
    }
    const char *value = (const char *)scan->value.data;
    const char *fault = peer__attribute_value_fault(scan->type, value);
    if (fault != NULL)
        peer__xml_refuse(&scan->reader, "attribute \"%s\": %s \"%s\" %s", scan->name,
                         peer__attribute_type_name(scan->type), peer__quote(value).text, fault);
    else if (scan->out != NULL && peer__attributes_append(scan->out, scan->name, scan->type, value) != 0)
        peer__xml_stop(&scan->reader, peer__out_of_memory());
    else if (scan->index != NULL)
        index_attribute(scan, value);
    peer__buffer_clear(&scan->value);
}

static void on_end(struct xml_reader *reader)
{
    struct scan *scan = CONTAINER_OF(reader, struct scan, reader);
    if (reader->depth == 2 && wants_text(scan))
        end_attribute(scan);
}

static void on_text(struct xml_reader *reader, const char *text, size_t size)
{
    struct scan *scan = CONTAINER_OF(reader, struct scan, reader);
    if (reader->depth == 2) {
        if (wants_text(scan))
            peer__buffer_append(&scan->value, text, size);
        if (scan->value.failed)
            peer__xml_stop(reader, peer__out_of_memory());
        return;
    }
    for (size_t i = 0; i < size; i++) {
        if (!peer__is_xml_space(text[i])) {
            peer__xml_refuse(reader, "there is text between the attributes");
            return;
        }
    }
}

static peer_status scan_document(const char *xml, size_t size, struct attributes *out, struct buffer *index)
{
    struct scan scan = {.reader = {.what = "the attributes are",
                                   .violation = PEER_E_INVALID_ATTRIBUTES,
                                   .start = on_start,
                                   .end = on_end,
                                   .text = on_text},
                        .out = out,
                        .index = index};
    peer_status status = peer__xml_read(&scan.reader, xml, size);
    peer__buffer_free(&scan.value);
    return status;
}

peer_status peer__attributes_check(const char *xml, size_t size)
{
    return scan_document(xml, size, NULL, NULL);
}

peer_status peer__attributes_index(const char *xml, size_t size, struct buffer *out)
{
    return scan_document(xml, size, NULL, out);
}

peer_status peer__attributes_parse(const char *xml, size_t size, struct attributes *out)
{
    peer_status status = scan_document(xml, size, out, NULL);
    if (status < 0)
        peer__attributes_free(out);
    return status;
}
