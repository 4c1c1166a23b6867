#include "xml/value.h"

#include <stddef.h>
#include <string.h>

#include "base/error.h"

#define US_PER_SECOND INT64_C(1000000)
#define SECONDS_PER_DAY 86400
/* 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z in microseconds since 1970. */
#define YEAR_1_US INT64_C(-62135596800000000)
#define YEAR_10000_US INT64_C(253402300800000000)

int peer__is_xml_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_space(const char *at)
{
    while (peer__is_xml_space(*at))
        at++;
    return at;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- int ----------------------------------------------------------------------------------------------------------- */

const char *peer__int_fault(const char *text)
{
    const char *first = skip_space(text);
    const char *at = first;
    while (is_digit(*at))
        at++;
    return at != first && *skip_space(at) == '\0' ? NULL : "may hold digits only";
}

const char *peer__int_read(const char *text, int64_t *value_out)
{
    const char *fault = peer__int_fault(text);
    if (fault != NULL)
        return fault;
    int64_t value = 0;
    for (const char *at = skip_space(text); is_digit(*at); at++) {
        int digit = *at - '0';
        if (value > (INT64_MAX - digit) / 10)
            return "is larger than 9223372036854775807";
        value = value * 10 + digit;
    }
    *value_out = value;
    return NULL;
}

peer_status peer__int_parse(const char *text, int64_t *value_out)
{
    const char *fault = peer__int_read(text, value_out);
    if (fault == NULL)
        return PEER_OK;
    return peer__fail(PEER_E_INVALID_ATTRIBUTES, "int \"%s\" %s", peer__quote(text).text, fault);
}

/* --- date: W3C NOTE-datetime ----------------------------------------------------------------------------------------- */

struct date {
    int year, month, day;
    int hour, minute, second, microsecond;
    int offset; /* minutes east of UTC */
};

static const char not_a_form[] =
    "is none of YYYY, YYYY-MM, YYYY-MM-DD, YYYY-MM-DDThh:mm[:ss[.s]] with Z or +hh:mm or -hh:mm";

/* Takes exactly `count` digits. 0, or -1 and nothing moves. */
static int take_digits(const char **at, int count, int *number_out)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (!is_digit((*at)[i]))
            return -1;
        number = number * 10 + ((*at)[i] - '0');
    }
    *at += count;
    *number_out = number;
    return 0;
}

static int take(const char **at, char c)
{
    if (**at != c)
        return 0;
    (*at)++;
    return 1;
}

static int is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 1970-01-01, in the Gregorian calendar before 1582 too. Counts years from March, so that the leap day ends one. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* The digits after the point: one or more, of which six are kept. */
static int take_fraction(const char **at, int *microsecond_out)
{
    if (!is_digit(**at))
        return -1;
    int scale = 100000;
    int microsecond = 0;
    for (; is_digit(**at); (*at)++) {
        microsecond += (**at - '0') * scale;
        scale /= 10;
    }
    *microsecond_out = microsecond;
    return 0;
}

/* "Z", "+hh:mm", "-hh:mm": required after a time. */
static const char *take_zone(const char **at, int *offset_out)
{
    int hour;
    int minute;
    if (take(at, 'Z'))
        return NULL;
    int sign = **at == '-' ? -1 : 1;
    if (!take(at, '+') && !take(at, '-'))
        return not_a_form;
    if (take_digits(at, 2, &hour) != 0 || !take(at, ':') || take_digits(at, 2, &minute) != 0)
        return not_a_form;
    if (hour > 23 || minute > 59)
        return "has an offset beyond 23:59";
    *offset_out = sign * (hour * 60 + minute);
    return NULL;
}

static const char *take_time(const char **at, struct date *date)
{
    if (take_digits(at, 2, &date->hour) != 0 || !take(at, ':') || take_digits(at, 2, &date->minute) != 0)
        return not_a_form;
    if (take(at, ':')) {
        if (take_digits(at, 2, &date->second) != 0)
            return not_a_form;
        if (take(at, '.') && take_fraction(at, &date->microsecond) != 0)
            return not_a_form;
    }
    if (date->hour > 23 || date->minute > 59 || date->second > 59)
        return "has a time beyond 23:59:59";
    return take_zone(at, &date->offset);
}

static const char *take_date(const char **at, struct date *date)
{
    if (take_digits(at, 4, &date->year) != 0)
        return not_a_form;
    if (date->year == 0)
        return "has the year 0";
    if (!take(at, '-'))
        return NULL;
    if (take_digits(at, 2, &date->month) != 0)
        return not_a_form;
    if (date->month < 1 || date->month > 12)
        return "has a month that does not exist";
    if (!take(at, '-'))
        return NULL;
    if (take_digits(at, 2, &date->day) != 0)
        return not_a_form;
    if (date->day < 1 || date->day > days_of_month(date->year, date->month))
        return "has a day that the month does not have";
    return take(at, 'T') ? take_time(at, date) : NULL;
}

const char *peer__date_read(const char *text, int64_t *time_utc_us_out)
{
    struct date date = {.month = 1, .day = 1};
    const char *at = skip_space(text);
    const char *fault = take_date(&at, &date);
    if (fault != NULL)
        return fault;
    if (*skip_space(at) != '\0')
        return not_a_form;
    int64_t minutes =
        days_from_civil(date.year, date.month, date.day) * 1440 + date.hour * 60 + date.minute - date.offset;
    *time_utc_us_out = (minutes * 60 + date.second) * US_PER_SECOND + date.microsecond;
    return NULL;
}

peer_status peer__date_parse(const char *text, int64_t *time_utc_us_out)
{
    const char *fault = peer__date_read(text, time_utc_us_out);
    if (fault == NULL)
        return PEER_OK;
    return peer__fail(PEER_E_INVALID_ATTRIBUTES, "date \"%s\" %s", peer__quote(text).text, fault);
}

/* The reverse of days_from_civil. */
static void civil_from_days(int64_t days, struct date *date)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0: March */
    date->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    date->month = (int)(month < 10 ? month + 3 : month - 9);
    date->year = (int)(year_of_era + era * 400 + (date->month <= 2));
}

static char *put(char *at, int number, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
    at[digits] = after;
    return at + digits + 1;
}

const char *peer__date_write(int64_t time_utc_us, char text[DATE_TEXT_SIZE])
{
    if (time_utc_us < YEAR_1_US || time_utc_us >= YEAR_10000_US)
        return "is not within the years 1 to 9999";

    /* Counted from the year 1, so that the divisions below round towards the past. */
    int64_t seconds = (time_utc_us - YEAR_1_US) / US_PER_SECOND;
    int second_of_day = (int)(seconds % SECONDS_PER_DAY);
    struct date date;
    civil_from_days(seconds / SECONDS_PER_DAY + YEAR_1_US / US_PER_SECOND / SECONDS_PER_DAY, &date);

    char *at = put(text, date.year, 4, '-');
    at = put(at, date.month, 2, '-');
    at = put(at, date.day, 2, 'T');
    at = put(at, second_of_day / 3600, 2, ':');
    at = put(at, second_of_day / 60 % 60, 2, ':');
    at = put(at, second_of_day % 60, 2, '.');
    at = put(at, (int)((time_utc_us - YEAR_1_US) % US_PER_SECOND), 6, 'Z');
    *at = '\0';
    return NULL;
}

/* --- error lines ----------------------------------------------------------------------------------------------------- */

struct quote peer__quote(const char *text)
{
    static const char more[] = "\xe2\x80\xa6";
    struct quote quote;
    size_t size = 0;
    while (size < sizeof(quote.text) && text[size] != '\0')
        size++;
    int is_cut = size == sizeof(quote.text);
    if (is_cut) {
        size -= sizeof(more);
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) /* not within a character */
            size--;
    }
    memcpy(quote.text, text, size);
    memcpy(quote.text + size, is_cut ? more : "", is_cut ? sizeof(more) : 1);
    return quote;
}
