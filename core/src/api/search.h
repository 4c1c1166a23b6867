/** A search that goes on after the call that began it: a worker finishes it, and whoever waits for items helps. */
#ifndef PEER_API_SEARCH_H
#define PEER_API_SEARCH_H

#include "api/handle.h"

struct search_result;

/** Brings the enumeration up to what was found. Locked by the driver. */
peer_status peer__search_take(struct search_result *result, struct api_enum *enumeration);
/** Goes on until so many were found, or all. Without the driver's lock. */
peer_status peer__search_wait(struct search_result *result, uint64_t count);
/** NULL is accepted. */
void peer__search_release(struct search_result *result);

#endif
