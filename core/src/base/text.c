#include "base/text.h"

#include "base/agreement.h"
#include "base/memory.h"

#define REPLACEMENT UINT32_C(0xFFFD)

/* One code point of well-formed UTF-8 (Unicode table 3-7: no overlong form, no surrogate, nothing above U+10FFFF), with
 * `*at` moved past it; -1 if it is ill-formed. A NUL ends every sequence, so nothing is read beyond the terminator. */
static int32_t utf8_next(const char **at)
{
    const unsigned char *bytes = (const unsigned char *)*at;
    size_t more;
    uint32_t lowest;
    uint32_t point = bytes[0];
    if (point < 0x80) {
        *at += 1;
        return (int32_t)point;
    } else if (point >= 0xC2 && point < 0xE0) {
        more = 1, lowest = 0x80, point &= 0x1F;
    } else if (point >= 0xE0 && point < 0xF0) {
        more = 2, lowest = 0x800, point &= 0x0F;
    } else if (point >= 0xF0 && point < 0xF5) {
        more = 3, lowest = 0x10000, point &= 0x07;
    } else {
        return -1;
    }
    for (size_t i = 1; i <= more; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return -1;
        point = point << 6 | (bytes[i] & 0x3F);
    }
    if (point < lowest || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
        return -1;
    *at += more + 1;
    return (int32_t)point;
}

size_t peer__utf16_units(const char *text)
{
    size_t units = 0;
    while (*text != '\0') {
        int32_t point = utf8_next(&text);
        if (point < 0)
            return SIZE_MAX;
        units += point >= 0x10000 ? 2 : 1;
    }
    return units;
}

int peer__utf8_is_valid(const char *text)
{
    return peer__utf16_units(text) != SIZE_MAX;
}

void peer__text_to_line(char *text)
{
    while (*text != '\0') {
        const char *next = text;
        int32_t point = utf8_next(&next);
        if (point < 0)
            next = text + 1;
        if (point < 0x20 || point == 0x7F)
            *text = '?';
        text += next - text;
    }
}

/* D-02 */
static uint16_t unit_get(const uint8_t *bytes)
{
    return WIRE_UTF16_BIG_ENDIAN ? (uint16_t)(bytes[0] << 8 | bytes[1]) : (uint16_t)(bytes[1] << 8 | bytes[0]);
}

static void unit_append(struct buffer *out, uint32_t unit)
{
    peer__buffer_u16(out, (uint16_t)(WIRE_UTF16_BIG_ENDIAN ? unit : (unit >> 8 | unit << 8)));
}

int peer__utf16_append(struct buffer *out, const char *text)
{
    if (!peer__utf8_is_valid(text))
        return -1;
    while (*text != '\0') {
        uint32_t point = (uint32_t)utf8_next(&text);
        if (point >= 0x10000) {
            unit_append(out, 0xD800 + ((point - 0x10000) >> 10));
            unit_append(out, 0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
            unit_append(out, point);
        }
    }
    unit_append(out, 0);
    return 0;
}

static int is_high_surrogate(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static int is_low_surrogate(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

/* One code point at `*at`, which moves past it; REPLACEMENT for a NUL, a lone surrogate or half a unit. */
static uint32_t utf16_next(struct span utf16, size_t *at)
{
    if (utf16.size - *at < 2) {
        *at = utf16.size;
        return REPLACEMENT;
    }
    uint32_t unit = unit_get(utf16.data + *at);
    *at += 2;
    if (is_high_surrogate(unit) && utf16.size - *at >= 2) {
        uint32_t low = unit_get(utf16.data + *at);
        if (is_low_surrogate(low)) {
            *at += 2;
            return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return unit == 0 || is_high_surrogate(unit) || is_low_surrogate(unit) ? REPLACEMENT : unit;
}

static char *utf8_put(char *to, uint32_t point)
{
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    if (point < 0x800) {
        *to++ = (char)(0xC0 | point >> 6);
    } else {
        if (point < 0x10000) {
            *to++ = (char)(0xE0 | point >> 12);
        } else {
            *to++ = (char)(0xF0 | point >> 18);
            *to++ = (char)(0x80 | (point >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (point >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (point & 0x3F));
    return to;
}

char *peer__utf8_from_utf16(struct span utf16)
{
    if (utf16.size >= 2 && utf16.size % 2 == 0 && unit_get(utf16.data + utf16.size - 2) == 0)
        utf16.size -= 2;
    /* A unit, or half of one, becomes at most three bytes; two units of a pair become four. */
    if (utf16.size > (SIZE_MAX - 8) / 2)
        return NULL;
    char *text = peer__malloc((utf16.size + 1) / 2 * 3 + 1);
    if (text == NULL)
        return NULL;
    char *to = text;
    for (size_t at = 0; at < utf16.size;)
        to = utf8_put(to, utf16_next(utf16, &at));
    *to = '\0';
    return text;
}

int peer__utf16_is_valid(struct span utf16)
{
    if (utf16.size < 2 || utf16.size % 2 != 0 || unit_get(utf16.data + utf16.size - 2) != 0)
        return 0;
    utf16.size -= 2;
    for (size_t at = 0; at < utf16.size;) {
        uint32_t unit = unit_get(utf16.data + at);
        if (utf16_next(utf16, &at) == REPLACEMENT && unit != REPLACEMENT)
            return 0;
    }
    return 1;
}

int peer__utf16_compare(struct span a, struct span b)
{
    for (size_t at = 0; at + 2 <= a.size && at + 2 <= b.size; at += 2) {
        uint32_t unit_a = unit_get(a.data + at);
        uint32_t unit_b = unit_get(b.data + at);
        if (unit_a != unit_b)
            return unit_a > unit_b ? 1 : -1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

/* --- ordinal text ----------------------------------------------------------------------------------------------------- */

static size_t ordinal_put(uint8_t out[3], uint32_t unit)
{
    if (unit < 0x80) {
        out[0] = (uint8_t)unit;
        return 1;
    }
    if (unit < 0x800) {
        out[0] = (uint8_t)(0xC0 | unit >> 6);
        out[1] = (uint8_t)(0x80 | (unit & 0x3F));
        return 2;
    }
    out[0] = (uint8_t)(0xE0 | unit >> 12);
    out[1] = (uint8_t)(0x80 | (unit >> 6 & 0x3F));
    out[2] = (uint8_t)(0x80 | (unit & 0x3F));
    return 3;
}

/* Four bytes are the only form that differs. */
static void ordinal_append_pair(struct buffer *out, const uint8_t *four)
{
    uint8_t pair[6];
    uint32_t point = (uint32_t)(four[0] & 0x07) << 18 | (uint32_t)(four[1] & 0x3F) << 12 |
                     (uint32_t)(four[2] & 0x3F) << 6 | (uint32_t)(four[3] & 0x3F);
    ordinal_put(pair, 0xD800 + ((point - 0x10000) >> 10));
    ordinal_put(pair + 3, 0xDC00 + ((point - 0x10000) & 0x3FF));
    peer__buffer_append(out, pair, sizeof(pair));
}

void peer__ordinal_append(struct buffer *out, const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t from = 0;
    for (size_t at = 0; at < size; at++) {
        if (bytes[at] < 0xF0 || size - at < 4)
            continue;
        peer__buffer_append(out, bytes + from, at - from);
        ordinal_append_pair(out, bytes + at);
        from = at + 4;
        at += 3;
    }
    peer__buffer_append(out, bytes + from, size - from);
}

size_t peer__ordinal_from_utf16(struct span utf16, uint8_t *out, size_t room)
{
    size_t size = 0;
    for (size_t at = 0; at + 2 <= utf16.size && room - size >= 3; at += 2) {
        uint32_t unit = unit_get(utf16.data + at);
        if (unit == 0 && at + 2 == utf16.size)
            break;
        size += ordinal_put(out + size, unit);
    }
    return size;
}

void peer__ordinal_to_utf16(struct buffer *out, struct span ordinal)
{
    for (size_t at = 0; at < ordinal.size;) {
        const uint8_t *bytes = ordinal.data + at;
        size_t size = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : 3;
        if (size > ordinal.size - at)
            return;
        if (size == 1)
            unit_append(out, bytes[0]);
        else if (size == 2)
            unit_append(out, (uint32_t)(bytes[0] & 0x1F) << 6 | (bytes[1] & 0x3F));
        else
            unit_append(out, (uint32_t)(bytes[0] & 0x0F) << 12 | (uint32_t)(bytes[1] & 0x3F) << 6 | (bytes[2] & 0x3F));
        at += size;
    }
}
