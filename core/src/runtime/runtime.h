/** The driver for life: one thread on libuv that owns sockets, timers and look-ups, and workers for slow jobs. */
#ifndef PEER_RUNTIME_RUNTIME_H
#define PEER_RUNTIME_RUNTIME_H

#include "base/driver.h"
#include "peergraph/peergraph.h"

/**
 * Starts a driver whose databases lie in `data_directory` (made if missing, mode 0700). E_ACCESSDENIED naming the path;
 * PEER_E_NOT_INITIALIZED when the process is exiting.
 */
peer_status peer__runtime_start(const char *data_directory, struct driver **driver_out);

/**
 * 1 when the process is exiting: every driver is stopped or being stopped, and a thread that takes a driver's lock may
 * never come back. Ask before locking; calls then give PEER_E_NOT_INITIALIZED.
 */
int peer__runtime_exiting(void);

/** Tests: how often the driver's thread has woken. */
uint64_t peer__runtime_iterations(struct driver *driver);

#endif
