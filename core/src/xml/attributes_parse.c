/* The reader of attribute XML. What comes from the network is hostile: a document is fed to expat in pieces, a token may
 * not be longer than ATTRIBUTE_TOKEN_MAX, elements are two deep, there is no document type and so no entity, and the
 * first violation stops it. Memory is then bounded by two pieces, whatever the size of the document. */
#include "xml/attributes.h"

#include <expat.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "xml/value.h"

/* Not smaller than ATTRIBUTE_TOKEN_MAX: expat 2.6 puts off looking at an unfinished token until it has twice the bytes
 * (reparse deferral), and after a token within the limit the next piece always brings them. */
#define PIECE_SIZE ATTRIBUTE_TOKEN_MAX

struct scan {
    XML_Parser parser;
    struct attributes *out; /* NULL: check only */
    size_t count;
    peer_status status; /* of the first violation, whose line is written */
    int depth;          /* of elements: 1 attributes, 2 attribute */
    int is_started;     /* the root element was seen */
    int32_t type;       /* of the attribute that is being read */
    char name[ATTRIBUTE_NAME_MAX + 1];
    struct buffer value; /* kept from one attribute to the next */
};

/* --- failing ---------------------------------------------------------------------------------------------------------- */

static void stop(struct scan *scan, peer_status status)
{
    scan->status = status;
    XML_StopParser(scan->parser, XML_FALSE);
}

static peer_status fail_here(const struct scan *scan, peer_status status, const char *line)
{
    return peer__fail(status, "%s, line %lu, column %lu", line, (unsigned long)XML_GetCurrentLineNumber(scan->parser),
                      (unsigned long)XML_GetCurrentColumnNumber(scan->parser) + 1);
}

__attribute__((format(printf, 2, 3))) static void refuse(struct scan *scan, const char *format, ...)
{
    char line[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    stop(scan, fail_here(scan, PEER_E_INVALID_ATTRIBUTES, line));
}

/* 1 if there is nothing to do any more: expat may call some handlers after XML_StopParser. */
static int is_over(struct scan *scan)
{
    if (scan->status < 0)
        return 1;
    if (XML_GetCurrentByteCount(scan->parser) <= ATTRIBUTE_TOKEN_MAX)
        return 0;
    refuse(scan, "a tag or comment is longer than %d bytes", ATTRIBUTE_TOKEN_MAX);
    return 1;
}

/* --- elements --------------------------------------------------------------------------------------------------------- */

static void start_root(struct scan *scan, const XML_Char *element, const XML_Char **pairs)
{
    scan->is_started = 1;
    if (strcmp(element, "attributes") != 0)
        refuse(scan, "the root element is <%s>, not <attributes>", peer__quote(element).text);
    else if (pairs[0] != NULL)
        refuse(scan, "<attributes> has no \"%s\"", peer__quote(pairs[0]).text);
}

static void start_attribute(struct scan *scan, const XML_Char **pairs)
{
    const char *name = NULL;
    const char *type = NULL;
    for (; pairs[0] != NULL; pairs += 2) {
        if (strcmp(pairs[0], "name") == 0)
            name = pairs[1];
        else if (strcmp(pairs[0], "type") == 0)
            type = pairs[1];
        else {
            refuse(scan, "<attribute> has no \"%s\"", peer__quote(pairs[0]).text);
            return;
        }
    }
    if (name == NULL || type == NULL) {
        refuse(scan, "<attribute> needs a %s", name == NULL ? "name" : "type");
        return;
    }
    const char *fault = peer__attribute_name_fault(name);
    if (fault != NULL) {
        refuse(scan, "attribute name \"%s\" %s", peer__quote(name).text, fault);
        return;
    }
    scan->type = peer__attribute_type(type);
    if (scan->type == 0) {
        refuse(scan, "attribute \"%s\": type \"%s\" is none of string, int and date", name, peer__quote(type).text);
        return;
    }
    memcpy(scan->name, name, strlen(name) + 1);
}

static void XMLCALL on_start(void *user, const XML_Char *element, const XML_Char **pairs)
{
    struct scan *scan = user;
    if (is_over(scan))
        return;
    scan->depth++;
    if (scan->depth == 1)
        start_root(scan, element, pairs);
    else if (scan->depth > 2)
        refuse(scan, "attribute \"%s\" holds the element <%s>", scan->name, peer__quote(element).text);
    else if (strcmp(element, "attribute") != 0)
        refuse(scan, "<attributes> holds the element <%s>", peer__quote(element).text);
    else if (++scan->count > ATTRIBUTE_COUNT_MAX)
        stop(scan, fail_here(scan, PEER_E_TOO_MANY_ATTRIBUTES, "there are more than 4096 attributes"));
    else
        start_attribute(scan, pairs);
}

/* Text that nobody asks for is not collected: any text satisfies the type string. */
static int wants_text(const struct scan *scan)
{
    return scan->out != NULL || scan->type != PEER_ATTRIBUTE_STRING;
}

static void end_attribute(struct scan *scan)
{
    if (!wants_text(scan))
        return;
    peer__buffer_u8(&scan->value, '\0'); /* XML holds no NUL, so this is the only one */
    if (scan->value.failed) {
        stop(scan, peer__out_of_memory());
        return;
    }
    const char *value = (const char *)scan->value.data;
    const char *fault = peer__attribute_value_fault(scan->type, value);
    if (fault != NULL)
        refuse(scan, "attribute \"%s\": %s \"%s\" %s", scan->name, peer__attribute_type_name(scan->type),
               peer__quote(value).text, fault);
    else if (scan->out != NULL && peer__attributes_append(scan->out, scan->name, scan->type, value) != 0)
        stop(scan, peer__out_of_memory());
    peer__buffer_clear(&scan->value);
}

static void XMLCALL on_end(void *user, const XML_Char *element)
{
    struct scan *scan = user;
    (void)element; /* expat has matched it */
    if (is_over(scan))
        return;
    if (scan->depth-- == 2)
        end_attribute(scan);
}

static void XMLCALL on_text(void *user, const XML_Char *text, int size)
{
    struct scan *scan = user;
    if (scan->status < 0)
        return;
    if (scan->depth == 2) {
        if (wants_text(scan))
            peer__buffer_append(&scan->value, text, (size_t)size);
        if (scan->value.failed)
            stop(scan, peer__out_of_memory());
        return;
    }
    for (int i = 0; i < size; i++) {
        if (!peer__is_xml_space(text[i])) {
            refuse(scan, "there is text between the attributes");
            return;
        }
    }
}

/* --- around the elements ---------------------------------------------------------------------------------------------- */

/* Entities are declared in document types. None, no bomb and no file. */
static void XMLCALL on_doctype(void *user, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                               int subset)
{
    struct scan *scan = user;
    (void)name, (void)system, (void)public, (void)subset;
    if (!is_over(scan))
        refuse(scan, "a document type is not allowed");
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

/* Records travel in UTF-16 and a Windows program may say so; to us they come converted. Every other name is a lie. */
static void XMLCALL on_declaration(void *user, const XML_Char *version, const XML_Char *encoding, int standalone)
{
    struct scan *scan = user;
    (void)version, (void)standalone;
    if (is_over(scan))
        return;
    if (encoding != NULL && !is_encoding(encoding, "utf-8") && !is_encoding(encoding, "utf-16"))
        refuse(scan, "the encoding \"%s\" is not UTF-8", peer__quote(encoding).text);
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

static XML_Parser parser_create(struct scan *scan)
{
    static const XML_Memory_Handling_Suite memory = {peer__malloc, peer__realloc, peer__free};
    XML_Parser parser = XML_ParserCreate_MM("UTF-8", &memory, NULL);
    if (parser == NULL)
        return NULL;
    /* The same salt every time: the same record takes the same path on every node and in every simulated run, and no
     * record costs a system call for entropy. Flooding the tables is no use: a tag holds a few thousand names within
     * ATTRIBUTE_TOKEN_MAX, and the first unknown one ends it. */
    XML_SetHashSalt(parser, 0x70656572);
    XML_SetUserData(parser, scan);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetStartDoctypeDeclHandler(parser, on_doctype);
    XML_SetXmlDeclHandler(parser, on_declaration);
    XML_SetCommentHandler(parser, on_comment);
    XML_SetProcessingInstructionHandler(parser, on_instruction);
    return parser;
}

static peer_status fail_of_expat(const struct scan *scan)
{
    enum XML_Error error = XML_GetErrorCode(scan->parser);
    if (scan->status < 0)
        return scan->status;
    if (error == XML_ERROR_NO_MEMORY)
        return peer__out_of_memory();
    char line[128];
    snprintf(line, sizeof(line), "the attributes are not well-formed XML: %s", XML_ErrorString(error));
    return fail_here(scan, PEER_E_INVALID_ATTRIBUTES, line);
}

/* Bytes that expat keeps because a token is not complete. In the prolog it does not tell: there all are counted. */
static size_t kept(const struct scan *scan, size_t fed)
{
    XML_Index index = XML_GetCurrentByteIndex(scan->parser);
    return scan->is_started && index > 0 ? fed - (size_t)index : fed;
}

static peer_status feed(struct scan *scan, const char *xml, size_t size)
{
    for (size_t fed = 0;;) {
        size_t piece = size - fed < PIECE_SIZE ? size - fed : PIECE_SIZE;
        int is_last = fed + piece == size;
        if (XML_Parse(scan->parser, xml + fed, (int)piece, is_last) != XML_STATUS_OK)
            return fail_of_expat(scan);
        if (is_last)
            return scan->status;
        fed += piece;
        if (kept(scan, fed) > ATTRIBUTE_TOKEN_MAX)
            return peer__fail(PEER_E_INVALID_ATTRIBUTES, "a tag or comment is longer than %d bytes",
                              ATTRIBUTE_TOKEN_MAX);
    }
}

static peer_status scan_document(const char *xml, size_t size, struct attributes *out)
{
    struct scan scan = {.out = out};
    scan.parser = parser_create(&scan);
    if (scan.parser == NULL)
        return peer__out_of_memory();
    peer_status status = feed(&scan, xml, size);
    XML_ParserFree(scan.parser);
    peer__buffer_free(&scan.value);
    return status;
}

peer_status peer__attributes_check(const char *xml, size_t size)
{
    return scan_document(xml, size, NULL);
}

peer_status peer__attributes_parse(const char *xml, size_t size, struct attributes *out)
{
    peer_status status = scan_document(xml, size, out);
    if (status < 0)
        peer__attributes_free(out);
    return status;
}
