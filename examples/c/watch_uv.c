/* A graph in a program that runs a libuv loop: lines from a terminal or a pipe become records, Ctrl-C ends. */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct program {
    struct watch watch;
    uv_poll_t events;
    uv_signal_t interrupt;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tty_t terminal;
        uv_pipe_t pipe;
    } input;
};

static void must(int result)
{
    if (result < 0) {
        fprintf(stderr, "%s\n", uv_strerror(result));
        exit(1);
    }
}

static void allocate(uv_handle_t *handle, size_t size, uv_buf_t *buffer)
{
    static char bytes[4096]; /* one read at a time */

    (void)handle, (void)size;
    *buffer = uv_buf_init(bytes, sizeof bytes);
}

static void on_input(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct program *program = stream->data;

    if (size < 0)
        uv_close((uv_handle_t *)stream, NULL); /* its end */
    else
        watch_add_lines(&program->watch, buffer->base, (size_t)size);
}

/* Records can be added as soon as everything is here. */
static void read_if_synchronized(struct program *program)
{
    uv_handle_t *input = &program->input.handle;

    if (program->watch.synchronized && !uv_is_active(input) && !uv_is_closing(input))
        must(uv_read_start(&program->input.stream, allocate, on_input));
}

static void on_events(uv_poll_t *poll, int status, int events)
{
    struct program *program = poll->data;

    (void)status, (void)events;
    if (watch_print_events(&program->watch))
        read_if_synchronized(program);
    else
        uv_stop(poll->loop);
}

static void on_interrupt(uv_signal_t *interrupt, int number)
{
    (void)number;
    uv_stop(interrupt->loop);
}

static void open_input(struct program *program, uv_loop_t *loop)
{
    if (uv_guess_handle(0) == UV_TTY) {
        must(uv_tty_init(loop, &program->input.terminal, 0, 1));
    } else {
        must(uv_pipe_init(loop, &program->input.pipe, 0));
        must(uv_pipe_open(&program->input.pipe, 0));
    }
    program->input.handle.data = program;
}

static void close_if_open(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

int main(int argc, char **argv)
{
    static struct program program;
    uv_loop_t *loop = uv_default_loop();

    watch_open(&program.watch, argc, argv);
    must(uv_poll_init(loop, &program.events, program.watch.descriptor));
    program.events.data = &program;
    must(uv_poll_start(&program.events, UV_READABLE, on_events));
    must(uv_signal_init(loop, &program.interrupt));
    must(uv_signal_start(&program.interrupt, on_interrupt, SIGINT));
    open_input(&program, loop);
    read_if_synchronized(&program);

    uv_run(loop, UV_RUN_DEFAULT);

    uv_walk(loop, close_if_open, NULL); /* before the descriptor of the events goes */
    uv_run(loop, UV_RUN_DEFAULT);
    watch_close(&program.watch);
    return uv_loop_close(loop) == 0 ? 0 : 1;
}
