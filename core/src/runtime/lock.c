#include "runtime/lock.h"

#include "runtime/thread.h"

/* Lives on the stack of the thread that waits. */
struct lock_waiter {
    pthread_cond_t granted_condition;
    int granted;
    struct lock_waiter *next;
};

int peer__lock_init(struct lock *lock)
{
    *lock = (struct lock){0};
    return pthread_mutex_init(&lock->mutex, NULL) == 0 ? 0 : -1;
}

void peer__lock_destroy(struct lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

static void wait_for_turn(struct lock *lock)
{
    struct lock_waiter self = {.granted = 0, .next = NULL};
    int64_t since_us = peer__monotonic_us();

    pthread_cond_init(&self.granted_condition, NULL);
    if (lock->last != NULL)
        lock->last->next = &self;
    else
        lock->first = &self;
    lock->last = &self;
    lock->waiting++;
    while (!self.granted)
        pthread_cond_wait(&self.granted_condition, &lock->mutex);
    pthread_cond_destroy(&self.granted_condition);

    int64_t waited_us = peer__monotonic_us() - since_us;
    if (waited_us > lock->longest_wait_us)
        lock->longest_wait_us = waited_us;
}

void peer__lock_take(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    if (lock->held)
        wait_for_turn(lock); /* `held` stays set: it was handed over */
    else
        lock->held = 1;
    pthread_mutex_unlock(&lock->mutex);
}

void peer__lock_release(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    struct lock_waiter *next = lock->first;
    if (next != NULL) {
        lock->first = next->next;
        if (lock->first == NULL)
            lock->last = NULL;
        lock->waiting--;
        next->granted = 1;
        /* Under the mutex: the waiter's stack may be gone as soon as it is released. */
        pthread_cond_signal(&next->granted_condition);
    } else {
        lock->held = 0;
    }
    pthread_mutex_unlock(&lock->mutex);
}

size_t peer__lock_waiting(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    size_t waiting = lock->waiting;
    pthread_mutex_unlock(&lock->mutex);
    return waiting;
}

int64_t peer__lock_longest_wait_us(struct lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    int64_t longest_us = lock->longest_wait_us;
    lock->longest_wait_us = 0;
    pthread_mutex_unlock(&lock->mutex);
    return longest_us;
}
