/** Threads of ours: named, deaf to signals; and the clock that they wait by. */
#ifndef PEER_RUNTIME_THREAD_H
#define PEER_RUNTIME_THREAD_H

#include <pthread.h>
#include <stdint.h>

/** Starts a thread named "peergraph" that has every signal blocked. 0, or an error number. */
int peer__thread_start(pthread_t *thread_out, void *(*run)(void *context), void *context);

/** The clock of all timers. */
int64_t peer__monotonic_us(void);
/** The same, and it goes on while the machine sleeps. */
int64_t peer__elapsed_us(void);
int64_t peer__utc_us(void);

#endif
