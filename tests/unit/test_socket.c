/* What every connection's socket is told (decisions.md 7, 11). */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/socket.h"

static int get(int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);
    assert_int_equal(getsockopt(fd, level, option, &value, &size), 0);
    return value;
}

/* A dead machine is noticed within 100 s, whether there is something to send or not. */
static void a_dead_machine_is_noticed(void **state)
{
    (void)state;
    int fd = peer__socket_open(AF_INET6);
    assert_true(fd >= 0);
    peer__socket_configure(fd);
    assert_true(get(fd, SOL_SOCKET, SO_KEEPALIVE));
#if defined(TCP_KEEPIDLE) && defined(TCP_KEEPINTVL) && defined(TCP_KEEPCNT)
    assert_int_equal(get(fd, IPPROTO_TCP, TCP_KEEPIDLE) +
                         get(fd, IPPROTO_TCP, TCP_KEEPINTVL) * get(fd, IPPROTO_TCP, TCP_KEEPCNT),
                     100);
#endif
#ifdef TCP_USER_TIMEOUT
    assert_int_equal(get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 100000);
#endif
    close(fd);
}

static void live_changes_do_not_wait_behind_megabytes(void **state)
{
    (void)state;
    int fd = peer__socket_open(AF_INET6);
    assert_true(fd >= 0);
    peer__socket_configure(fd);
    assert_true(get(fd, IPPROTO_TCP, TCP_NODELAY));
#ifdef TCP_NOTSENT_LOWAT
    assert_int_equal(get(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 * 1024);
#endif
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_machine_is_noticed),
        cmocka_unit_test(live_changes_do_not_wait_behind_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
