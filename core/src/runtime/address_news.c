/* How a change of the machine's addresses is noticed: the kernel's own notices, on a socket that the loop watches. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#endif

#include "runtime/socket.h"

#ifdef __linux__
static int open_notices(void)
{
    struct sockaddr_nl name = {.nl_family = AF_NETLINK,
                               .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}
#elif defined(PF_ROUTE)
static int open_notices(void)
{
    int fd = socket(PF_ROUTE, SOCK_RAW, 0);

    if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}
#else
static int open_notices(void)
{
    errno = EAFNOSUPPORT;
    return -1;
}
#endif

int peer__address_news_open(void)
{
    return open_notices();
}

/* What a notice says is of no account: whoever asks reads the list anew. One that was lost (ENOBUFS) is a notice too. */
void peer__address_news_read(int fd)
{
    char notice[4096];

    while (recv(fd, notice, sizeof(notice), 0) > 0 || errno == EINTR || errno == ENOBUFS)
        ;
}
