/*
 * Preloaded into a victim: the process is killed, as by kill -9, in the middle of the n-th write to a file whose name ends
 * as DIE_SUFFIX says ("-wal": inside a commit; ".db": while the journal moves into the database). Half of what was to be
 * written is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long writes;

static int is_victim(int file)
{
    static char suffix[16];
    static long at;
    char link[64];
    char path[4096];
    if (at == 0) { /* once, before there are threads */
        at = atol(getenv("DIE_AT"));
        snprintf(suffix, sizeof(suffix), "%s", getenv("DIE_SUFFIX"));
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof(path));
    size_t wanted = strlen(suffix);
    return length > (ssize_t)wanted && memcmp(path + length - wanted, suffix, wanted) == 0 &&
           atomic_fetch_add(&writes, 1) + 1 == at;
}

static ssize_t write_at(const char *name, int file, const void *data, size_t size, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t);
    *(void **)&real = dlsym(RTLD_NEXT, name);
    if (!is_victim(file))
        return real(file, data, size, at);
    real(file, data, size / 2, at);
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    return write_at("pwrite", file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t at)
{
    return write_at("pwrite64", file, data, size, at);
}
