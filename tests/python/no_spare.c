/*
 * Preloaded: while the file that NO_SPARE names exists, /dev/null cannot be opened. It stands for another thread that
 * snatches a descriptor in the moment in which the library has given one up.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_with(const char *name, const char *path, int flags, mode_t mode)
{
    int (*real)(const char *, int, ...);
    if (strcmp(path, "/dev/null") == 0 && access(getenv("NO_SPARE"), F_OK) == 0) {
        errno = EMFILE;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, name);
    return real(path, flags, mode);
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;                            \
        va_end(arguments);                                                                                             \
        return open_with(#name, path, flags, mode);                                                                    \
    }

OPEN(open)
OPEN(open64)
