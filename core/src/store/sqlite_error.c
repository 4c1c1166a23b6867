#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "store/sqlite_internal.h"

int peer__sqlite_is_full(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static int is_refused(int error)
{
    return error == EACCES || error == EPERM || error == EROFS || error == ENOENT || error == ENOTDIR ||
           error == ELOOP || error == EISDIR || error == ENAMETOOLONG;
}

static int is_without_descriptor(int error)
{
    return error == EMFILE || error == ENFILE;
}

static peer_status no_descriptor(const char *path)
{
    return peer__fail(E_OUTOFMEMORY, "\"%s\" cannot be opened: no descriptor is free; raise the limit (ulimit -n)",
                      path);
}

static peer_status disk_full(const char *path)
{
    return peer__fail(PEER_E_DISK_FULL, "no room left to write \"%s\"", path);
}

/* Not strerror: that one is not safe among threads. The POSIX form of strerror_r is what our feature macros select. */
static const char *error_text(int error, char *text, size_t size)
{
    return strerror_r(error, text, size) == 0 ? text : "unknown error";
}

peer_status peer__sqlite_system_failed(int error, const char *what, const char *path)
{
    char text[128];

    if (error == ENOMEM)
        return peer__out_of_memory();
    if (peer__sqlite_is_full(error))
        return disk_full(path);
    if (is_without_descriptor(error))
        return no_descriptor(path);
    return peer__fail(is_refused(error) ? PEER_E_DATABASE_ACCESSDENIED : PEER_E_INTERNAL, "\"%s\" %s: %s", path, what,
                      error_text(error, text, sizeof(text)));
}

peer_status peer__sqlite_damaged(const char *path, const char *how)
{
    return peer__fail(PEER_E_INVALID_DATABASE,
                      "\"%s\" is damaged (%s); put a copy in its place, or remove it and connect: neighbours have the "
                      "records",
                      path, how);
}

peer_status peer__sqlite_not_ours(const char *path)
{
    return peer__fail(PEER_E_INVALID_DATABASE, "\"%s\" is not a database of peergraph; move it out of the way", path);
}

static int last_error_of(sqlite3 *db, int which_file)
{
    sqlite3_file *file = NULL;
    int error = 0;

    if (sqlite3_file_control(db, "main", which_file, &file) != SQLITE_OK || file == NULL || file->pMethods == NULL)
        return 0;
    return file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK ? error : 0;
}

/* sqlite3_system_errno knows nothing of a COMMIT that failed; the files do. */
static int system_error(sqlite3 *db, int result)
{
    int error = 0;

    if (db == NULL)
        return 0;
    if ((result & 0xff) == SQLITE_IOERR)
        error = last_error_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
    if (error == 0 && (result & 0xff) == SQLITE_IOERR)
        error = last_error_of(db, SQLITE_FCNTL_FILE_POINTER);
    return error != 0 ? error : sqlite3_system_errno(db);
}

peer_status peer__sqlite_failed(sqlite3 *db, int result, const char *path)
{
    char text[128];
    int error = system_error(db, result);

    switch (result & 0xff) {
    case SQLITE_NOMEM:
        return peer__out_of_memory();
    case SQLITE_FULL:
        return disk_full(path);
    case SQLITE_CORRUPT:
        return peer__sqlite_damaged(path, sqlite3_errstr(result));
    case SQLITE_NOTADB:
        return peer__sqlite_not_ours(path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        if (is_without_descriptor(error))
            return no_descriptor(path);
        return peer__fail(PEER_E_DATABASE_ACCESSDENIED, "\"%s\" cannot be opened for writing: %s", path,
                          error != 0 ? error_text(error, text, sizeof(text)) : sqlite3_errstr(result));
    case SQLITE_BUSY:
        return peer__sqlite_in_use(NULL, path, 0);
    case SQLITE_IOERR:
        if (peer__sqlite_is_full(error))
            return disk_full(path);
        if (is_refused(error)) /* a file system that was found to be broken becomes read-only */
            return peer__fail(PEER_E_DATABASE_ACCESSDENIED, "\"%s\" cannot be written: %s", path,
                              error_text(error, text, sizeof(text)));
        return peer__fail(PEER_E_INTERNAL, "\"%s\": input/output error %d: %s", path, result,
                          error_text(error, text, sizeof(text)));
    default:
        return peer__fail(PEER_E_INTERNAL, "\"%s\": error %d of SQLite: %s", path, result,
                          db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(result));
    }
}
