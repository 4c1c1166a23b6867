/**
 * The lock of a runtime: first come, first served. With a plain mutex a busy driver let a caller in once in five seconds
 * (decisions.md 2), so ownership is handed to the one who has waited longest, and nobody can overtake.
 */
#ifndef PEER_RUNTIME_LOCK_H
#define PEER_RUNTIME_LOCK_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct lock_waiter;

struct lock {
    pthread_mutex_t mutex; /* guards what follows; held for a few instructions only */
    int held;
    struct lock_waiter *first;
    struct lock_waiter *last;
    size_t waiting;
    int64_t longest_wait_us;
};

int peer__lock_init(struct lock *lock); /* 0, or -1 */
void peer__lock_destroy(struct lock *lock);
void peer__lock_take(struct lock *lock);
/** Hands over to whoever waits longest. */
void peer__lock_release(struct lock *lock);
size_t peer__lock_waiting(struct lock *lock);
/** Longest wait for the lock since the last call. */
int64_t peer__lock_longest_wait_us(struct lock *lock);

#endif
