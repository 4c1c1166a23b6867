/** Values of the types int and date, in attributes and in searches (graph-api 10, 11). */
#ifndef PEER_XML_VALUE_H
#define PEER_XML_VALUE_H

#include <stdint.h>

#include "peergraph/peergraph.h"

/** "2026-11-21T10:30:00.123456Z" and its NUL. */
#define DATE_TEXT_SIZE 28

/** 1 for the white space of XML: space, tab, line feed, carriage return. */
int peer__is_xml_space(char c);

/*
 * These return NULL, or a text that says what is wrong and follows the value in a sentence; they set no error line, because
 * a search fails with another status than an attribute. White space around what is read is ignored.
 */

/** NULL if `text` is one or more digits; the number may be of any size. */
const char *peer__int_fault(const char *text);
/** The same with the number, which must be within int64. */
const char *peer__int_read(const char *text, int64_t *value_out);

/**
 * A date in one of the six forms of the W3C note on date and time, as a moment; a partial date is its first instant in
 * UTC. Years 0001 to 9999, real days only; what is finer than a microsecond is cut off.
 */
const char *peer__date_read(const char *text, int64_t *time_utc_us_out);

/** Writes a moment in UTC with microseconds. NULL, or a text like those above: it is outside of the years 1 to 9999. */
const char *peer__date_write(int64_t time_utc_us, char text[DATE_TEXT_SIZE]);

/** PEER_E_INVALID_ATTRIBUTES with a line that names the text. */
peer_status peer__int_parse(const char *text, int64_t *value_out);
peer_status peer__date_parse(const char *text, int64_t *time_utc_us_out);

/** Room for a value that is quoted in an error line. */
struct quote {
    char text[64];
};

/** A value for an error line: whole characters, and "…" for what does not fit. */
struct quote peer__quote(const char *text);

#endif
