/**
 * Stores in memory. Databases live as long as their factory, so that closing without a commit and opening again is a
 * crash and a restart. Nothing depends on addresses or chance: the same calls give the same answers.
 */
#ifndef PEER_STORE_MEMORY_H
#define PEER_STORE_MEMORY_H

#include "base/store.h"

peer_status peer__store_memory_factory(struct store_factory *factory_out);
/** Every store must be closed. Zeroes the factory; one that is already zero is fine. */
void peer__store_memory_factory_free(struct store_factory *factory);

/** While `full` is 1, commits with something to write fail with PEER_E_DISK_FULL, as those of a full file system do, unless
 *  the reserve was given up and still has room. */
void peer__store_memory_set_full(struct store_factory *factory, int full);

#endif
