/** The one way to read XML: fed to expat in pieces, bounded in memory, without document types and so without entities. */
#ifndef PEER_XML_READER_H
#define PEER_XML_READER_H

#include <stddef.h>

#include "peergraph/peergraph.h"

/** Bytes of a tag, a comment or a processing instruction, at most: what the reader holds is bounded by it. */
#define XML_TOKEN_MAX 16384

struct XML_ParserStruct;

/**
 * One document that is being read. What it means is the business of the three handlers, which are not called any more
 * once something was refused; `depth` counts elements, the root is 1 while its start and end are handled.
 */
struct xml_reader {
    const char *what;      /* for error lines: "the attributes are not well-formed XML" */
    peer_status violation; /* the status of whatever is refused */
    /** `pairs`: names and values of the tag, in turn, and NULL. */
    void (*start)(struct xml_reader *reader, const char *element, const char **pairs);
    void (*end)(struct xml_reader *reader);
    /** Text comes in any number of pieces and is not terminated. */
    void (*text)(struct xml_reader *reader, const char *text, size_t size);

    struct XML_ParserStruct *parser;
    peer_status status; /* of the first violation, whose line is written */
    int depth;
    int is_started; /* the root element was seen */
};

/** Reads a document in UTF-8. PEER_OK, what a handler refused with, `violation` with its line, or E_OUTOFMEMORY. */
peer_status peer__xml_read(struct xml_reader *reader, const char *xml, size_t size);

/* For handlers: */

/** Refuses the document: `violation` with that line, and where in the document it was. */
void peer__xml_refuse(struct xml_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The same with another status. */
void peer__xml_refuse_with(struct xml_reader *reader, peer_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Stops with a status whose line is written. */
void peer__xml_stop(struct xml_reader *reader, peer_status status);

#endif
