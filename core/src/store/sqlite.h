/** Stores in SQLite files, one per graph, peer and database name, in "<data directory>/graphs". */
#ifndef PEER_STORE_SQLITE_H
#define PEER_STORE_SQLITE_H

#include "base/store.h"

/**
 * Makes the directory where it is missing (0700). Stores may outlive their factory. From any thread; calls of one
 * store are serialised by its owner, the maintenance job excepted.
 * PEER_E_DATABASE_ACCESSDENIED, PEER_E_DISK_FULL, E_OUTOFMEMORY.
 */
peer_status peer__store_sqlite_factory(const char *data_directory, struct store_factory *factory_out);
/** Zeroes the factory; one that is already zero is fine. */
void peer__store_sqlite_factory_free(struct store_factory *factory);

#endif
