/** Wire times are unsigned ticks of 100 ns since 1601; the API's are signed microseconds since 1970. Both saturate. */
#ifndef PEER_BASE_TIME_H
#define PEER_BASE_TIME_H

#include <stdint.h>

#define TICKS_PER_US UINT64_C(10)
#define TICKS_PER_SECOND UINT64_C(10000000)
/** 1970-01-01 in ticks since 1601-01-01. */
#define TICKS_AT_1970 UINT64_C(116444736000000000)

/** Times before 1601 become 0. */
uint64_t peer__ticks_from_us(int64_t time_us);
/** Rounds down; times that int64 microseconds cannot hold do not exist (2^64 ticks is the year 60056). */
int64_t peer__us_from_ticks(uint64_t ticks);
/** `ticks + delta`, held within 0 and 2^64-1. */
uint64_t peer__ticks_add(uint64_t ticks, int64_t delta);

#define TIME_TEXT_SIZE 96
/** A moment for people, "2026-11-21 10:30:00.123456 UTC". */
const char *peer__time_text(int64_t time_us, char text[TIME_TEXT_SIZE]);

#endif
