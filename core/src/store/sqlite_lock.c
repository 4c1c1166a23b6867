/* Who has a database open. The unix-excl VFS of SQLite write-locks one range of the file for the life of a connection,
 * which keeps other processes out; POSIX locks do not count within one process, so there a list does. POSIX locks also
 * vanish when the process closes any descriptor of the file: therefore a file is opened here only while it is reserved
 * and SQLite has it closed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

/* The range that SQLite's file format sets aside for shared locks (its "lock-byte page"). */
#define LOCK_START 0x40000002
#define LOCK_SIZE 510

static pthread_mutex_t open_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct list open_databases = {&open_databases, &open_databases};

int peer__sqlite_reserve(struct open_database *database, const char *path)
{
    int is_free = 1;

    pthread_mutex_lock(&open_mutex);
    LIST_FOR (node, following, &open_databases) {
        if (strcmp(CONTAINER_OF(node, struct open_database, node)->path, path) == 0)
            is_free = 0;
    }
    if (is_free) {
        database->path = path;
        list_append(&open_databases, &database->node);
    }
    pthread_mutex_unlock(&open_mutex);
    return is_free;
}

void peer__sqlite_release(struct open_database *database)
{
    pthread_mutex_lock(&open_mutex);
    list_remove(&database->node);
    pthread_mutex_unlock(&open_mutex);
}

static struct flock whole_lock(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_START, .l_len = LOCK_SIZE};
}

int64_t peer__sqlite_holder(const char *path)
{
    struct flock lock = whole_lock();
    int64_t process = 0;
    int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (file < 0)
        return 0;
    /* From another PID namespace the number means nothing and is 0 or less. */
    if (fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
        process = lock.l_pid;
    close(file);
    return process;
}

int peer__sqlite_lock_file(int file)
{
    struct flock lock = whole_lock();

    if (fcntl(file, F_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? EAGAIN : errno;
}

peer_status peer__sqlite_in_use(const char *label, const char *path, int64_t process)
{
    if (label == NULL)
        return peer__fail(PEER_E_DATABASE_IN_USE, "\"%s\" is in use", path);
    if (process == 0)
        return peer__fail(PEER_E_DATABASE_IN_USE, "\"%s\" is open in another process (%s)", label, path);
    if (process == getpid())
        return peer__fail(PEER_E_DATABASE_IN_USE, "\"%s\" is open in this process already (%s)", label, path);
    return peer__fail(PEER_E_DATABASE_IN_USE, "\"%s\" is open in process %" PRId64 " (%s)", label, process, path);
}
