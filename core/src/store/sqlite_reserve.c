/* The room that is kept for deletions and settings (decisions.md 1): a file that is removed when the disk is full. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite_internal.h"

#define PATH_SIZE (PATH_MAX + 32)

static void make_path(const struct sqlite_factory *factory, const char *name, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%s", factory->directory, name);
}

/* Takes the room for real: a file with holes would keep none. 0, or an error number. */
static int fill(const char *path)
{
    struct stat found;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (file < 0)
        return errno;
    int is_there = fstat(file, &found) == 0 && found.st_size >= STORE_RESERVE_SIZE;
    int error = is_there ? 0 : posix_fallocate(file, 0, STORE_RESERVE_SIZE);
    close(file);
    if (error != 0)
        unlink(path); /* what it has taken already may be just what others need */
    return error;
}

int peer__sqlite_keep_reserve(void *self)
{
    char path[PATH_SIZE];

    make_path(self, "reserve", path);
    return !peer__sqlite_is_full(fill(path)); /* where it cannot be made for other reasons, all goes on without it */
}

int peer__sqlite_give_reserve(void *self)
{
    char path[PATH_SIZE];

    make_path(self, "reserve", path);
    return unlink(path) == 0;
}

int peer__sqlite_has_room(void *self)
{
    char name[32];
    char path[PATH_SIZE];

    snprintf(name, sizeof(name), "reserve-%ld", (long)getpid());
    make_path(self, name, path);
    int error = fill(path);
    if (error == 0)
        unlink(path);
    return !peer__sqlite_is_full(error);
}
