/* What comes from the network is hostile: a document is fed to expat in pieces, a token may not be longer than
 * XML_TOKEN_MAX, there is no document type and so no entity, and the first violation stops it. Memory is then bounded by
 * two pieces, whatever the size of the document. */
#include "xml/reader.h"

#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "xml/value.h"

/* Not smaller than XML_TOKEN_MAX: expat 2.6 puts off looking at an unfinished token until it has twice the bytes
 * (reparse deferral), and after a token within the limit the next piece always brings them. */
#define PIECE_SIZE XML_TOKEN_MAX

/* --- failing ---------------------------------------------------------------------------------------------------------- */

void peer__xml_stop(struct xml_reader *reader, peer_status status)
{
    reader->status = status;
    XML_StopParser(reader->parser, XML_FALSE);
}

static peer_status fail_here(const struct xml_reader *reader, peer_status status, const char *line)
{
    return peer__fail(status, "%s, line %lu, column %lu", line, (unsigned long)XML_GetCurrentLineNumber(reader->parser),
                      (unsigned long)XML_GetCurrentColumnNumber(reader->parser) + 1);
}

#define LINE_SIZE 400

void peer__xml_refuse(struct xml_reader *reader, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    peer__xml_stop(reader, fail_here(reader, reader->violation, line));
}

void peer__xml_refuse_with(struct xml_reader *reader, peer_status status, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    peer__xml_stop(reader, fail_here(reader, status, line));
}

/* 1 if there is nothing to do any more: expat may call some handlers after XML_StopParser. */
static int is_over(struct xml_reader *reader)
{
    if (reader->status < 0)
        return 1;
    if (XML_GetCurrentByteCount(reader->parser) <= XML_TOKEN_MAX)
        return 0;
    peer__xml_refuse(reader, "a tag or comment is longer than %d bytes", XML_TOKEN_MAX);
    return 1;
}

/* --- what expat calls ------------------------------------------------------------------------------------------------- */

static void XMLCALL on_start(void *user, const XML_Char *element, const XML_Char **pairs)
{
    struct xml_reader *reader = user;
    if (is_over(reader))
        return;
    reader->is_started = 1;
    reader->depth++;
    reader->start(reader, element, pairs);
}

static void XMLCALL on_end(void *user, const XML_Char *element)
{
    struct xml_reader *reader = user;
    (void)element; /* expat has matched it */
    if (is_over(reader))
        return;
    reader->end(reader);
    reader->depth--;
}

static void XMLCALL on_text(void *user, const XML_Char *text, int size)
{
    struct xml_reader *reader = user;
    if (reader->status >= 0) /* text comes in pieces as it is, of any length */
        reader->text(reader, text, (size_t)size);
}

/* Entities are declared in document types. None, no bomb and no file. */
static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                               int subset)
{
    struct xml_reader *reader = user;
    (void)name, (void)system, (void)public, (void)subset;
    if (!is_over(reader))
        peer__xml_refuse(reader, "a document type is not allowed");
}

static int is_encoding(const char *encoding, const char *lower_case)
{
    size_t at = 0;
    for (; encoding[at] != '\0'; at++) {
        char c = encoding[at];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != lower_case[at])
            return 0;
    }
    return lower_case[at] == '\0';
}

/* On Windows texts are UTF-16 and a program may say so; to us they come converted. Every other name is a lie. */
static void XMLCALL on_declaration(void *user, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    struct xml_reader *reader = user;
    (void)version, (void)standalone;
    if (is_over(reader))
        return;
    if (encoding != NULL && !is_encoding(encoding, "utf-8") && !is_encoding(encoding, "utf-16"))
        peer__xml_refuse(reader, "the encoding \"%s\" is not UTF-8", peer__quote(encoding).text);
}

/* Comments and processing instructions mean nothing to us and are harmless within the length of a token. */
static void XMLCALL on_comment(void *user, const XML_Char *text)
{
    (void)text;
    is_over(user);
}

static void XMLCALL on_instruction(void *user, const XML_Char *target, const XML_Char *text)
{
    (void)target, (void)text;
    is_over(user);
}

/* --- driving expat ---------------------------------------------------------------------------------------------------- */

static XML_Parser parser_create(struct xml_reader *reader)
{
    static const XML_Memory_Handling_Suite memory = {peer__malloc, peer__realloc, peer__free};
    XML_Parser parser = XML_ParserCreate_MM("UTF-8", &memory, NULL);
    if (parser == NULL)
        return NULL;
    /* The same salt every time: the same record takes the same path on every node and in every simulated run, and no
     * record costs a system call for entropy. Flooding the tables is no use: a tag holds a few thousand names within
     * XML_TOKEN_MAX, and the first unknown one ends it. */
    XML_SetHashSalt(parser, 0x70656572);
    XML_SetUserData(parser, reader);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetXmlDeclHandler(parser, on_declaration);
    XML_SetCommentHandler(parser, on_comment);
    XML_SetProcessingInstructionHandler(parser, on_instruction);
    return parser;
}

static peer_status fail_of_expat(const struct xml_reader *reader)
{
    enum XML_Error error = XML_GetErrorCode(reader->parser);
    if (reader->status < 0)
        return reader->status;
    if (error == XML_ERROR_NO_MEMORY)
        return peer__out_of_memory();
    char line[128];
    snprintf(line, sizeof(line), "%s not well-formed XML: %s", reader->what, XML_ErrorString(error));
    return fail_here(reader, reader->violation, line);
}

/* Bytes that expat keeps because a token is not complete. In the prolog it does not tell: there all are counted. */
static size_t kept(const struct xml_reader *reader, size_t fed)
{
    XML_Index index = XML_GetCurrentByteIndex(reader->parser);
    return reader->is_started && index > 0 ? fed - (size_t)index : fed;
}

static peer_status feed(struct xml_reader *reader, const char *xml, size_t size)
{
    for (size_t fed = 0;;) {
        size_t piece = size - fed < PIECE_SIZE ? size - fed : PIECE_SIZE;
        int is_last = fed + piece == size;
        if (XML_Parse(reader->parser, xml + fed, (int)piece, is_last) != XML_STATUS_OK)
            return fail_of_expat(reader);
        if (is_last)
            return reader->status;
        fed += piece;
        if (kept(reader, fed) > XML_TOKEN_MAX)
            return peer__fail(reader->violation, "a tag or comment is longer than %d bytes", XML_TOKEN_MAX);
    }
}

peer_status peer__xml_read(struct xml_reader *reader, const char *xml, size_t size)
{
    reader->parser = parser_create(reader);
    if (reader->parser == NULL)
        return peer__out_of_memory();
    peer_status status = feed(reader, xml, size);
    XML_ParserFree(reader->parser);
    reader->parser = NULL;
    return status;
}
