#include "runtime/exit.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"

#define EXIT_WAIT_S 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct list all = {&all, &all};
static int registered;
static atomic_int exiting;
static atomic_int forked;

#ifdef __APPLE__
#define WAIT_CLOCK CLOCK_REALTIME
#else
#define WAIT_CLOCK CLOCK_MONOTONIC
#endif

static int one_is_running(void)
{
    LIST_FOR (node, following, &all) {
        if (!CONTAINER_OF(node, struct live, list)->ended)
            return 1;
    }
    return 0;
}

static void wait_for_all_locked(void)
{
    struct timespec until;
    int error = 0;

    clock_gettime(WAIT_CLOCK, &until);
    until.tv_sec += EXIT_WAIT_S;
    while (error == 0 && one_is_running())
        error = pthread_cond_timedwait(&changed, &mutex, &until);
}

static void at_exit(void)
{
    struct list mine;

    if (atomic_load(&forked))
        return; /* the threads are the parent's */
    atomic_store(&exiting, 1);
    list_init(&mine);
    pthread_mutex_lock(&mutex);
    LIST_FOR (node, following, &all) {
        struct live *live = CONTAINER_OF(node, struct live, list);
        if (!live->claimed)
            live->request_stop(live);
    }
    /* Claimed by us only now: those that a call stops are waited for, and joined by that call. */
    wait_for_all_locked();
    LIST_FOR (node, following, &all) {
        struct live *live = CONTAINER_OF(node, struct live, list);
        if (live->claimed)
            continue;
        live->claimed = 1;
        if (live->ended)
            pthread_join(live->thread, NULL);
    }
    /* Their memory stays: another thread may be waiting for a lock of theirs, and will wait until the process is gone. */
    pthread_mutex_unlock(&mutex);
}

static void in_child(void)
{
    atomic_store(&forked, 1);
}

static void initialise(void)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, WAIT_CLOCK);
#endif
    pthread_cond_init(&changed, &attributes);
    pthread_condattr_destroy(&attributes);
    registered = pthread_atfork(NULL, NULL, in_child) == 0 && atexit(at_exit) == 0;
}

peer_status peer__live_add(struct live *live)
{
    peer_status status = PEER_OK;

    pthread_once(&once, initialise);
    if (!registered)
        return peer__out_of_memory();
    pthread_mutex_lock(&mutex);
    if (atomic_load(&exiting))
        status = peer__fail(PEER_E_NOT_INITIALIZED, "the process is exiting");
    else
        list_append(&all, &live->list);
    pthread_mutex_unlock(&mutex);
    return status;
}

int peer__live_claim(struct live *live)
{
    pthread_mutex_lock(&mutex);
    int claimed = !atomic_load(&exiting) && !live->claimed;
    if (claimed)
        live->claimed = 1;
    pthread_mutex_unlock(&mutex);
    return claimed;
}

void peer__live_ended(struct live *live)
{
    pthread_mutex_lock(&mutex);
    live->ended = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void peer__live_remove(struct live *live)
{
    pthread_mutex_lock(&mutex);
    list_remove(&live->list);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

int peer__runtime_exiting(void)
{
    return atomic_load(&exiting);
}
