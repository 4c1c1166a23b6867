#include "runtime/thread.h"

#include <signal.h>
#include <time.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/memory.h"

struct start {
    void *(*run)(void *context);
    void *context;
};

static void *run_named(void *argument)
{
    struct start start = *(struct start *)argument;

    peer__free(argument);
#if defined(__linux__)
    prctl(PR_SET_NAME, "peergraph");
#elif defined(__APPLE__)
    pthread_setname_np("peergraph");
#endif
    return start.run(start.context);
}

int peer__thread_start(pthread_t *thread_out, void *(*run)(void *context), void *context)
{
    struct start *start = peer__malloc(sizeof(*start));
    sigset_t all;
    sigset_t before;

    if (start == NULL)
        return -1;
    *start = (struct start){run, context};
    /* A new thread inherits the mask: it is deaf from its first instruction on. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread_out, NULL, run_named, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        peer__free(start);
    return failed;
}

static int64_t read_clock(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t peer__monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t peer__elapsed_us(void)
{
#ifdef CLOCK_BOOTTIME
    return read_clock(CLOCK_BOOTTIME);
#else
    return read_clock(CLOCK_MONOTONIC); /* where there is no other clock, this one counts sleep too */
#endif
}

int64_t peer__utc_us(void)
{
    return read_clock(CLOCK_REALTIME);
}
