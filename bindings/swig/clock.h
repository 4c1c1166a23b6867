/** The two clocks that Lua lacks: its own have whole seconds only, or count the processor's time. */
#ifndef PEER_SWIG_CLOCK_H
#define PEER_SWIG_CLOCK_H

#include <stdint.h>

/** This machine's clock, in microseconds since 1970-01-01 UTC. */
int64_t peer__lua_utc_us(void);

/** Microseconds that never go backwards, from an unknown start. */
int64_t peer__lua_monotonic_us(void);

#endif
