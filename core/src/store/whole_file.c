#include "store/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#define PART ".part"
/* A part that another writer has just published is no longer there: it is made anew. */
#define TRIES 8

/* -------------------------------------------------------------------------------------------------------------- errors */

static peer_status status_of(int error)
{
    switch (error) {
    case ENOENT:
        return PEER_E_FILE_NOT_FOUND;
    case ENOTDIR:
        return PEER_E_PATH_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return PEER_E_DISK_FULL;
    case EWOULDBLOCK:
    case ETXTBSY:
        return PEER_E_SHARING_VIOLATION;
    case ENAMETOOLONG:
        return E_INVALIDARG;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return E_OUTOFMEMORY;
    case EIO:
        return PEER_E_INTERNAL;
    default:
        return E_ACCESSDENIED;
    }
}

static peer_status failed(int error, const char *what, const char *path)
{
    char text[128];
    if (strerror_r(error, text, sizeof(text)) != 0)
        strcpy(text, "unknown error");
    return peer__fail(status_of(error), "\"%s\" cannot be %s: %s", path, what, text);
}

/* The folder of a path, as a descriptor; -1 and errno. */
static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = peer__malloc(length + 2);
    if (folder == NULL) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(folder, length > 0 ? path : ".", length > 0 ? length : 1);
    folder[length > 0 ? length : 1] = '\0';
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    peer__free(folder);
    errno = error;
    return descriptor;
}

/* "No such file" of a file, or of the folder that it would be in. */
static peer_status open_failed(int error, const char *path)
{
    if (error != ENOENT)
        return failed(error, "opened", path);
    int folder = open_folder(path);
    if (folder < 0 && errno == ENOENT)
        return peer__fail(PEER_E_PATH_NOT_FOUND, "\"%s\" cannot be opened: its folder does not exist", path);
    if (folder >= 0)
        close(folder);
    return failed(error, "opened", path);
}

/* -------------------------------------------------------------------------------------------------------------- writing */

/*
 * How much of the path the name of the part begins with. A name that has no room for the ending gives up its last
 * characters, one more than the ending needs, so that the part never has the name of the file itself.
 */
static size_t stem_size(const char *path)
{
    size_t size = strlen(path);
    const char *slash = strrchr(path, '/');
    size_t name = slash == NULL ? size : size - (size_t)(slash + 1 - path);
    if (name > NAME_MAX || name + strlen(PART) <= NAME_MAX)
        return size;
    size -= strlen(PART) + 1;
    while (size > 0 && ((unsigned char)path[size] & 0xC0) == 0x80) /* in the middle of a character */
        size--;
    return size;
}

static int name_file(const char *path, struct whole_file *file)
{
    size_t stem = stem_size(path);
    size_t size = stem + sizeof(PART);
    *file = (struct whole_file){.file = -1, .path = peer__strdup(path), .part = peer__malloc(size)};
    if (file->path == NULL || file->part == NULL)
        return -1;
    snprintf(file->part, size, "%.*s" PART, (int)stem, path);
    return 0;
}

/* Only a file may be replaced: not a device, and not a folder. */
static peer_status check_place(const char *path)
{
    struct stat found;
    if (lstat(path, &found) != 0)
        return PEER_OK; /* whatever is wrong shows when the file beside it is made */
    if (!S_ISREG(found.st_mode) && !S_ISLNK(found.st_mode))
        return peer__fail(E_ACCESSDENIED, "\"%s\" is not a file", path);
    return PEER_OK;
}

/* 0: what is open is what the path leads to. */
static int compare_identity(int file, const char *path)
{
    struct stat opened;
    struct stat named;
    return fstat(file, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino &&
                   opened.st_dev == named.st_dev && S_ISREG(opened.st_mode)
               ? 0
               : -1;
}

static peer_status open_part(struct whole_file *file)
{
    for (int tries = 0; tries < TRIES; tries++) {
        int descriptor = open(file->part, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (descriptor < 0)
            return open_failed(errno, errno == ENOENT ? file->path : file->part);
        if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
            int error = errno;
            close(descriptor);
            return failed(error, "written, somebody else does", file->part);
        }
        if (compare_identity(descriptor, file->part) == 0) {
            file->file = descriptor;
            return PEER_OK;
        }
        close(descriptor);
    }
    return peer__fail(PEER_E_SHARING_VIOLATION, "\"%s\" cannot be written: it is no file, or others write it",
                      file->part);
}

peer_status peer__whole_file_create(const char *path, struct whole_file *file_out)
{
    if (name_file(path, file_out) != 0) {
        peer__whole_file_close(file_out);
        return peer__out_of_memory();
    }
    peer_status status = check_place(path);
    if (status >= 0)
        status = open_part(file_out);
    if (status >= 0 && ftruncate(file_out->file, 0) != 0)
        status = failed(errno, "written", file_out->part);
    if (status < 0)
        peer__whole_file_close(file_out);
    return status;
}

peer_status peer__whole_file_write(struct whole_file *file, struct span bytes)
{
    while (bytes.size > 0) {
        ssize_t written = pwrite(file->file, bytes.data, bytes.size, (off_t)file->size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return failed(written < 0 ? errno : ENOSPC, "written", file->path);
        file->size += (size_t)written;
        bytes.data += written;
        bytes.size -= (size_t)written;
    }
    return PEER_OK;
}

/* The folder is opened before, so that only the disk itself can fail once the file is in its place. */
static peer_status move_to_place(struct whole_file *file)
{
    int folder = open_folder(file->path);
    if (folder < 0)
        return failed(errno, "replaced", file->path);
    peer_status status = PEER_OK;
    if (rename(file->part, file->path) != 0) {
        status = failed(errno, "replaced", file->path);
    } else {
        peer__free(file->part);
        file->part = NULL;
        if (fsync(folder) != 0 && errno != EINVAL) /* some file systems have no such thing */
            status = failed(errno, "brought to the disk", file->path);
    }
    close(folder);
    return status;
}

peer_status peer__whole_file_publish(struct whole_file *file)
{
    peer_status status = PEER_OK;
    if (fsync(file->file) != 0)
        status = failed(errno, "written", file->path);
    if (status >= 0)
        status = check_place(file->path);
    if (status >= 0)
        status = move_to_place(file);
    peer__whole_file_close(file);
    return status;
}

/* -------------------------------------------------------------------------------------------------------------- reading */

peer_status peer__whole_file_open(const char *path, struct whole_file *file_out)
{
    struct stat found;
    *file_out = (struct whole_file){.file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file_out->file < 0)
        return open_failed(errno, path);
    if (fstat(file_out->file, &found) != 0 || !S_ISREG(found.st_mode)) {
        peer__whole_file_close(file_out);
        return peer__fail(E_ACCESSDENIED, "\"%s\" is not a file", path);
    }
    file_out->path = peer__strdup(path);
    if (file_out->path == NULL) {
        peer__whole_file_close(file_out);
        return peer__out_of_memory();
    }
    file_out->size = (uint64_t)found.st_size;
    return PEER_OK;
}

peer_status peer__whole_file_read(struct whole_file *file, size_t size, struct buffer *out)
{
    uint8_t *to = peer__buffer_reserve(out, size);
    if (to == NULL)
        return peer__out_of_memory();
    while (size > 0) {
        ssize_t got = read(file->file, to, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(errno, "read", file->path);
        if (got == 0)
            break;
        to += got;
        size -= (size_t)got;
        out->size += (size_t)got;
    }
    return PEER_OK;
}

void peer__whole_file_close(struct whole_file *file)
{
    if (file->file >= 0) {
        if (file->part != NULL) /* while it is still locked: nobody else has taken it over */
            unlink(file->part);
        close(file->file);
    }
    file->file = -1;
    peer__free(file->path);
    peer__free(file->part);
    file->path = file->part = NULL;
}
