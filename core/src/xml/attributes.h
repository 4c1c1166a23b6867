/** Attributes of a record: XML with a small schema (graph-api 10, MS-PPGRH 2.2.3.5), read, checked and written. */
#ifndef PEER_XML_ATTRIBUTES_H
#define PEER_XML_ATTRIBUTES_H

#include "base/bytes.h"

/** Characters of a name, at most. */
#define ATTRIBUTE_NAME_MAX 40
/** Attributes of a record, at most. Windows publishes no limit (graph-api 10). */
#define ATTRIBUTE_COUNT_MAX 4096

struct attribute {
    int32_t type; /* PEER_ATTRIBUTE_* */
    char *name;   /* the one block of memory; the value stands behind the name */
    const char *value;
};

/** In document order; names may repeat. Zero-initialise. The texts stay where they are when more are added. */
struct attributes {
    struct attribute *items;
    size_t count;
    size_t capacity;
};

/**
 * Reads attribute XML in UTF-8. `out` is empty before, and after a failure. PEER_E_INVALID_ATTRIBUTES with a line that
 * says what is wrong where; PEER_E_TOO_MANY_ATTRIBUTES; E_OUTOFMEMORY.
 */
peer_status peer__attributes_parse(const char *xml, size_t size, struct attributes *out);
/** The same rules, nothing kept: for records from the network. */
peer_status peer__attributes_check(const char *xml, size_t size);

/** The same rules, and what a search may find (base/search.h): of integers those within 64 bits. */
peer_status peer__attributes_index(const char *xml, size_t size, struct buffer *out);

/** Adds a copy, if name, type and value satisfy the schema and XML can hold the value. */
peer_status peer__attributes_add(struct attributes *attributes, const char *name, int32_t type, const char *value);
/** Takes the last one back. */
void peer__attributes_remove_last(struct attributes *attributes);
void peer__attributes_free(struct attributes *attributes);

/** Appends one `<attribute>` element. A failed allocation shows in `out`. */
void peer__attribute_to_xml(const struct attribute *attribute, struct buffer *out);
/** Appends the document, without NUL. E_OUTOFMEMORY. */
peer_status peer__attributes_to_xml(const struct attributes *attributes, struct buffer *out);

/** "string", "int", "date"; NULL for other numbers. */
const char *peer__attribute_type_name(int32_t type);

/* Between the reader and the builder: */

/** PEER_ATTRIBUTE_*, or 0. */
int32_t peer__attribute_type(const char *name);
/** NULL, or what is wrong with it, to follow the name or value in a sentence. */
const char *peer__attribute_name_fault(const char *name);
const char *peer__attribute_value_fault(int32_t type, const char *value);
/** Adds a copy of what was checked. -1: memory is out. */
int peer__attributes_append(struct attributes *attributes, const char *name, int32_t type, const char *value);

#endif
