/** UTF-8 and UTF-16BE (D-02): checked conversion both ways, and lengths in UTF-16 units. */
#ifndef PEER_BASE_TEXT_H
#define PEER_BASE_TEXT_H

#include "base/bytes.h"

/** UTF-16 units of a NUL-terminated UTF-8 text, without the terminator; SIZE_MAX if it is not well-formed UTF-8. */
size_t peer__utf16_units(const char *text);

/** Appends `text` as UTF-16BE with its terminator. 0, or -1 if it is not well-formed UTF-8. */
int peer__utf16_append(struct buffer *out, const char *text);

/**
 * UTF-16BE bytes (with or without terminator at the end) as a new NUL-terminated UTF-8 text; ill-formed units and NULs
 * inside become U+FFFD, so that no peer's text can break a reader. NULL when memory is out. Free with peer__free.
 */
char *peer__utf8_from_utf16(struct span utf16);

/** 1 if the bytes are well-formed UTF-16BE: an even size, ends with one NUL unit, none before it, surrogates paired. */
int peer__utf16_is_valid(struct span utf16);

/** Ordinal by UTF-16 unit (D-12), as memcmp; what begins like another and is longer comes after it. */
int peer__utf16_compare(struct span a, struct span b);

/** 1 if the NUL-terminated text is well-formed UTF-8. */
int peer__utf8_is_valid(const char *text);

/** For messages, which quote what others wrote and are cut: control characters and bytes of no character become '?'. */
void peer__text_to_line(char *text);

/**
 * Ordinal text: each UTF-16 unit by itself in the form of UTF-8, so that comparing bytes compares units as D-12 does. For
 * all but the characters beyond U+FFFF, which become two surrogates, it is UTF-8.
 */

/** Well-formed UTF-8 as ordinal text; a failed allocation shows in `out`. */
void peer__ordinal_append(struct buffer *out, const char *text, size_t size);
/** UTF-16BE without its terminator as ordinal text; what does not fit is cut off. Returns the size. */
size_t peer__ordinal_from_utf16(struct span utf16, uint8_t *out, size_t room);
/** Ordinal text as UTF-16BE without terminator. */
void peer__ordinal_to_utf16(struct buffer *out, struct span ordinal);
/** Room for the ordinal text of a peer id. */
#define ORDINAL_ID_SIZE (3 * 256)

#endif
