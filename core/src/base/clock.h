/** Interface: time. The runtime reads the system's clocks, the simulator its own. */
#ifndef PEER_BASE_CLOCK_H
#define PEER_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    /** Microseconds since 1970 UTC; may be stepped. */
    int64_t (*utc_us)(void *self);
    /** Microseconds since some moment; never goes back. Timers count in it. */
    int64_t (*monotonic_us)(void *self);
    /** The same, but it goes on while the machine sleeps: UTC less this changes only when the clock is stepped. */
    int64_t (*elapsed_us)(void *self);
    void *self;
};

#endif
