/** The driver for life: one thread on libuv that owns sockets, timers and look-ups, and a worker for slow jobs. */
#ifndef PEER_RUNTIME_RUNTIME_H
#define PEER_RUNTIME_RUNTIME_H

#include "base/driver.h"
#include "peergraph/peergraph.h"

/** Starts a driver whose databases lie in `data_directory` (made if missing, mode 0700). E_ACCESSDENIED. */
peer_status peer__runtime_start(const char *data_directory, struct driver **driver_out);

#endif
