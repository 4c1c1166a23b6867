#include "xml/writer.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "xml/value.h"

/* XML 1.0, production 2: no control characters but three, no surrogates, not U+FFFE and U+FFFF. */
const char *peer__xml_text_fault(const char *text)
{
    if (!peer__utf8_is_valid(text))
        return "is not well-formed UTF-8";
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at < 0x20 && !peer__is_xml_space((char)*at))
            return "has a control character, which XML cannot hold";
        if (at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe)
            return "has U+FFFE or U+FFFF, which XML cannot hold";
    }
    return NULL;
}

void peer__xml_append(struct buffer *out, const char *text)
{
    peer__buffer_append(out, text, strlen(text));
}

/* Line feed, tab and carriage return become references: a reader turns a bare CR into LF, and tools re-indent. */
static const char *reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;"; /* "]]>" may not stand in text */
    case '"':
        return "&quot;";
    case '\t':
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void peer__xml_append_escaped(struct buffer *out, const char *text)
{
    const char *from = text;
    const char *at = text;
    for (; *at != '\0'; at++) {
        const char *instead = reference(*at);
        if (instead == NULL)
            continue;
        peer__buffer_append(out, from, (size_t)(at - from));
        peer__xml_append(out, instead);
        from = at + 1;
    }
    peer__buffer_append(out, from, (size_t)(at - from));
}

/* All or nothing: memory is got before a byte moves. */
peer_status peer__xml_insert(struct buffer *document, size_t end_size, const struct buffer *element)
{
    if (element->failed || peer__buffer_reserve(document, element->size) == NULL) {
        document->failed = 0; /* it is as it was */
        return peer__out_of_memory();
    }
    uint8_t *end = document->data + document->size - end_size;
    memmove(end + element->size, end, end_size);
    memcpy(end, element->data, element->size);
    document->size += element->size;
    return PEER_OK;
}
