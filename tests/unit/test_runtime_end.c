#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* RTLD_NEXT */
#endif
/*
 * The end of a runtime while the thread that asks for it is held up. This program has a uv_async_send and a uv_close of
 * its own, which the library under test finds before libuv's.
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <uv.h>

#include "runtime/runtime.h"
#include "unit/check.h"
#include "unit/directory.h"

/* Long enough for a loop with nothing to do to end. */
#define HELD_UP_MS 300

/* ---- what stands between the library and libuv */

static pthread_t held_up; /* who is to be */
static atomic_int is_armed;
static atomic_int was_held_up;
static _Atomic(uv_async_t *) being_sent;
static atomic_int closed_too_early;

int uv_async_send(uv_async_t *async)
{
    int (*real)(uv_async_t *);

    *(void **)&real = dlsym(RTLD_NEXT, "uv_async_send");
    if (!atomic_load(&is_armed) || !pthread_equal(pthread_self(), held_up))
        return real(async);
    atomic_store(&is_armed, 0);
    atomic_store(&was_held_up, 1);
    atomic_store(&being_sent, async);
    real(async); /* something else wakes the loop */
    poll(NULL, 0, HELD_UP_MS);
    atomic_store(&being_sent, NULL);
    return atomic_load(&closed_too_early) ? 0 : real(async);
}

void uv_close(uv_handle_t *handle, uv_close_cb closed)
{
    void (*real)(uv_handle_t *, uv_close_cb);

    *(void **)&real = dlsym(RTLD_NEXT, "uv_close");
    if (handle == (uv_handle_t *)atomic_load(&being_sent))
        atomic_store(&closed_too_early, 1);
    real(handle, closed);
}

static void the_loop_is_there_until_it_was_told_to_stop(void **state)
{
    struct driver *driver;

    (void)state;
    assert_int_equal(peer__runtime_start(directory, &driver), PEER_OK);
    held_up = pthread_self();
    atomic_store(&is_armed, 1);
    driver->stop(driver, 0);
    assert_true(atomic_load(&was_held_up));
    assert_false(atomic_load(&closed_too_early));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loop_is_there_until_it_was_told_to_stop),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
