/* Preloaded: while the file that FAIL_WRITE names exists, writes to alice's journals fail with the errno that stands in it,
 * after half of what was to be written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_journal(int file)
{
    char link[64];
    char path[4096];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    return length > 4 && memcmp(path + length - 4, "-wal", 4) == 0 && strstr(path, "/alice/") != NULL;
}

static int wanted_error(void)
{
    int error = 0;
    FILE *wanted = fopen(getenv("FAIL_WRITE"), "r");
    if (wanted == NULL)
        return 0;
    if (fscanf(wanted, "%d", &error) != 1)
        error = 0; /* it is just being written */
    fclose(wanted);
    return error;
}

static ssize_t write_at(const char *name, int file, const void *data, size_t size, off_t at)
{
    ssize_t (*real)(int, const void *, size_t, off_t);
    int error = is_journal(file) ? wanted_error() : 0;
    *(void **)&real = dlsym(RTLD_NEXT, name);
    if (error == 0)
        return real(file, data, size, at);
    real(file, data, size / 2, at);
    errno = error;
    return -1;
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at)
{
    return write_at("pwrite", file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off_t at)
{
    return write_at("pwrite64", file, data, size, at);
}
