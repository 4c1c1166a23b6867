#include "store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/sqlite_internal.h"

/* ------------------------------------------------------------------------------------------------------- names */

/* Two hashes that fail in different ways. No security boundary: the file says itself whose it is. */
static void hash_byte(uint64_t hashes[2], uint8_t byte)
{
    hashes[0] = (hashes[0] ^ byte) * UINT64_C(0x100000001b3);
    hashes[1] += byte + UINT64_C(0x9e3779b97f4a7c15);
    hashes[1] = (hashes[1] ^ (hashes[1] >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hashes[1] = (hashes[1] ^ (hashes[1] >> 27)) * UINT64_C(0x94d049bb133111eb);
    hashes[1] ^= hashes[1] >> 31;
}

/* The NUL is hashed too: it parts the parts. */
static void hash_part(uint64_t hashes[2], const char *part)
{
    size_t size = strlen(part) + 1;

    for (size_t i = 0; i < size; i++)
        hash_byte(hashes, (uint8_t)part[i]);
}

static int is_plain(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '-' || character == '_';
}

#define READABLE_MAX 40

/* "<directory>/film_club-0123456789abcdef0123456789abcdef.db"; nothing of the names reaches the path unfiltered. */
static char *make_path(const struct sqlite_factory *factory, const struct database_identity *identity)
{
    uint64_t hashes[2] = {UINT64_C(0xcbf29ce484222325), 0};
    char readable[READABLE_MAX + 1];
    size_t length = 0;
    size_t size = strlen(factory->directory) + READABLE_MAX + 48;
    char *path = peer__malloc(size);

    if (path == NULL)
        return NULL;
    hash_part(hashes, identity->graph_id);
    hash_part(hashes, identity->peer_id);
    hash_part(hashes, identity->database_name);
    for (; length < READABLE_MAX && identity->graph_id[length] != '\0'; length++)
        readable[length] = is_plain(identity->graph_id[length]) ? identity->graph_id[length] : '_';
    readable[length] = '\0';
    snprintf(path, size, "%s/%s-%016" PRIx64 "%016" PRIx64 ".db", factory->directory, readable, hashes[0], hashes[1]);
    return path;
}

/* As much of a name as a line for people has room for, whole characters of UTF-8. */
static int shown_length(const char *text)
{
    size_t length = strlen(text);

    if (length > 80) {
        length = 80;
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    return (int)length;
}

static char *make_label(const struct database_identity *identity)
{
    size_t size = 2 * 80 + 2;
    char *label = peer__malloc(size);

    if (label != NULL)
        snprintf(label, size, "%.*s/%.*s", shown_length(identity->graph_id), identity->graph_id,
                 shown_length(identity->peer_id), identity->peer_id);
    return label;
}

/* -------------------------------------------------------------------------------------------------- open, close */

static void store_free(struct sqlite_store *store)
{
    peer__sqlite_searches_close(store);
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(store->statements[i]);
    /* The last connection moves the journal into the database and removes it. */
    sqlite3_close(store->db);
    peer__sqlite_release(&store->open); /* also if it was never reserved */
    peer__sqlite_usage_free(store);
    pthread_mutex_destroy(&store->apart);
    peer__free(store->label);
    peer__free(store->path);
    peer__free(store);
}

static void store_close(struct store *base)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);

    peer__sqlite_rollback(base);
    peer__sqlite_checkpoint_close(store);
    store_free(store);
}

static const struct store_operations operations = {
    .put = peer__sqlite_put,
    .remove = peer__sqlite_remove,
    .commit = peer__sqlite_commit,
    .rollback = peer__sqlite_rollback,
    .commit_begin = peer__sqlite_commit_begin,
    .commit_apart = peer__sqlite_commit_apart,
    .get = peer__sqlite_get,
    .scan = peer__sqlite_scan,
    .expired = peer__sqlite_expired,
    .search = peer__sqlite_search,
    .next_expiry = peer__sqlite_next_expiry,
    .last_seq = peer__sqlite_last_seq,
    .count = peer__sqlite_count,
    .bytes = peer__sqlite_bytes,
    .setting_put = peer__sqlite_setting_put,
    .setting_get = peer__sqlite_setting_get,
    .maintenance = peer__sqlite_maintenance,
    .is_behind = peer__sqlite_is_behind,
    .close = store_close,
};

static struct sqlite_store *store_new(const struct sqlite_factory *factory, const struct database_identity *identity)
{
    struct sqlite_store *store = peer__calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->store.operations = &operations;
    pthread_mutex_init(&store->apart, NULL);
    store->row_count = store->committed_row_count = COUNT_UNKNOWN;
    list_init(&store->open.node);
    store->path = make_path(factory, identity);
    store->label = make_label(identity);
    if (store->path == NULL || store->label == NULL) {
        store_free(store);
        return NULL;
    }
    return store;
}

static int has_journal(const char *path)
{
    struct stat status;
    size_t size = strlen(path) + sizeof("-wal");
    char *name = peer__malloc(size);

    if (name == NULL)
        return 0;
    snprintf(name, size, "%s-wal", path);
    int found = stat(name, &status) == 0 && status.st_size > 0;
    peer__free(name);
    return found;
}

/* SQLite would make the file readable for others, and cannot tell why it could not. The journal takes after it. One
 * that then stays empty, because the disk is full, counts as not yet made; but with a journal it has been emptied, and
 * SQLite would throw the journal away. */
static peer_status make_file(const char *path)
{
    struct stat status;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (file < 0)
        return peer__sqlite_system_failed(errno, "cannot be opened", path);
    int is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    close(file);
    if (!is_file)
        return peer__fail(PEER_E_DATABASE_ACCESSDENIED, "\"%s\" is not a file", path);
    if (status.st_size == 0 && has_journal(path))
        return peer__sqlite_damaged(path, "it is empty, and its journal is not");
    return PEER_OK;
}

static peer_status store_connect(struct sqlite_store *store, const struct database_identity *identity, uint32_t flags,
                                 int *is_new_out)
{
    PEER_TRY(peer__sqlite_connect(store->path, &store->db));
    PEER_TRY(peer__sqlite_prepare(store->db, store->path, identity, flags, is_new_out));
    PEER_TRY(peer__sqlite_load_last_seq(store->db, store->path, &store->last_seq));
    store->committed_last_seq = store->last_seq;
    PEER_TRY(peer__sqlite_usage_load(store));
    store->bulk = 1;
    peer__sqlite_set_bulk(store, 0);
    PEER_TRY(peer__sqlite_searches_new(store));
    return peer__sqlite_checkpoint_new(store);
}

static peer_status store_open(struct sqlite_store *store, const struct database_identity *identity, uint32_t flags,
                              int *is_new_out)
{
    peer_status status;

    if (!peer__sqlite_reserve(&store->open, store->path))
        return peer__sqlite_in_use(store->label, store->path, getpid());
    PEER_TRY(make_file(store->path));
    status = store_connect(store, identity, flags, is_new_out);
    if (status == PEER_E_DATABASE_IN_USE) {
        sqlite3_close(store->db);
        store->db = NULL;
        return peer__sqlite_in_use(store->label, store->path, peer__sqlite_holder(store->path));
    }
    return status;
}

static peer_status factory_open(void *self, const char *graph_id, const char *peer_id, const char *database_name,
                                uint32_t flags, int *is_new_out, struct store **store_out)
{
    struct database_identity identity = {graph_id, peer_id, database_name};
    struct sqlite_store *store = store_new(self, &identity);
    int is_new = 0;

    if (store == NULL)
        return peer__out_of_memory();
    peer_status status = store_open(store, &identity, flags, &is_new);
    if (status < 0) {
        store_free(store);
        return status;
    }
    *is_new_out = is_new;
    *store_out = &store->store;
    return PEER_OK;
}

/* ------------------------------------------------------------------------------------------------------- remove */

static peer_status remove_file(const char *path, const char *suffix)
{
    size_t size = strlen(path) + strlen(suffix) + 1;
    char *name = peer__malloc(size);
    peer_status status = PEER_OK;

    if (name == NULL)
        return peer__out_of_memory();
    snprintf(name, size, "%s%s", path, suffix);
    if (unlink(name) != 0 && errno != ENOENT)
        status = peer__sqlite_system_failed(errno, "cannot be removed", name);
    peer__free(name);
    return status;
}

/* The database first: SQLite drops a journal that has no database, but opens a database that has lost its journal. */
static peer_status remove_files(const char *path)
{
    PEER_TRY(remove_file(path, ""));
    PEER_TRY(remove_file(path, "-wal"));
    PEER_TRY(remove_file(path, "-journal"));
    return remove_file(path, "-shm");
}

static peer_status remove_locked(const struct sqlite_store *store)
{
    peer_status status;
    int file = open(store->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (file < 0 && errno == ENOENT)
        return peer__fail(PEER_E_DATABASE_NOT_PRESENT, "there is no database of \"%s\" (%s)", store->label,
                          store->path);
    if (file < 0)
        return peer__sqlite_system_failed(errno, "cannot be opened", store->path);
    int error = peer__sqlite_lock_file(file);
    if (error == 0)
        status = remove_files(store->path);
    else if (error == EAGAIN)
        status = peer__sqlite_in_use(store->label, store->path, peer__sqlite_holder(store->path));
    else
        status = peer__sqlite_system_failed(error, "cannot be locked", store->path);
    close(file);
    return status;
}

static peer_status factory_remove(void *self, const char *graph_id, const char *peer_id, const char *database_name)
{
    struct database_identity identity = {graph_id, peer_id, database_name};
    struct sqlite_store *store = store_new(self, &identity); /* never opened: for its names and its reservation */
    peer_status status;

    if (store == NULL)
        return peer__out_of_memory();
    if (peer__sqlite_reserve(&store->open, store->path))
        status = remove_locked(store);
    else
        status = peer__sqlite_in_use(store->label, store->path, getpid());
    store_free(store);
    return status;
}

/* ------------------------------------------------------------------------------------------------------ factory */

/* Makes a directory and those above it. `path` is changed and restored on the way. */
static int make_directories(char *path)
{
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        int failed = mkdir(path, 0700) != 0 && errno != EEXIST && access(path, F_OK) != 0;
        *at = '/';
        if (failed)
            return -1;
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

static peer_status resolve_directory(struct sqlite_factory *factory, const char *data_directory)
{
    char path[PATH_MAX];
    struct stat found;
    int length = snprintf(path, sizeof(path), "%s/graphs", data_directory);

    if (length < 0 || (size_t)length >= sizeof(path))
        return peer__sqlite_system_failed(ENAMETOOLONG, "cannot be used as data directory", data_directory);
    if (make_directories(path) != 0)
        return peer__sqlite_system_failed(errno, "cannot be made", path);
    if (stat(path, &found) != 0 || access(path, W_OK | X_OK) != 0)
        return peer__sqlite_system_failed(errno, "cannot be used", path);
    if (!S_ISDIR(found.st_mode))
        return peer__sqlite_system_failed(ENOTDIR, "cannot be used", path);
    if (realpath(path, factory->directory) == NULL)
        return peer__sqlite_system_failed(errno, "cannot be used", path);
    return PEER_OK;
}

peer_status peer__store_sqlite_factory(const char *data_directory, struct store_factory *factory_out)
{
    struct sqlite_factory *factory;

    if (!sqlite3_threadsafe() || sqlite3_vfs_find("unix-excl") == NULL)
        return peer__fail(PEER_E_INTERNAL, "SQLite %s was built without threads or without its unix-excl VFS",
                          sqlite3_libversion());
    factory = peer__malloc(sizeof(*factory));
    if (factory == NULL)
        return peer__out_of_memory();
    peer_status status = resolve_directory(factory, data_directory);
    if (status < 0) {
        peer__free(factory);
        return status;
    }
    *factory_out = (struct store_factory){.open = factory_open,
                                          .remove = factory_remove,
                                          .keep_reserve = peer__sqlite_keep_reserve,
                                          .give_reserve = peer__sqlite_give_reserve,
                                          .has_room = peer__sqlite_has_room,
                                          .self = factory};
    return PEER_OK;
}

void peer__store_sqlite_factory_free(struct store_factory *factory)
{
    peer__free(factory->self);
    *factory = (struct store_factory){0};
}
