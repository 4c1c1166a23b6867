/** Writing XML: which text it can hold, how text stands in it, and documents that grow before their end tag. */
#ifndef PEER_XML_WRITER_H
#define PEER_XML_WRITER_H

#include "base/bytes.h"

/** NULL if XML can hold the text, or what is wrong with it, to follow it in a sentence. */
const char *peer__xml_text_fault(const char *text);

/* A failed allocation shows in `out`: */

/** As it is: tags, names. */
void peer__xml_append(struct buffer *out, const char *text);
/** So that a reader gets exactly this text, in an element or in quotation marks. */
void peer__xml_append_escaped(struct buffer *out, const char *text);

/**
 * Puts an element before the last `end_size` bytes of a document: its end tag, and a NUL if it has one. E_OUTOFMEMORY, also
 * if memory was out when the element was written; then the document is as it was.
 */
peer_status peer__xml_insert(struct buffer *document, size_t end_size, const struct buffer *element);

#endif
