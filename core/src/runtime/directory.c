#include "runtime/directory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "runtime/socket.h"

static peer_status denied(const char *path, int error)
{
    char reason[ERROR_TEXT_SIZE];

    return peer__fail(E_ACCESSDENIED, "cannot use the directory \"%s\": %s", path, peer__error_text(error, reason));
}

/* Cuts the path at each slash in turn. Parents that exist are left as they are, whoever's they may be. */
static int make_with_parents(char *path)
{
    for (char *at = path + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST ? errno : 0;
        *at = kept;
        /* EROFS, EACCES and the like for a parent that exists do not matter: what comes below decides. */
        if (kept == '\0')
            return failed;
    }
}

peer_status peer__directory_make(const char *path)
{
    struct stat found;

    if (path[0] == '\0')
        return peer__fail(E_INVALIDARG, "the name of the data directory is empty");
    char *copy = peer__strdup(path);
    if (copy == NULL)
        return peer__out_of_memory();
    int error = make_with_parents(copy);
    peer__free(copy);
    if (stat(path, &found) != 0)
        return denied(path, error != 0 ? error : errno);
    if (!S_ISDIR(found.st_mode))
        return denied(path, ENOTDIR);
    if (access(path, R_OK | W_OK | X_OK) != 0)
        return denied(path, errno);
    return PEER_OK;
}
