/** Interface: what drives an engine: the libuv thread of runtime/ or the virtual network of sim/. The API knows only this. */
#ifndef PEER_BASE_DRIVER_H
#define PEER_BASE_DRIVER_H

#include <stdint.h>

#include "peergraph/peergraph.h"

struct engine;

struct driver {
    struct engine *engine;
    /** First come, first served (decisions.md 2). Not recursive. */
    void (*lock)(struct driver *driver);
    /** Also sees to it that what a call left in the engine is carried on: output flushed, an earlier deadline kept. */
    void (*unlock)(struct driver *driver);
    /** Orderly end, without the lock: goodbyes flushed for at most `linger_ms`, threads joined, memory freed. */
    void (*stop)(struct driver *driver, uint32_t linger_ms);
    /** Longest time in microseconds that a caller waited for the lock since the last call of this function. */
    int64_t (*longest_wait_us)(struct driver *driver);
    /**
     * A driver in virtual time lets it pass, without the lock, until `until` says so, for `timeout_ms`, or if that is -1
     * for as long as it has patience. NULL: time passes by itself.
     */
    peer_status (*pass_time)(struct driver *driver, int (*until)(void *context), void *context, int32_t timeout_ms);
};

#endif
