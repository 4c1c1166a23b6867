#include "base/time.h"

#include <stdio.h>
#include <time.h>

uint64_t peer__ticks_from_us(int64_t time_us)
{
    const int64_t start_us = -(int64_t)(TICKS_AT_1970 / TICKS_PER_US);
    if (time_us <= start_us)
        return 0;
    uint64_t since_1601_us = (uint64_t)time_us - (uint64_t)start_us;
    return since_1601_us > UINT64_MAX / TICKS_PER_US ? UINT64_MAX : since_1601_us * TICKS_PER_US;
}

int64_t peer__us_from_ticks(uint64_t ticks)
{
    return (int64_t)(ticks / TICKS_PER_US) - (int64_t)(TICKS_AT_1970 / TICKS_PER_US);
}

uint64_t peer__ticks_add(uint64_t ticks, int64_t delta)
{
    if (delta < 0) {
        uint64_t less = (uint64_t)0 - (uint64_t)delta;
        return ticks < less ? 0 : ticks - less;
    }
    return ticks > UINT64_MAX - (uint64_t)delta ? UINT64_MAX : ticks + (uint64_t)delta;
}

const char *peer__time_text(int64_t time_us, char text[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(time_us / 1000000);
    int rest_us = (int)(time_us % 1000000);
    if (rest_us < 0) {
        rest_us += 1000000;
        seconds--;
    }
    struct tm date;
    if (gmtime_r(&seconds, &date) == NULL) {
        snprintf(text, TIME_TEXT_SIZE, "%lld us", (long long)time_us);
        return text;
    }
    snprintf(text, TIME_TEXT_SIZE, "%04d-%02d-%02d %02d:%02d:%02d.%06d UTC", date.tm_year + 1900, date.tm_mon + 1,
             date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec, rest_us);
    return text;
}
