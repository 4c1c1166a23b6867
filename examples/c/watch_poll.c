/* A graph in a program that waits with poll(): lines from standard input become records, Ctrl-C ends. */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A signal can come at any moment, but poll() notices only descriptors: so the handler writes into a pipe. */
static int interrupts[2];

static void on_interrupt(int number)
{
    int before = errno;

    (void)number;
    if (write(interrupts[1], "", 1) < 0) {
        /* the pipe is full: poll() has enough to notice */
    }
    errno = before;
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    if (pipe(interrupts) < 0) {
        perror("pipe");
        exit(1);
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Gives 0 at the end of the input. */
static int read_lines(struct watch *watch)
{
    char bytes[4096];
    ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);

    if (size > 0)
        watch_add_lines(watch, bytes, (size_t)size);
    return size > 0;
}

int main(int argc, char **argv)
{
    enum { EVENTS, INPUT, INTERRUPT, COUNT };
    struct pollfd wait[COUNT] = {{0}};
    struct watch watch;
    int goes_on = 1, reads = 1;

    catch_interrupts();
    watch_open(&watch, argc, argv);
    wait[EVENTS] = (struct pollfd){.fd = watch.descriptor, .events = POLLIN};
    wait[INTERRUPT] = (struct pollfd){.fd = interrupts[0], .events = POLLIN};
    while (goes_on) {
        wait[INPUT] = (struct pollfd){.fd = reads && watch.synchronized ? STDIN_FILENO : -1, .events = POLLIN};
        if (poll(wait, COUNT, -1) < 0)
            continue; /* EINTR: the pipe has it now */
        if (wait[EVENTS].revents)
            goes_on = watch_print_events(&watch);
        if (wait[INPUT].revents)
            reads = read_lines(&watch);
        if (wait[INTERRUPT].revents)
            goes_on = 0;
    }
    watch_close(&watch);
    return 0;
}
