/* The journal (WAL) moves into the database on a connection of its own, so that no commit waits for the disk. */
#include <pthread.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/sqlite_internal.h"

/* A job is worth it when so many pages wait. A commit of one record is a page of each index, the same ones again and
 * again: the later they move, the fewer do. */
#define JOB_PAGES (16 * 1024 * 1024 / PAGE_SIZE)
/* SQLite starts the journal anew only when none of its pages is left to move, but under bulk the job always finds new
 * ones at its end. From this length on the bulk has to wait until the job is through. */
#define JOURNAL_PAGES_LONG (48 * 1024 * 1024 / PAGE_SIZE)
/* A journal of so many pages (the application's own bulk does not wait) is finished between two commits. */
#define JOURNAL_PAGES_MAX (256 * 1024 * 1024 / PAGE_SIZE)
/* A job goes on while more than this has come in meanwhile, so that little is left for whoever finishes. */
#define PASS_PAGES (1024 * 1024 / PAGE_SIZE)
#define PASSES_MAX 8
/* So many quiet moments end a bulk. */
#define QUIET_MAX 64

enum checkpoint_state { CHECKPOINT_IDLE, CHECKPOINT_SUBMITTED, CHECKPOINT_RUNNING, CHECKPOINT_RAN };

struct checkpoint {
    struct job job;
    struct sqlite_store *store; /* not to be used once `closed` */
    pthread_mutex_t mutex;
    pthread_cond_t ran;
    enum checkpoint_state state;
    int closed;
    int holders; /* the store until it is closed, and a job that is out; the last one frees it */
    char *path;
    sqlite3 *db;     /* opened by the first job */
    int result;      /* of the last job */
    int moved_pages; /* by the last job and those before, since the journal began anew */
};

/* Called by SQLite after each commit with the length of the journal. */
static int on_journal(void *context, sqlite3 *db, const char *name, int page_count)
{
    struct sqlite_store *store = context;

    (void)db;
    (void)name;
    pthread_mutex_lock(&store->checkpoint->mutex);
    /* Shorter than what we know of: it began anew. */
    if (page_count < store->journal_pages)
        store->journal_moved = store->journal_tried = 0;
    store->journal_pages = page_count;
    pthread_mutex_unlock(&store->checkpoint->mutex);
    return SQLITE_OK;
}

/* With the mutex held, which is given back. */
static void release_locked(struct checkpoint *checkpoint)
{
    int is_held = --checkpoint->holders > 0;

    pthread_mutex_unlock(&checkpoint->mutex);
    if (is_held)
        return;
    pthread_cond_destroy(&checkpoint->ran);
    pthread_mutex_destroy(&checkpoint->mutex);
    peer__free(checkpoint->path);
    peer__free(checkpoint);
}

/* What the passes wrote goes to the disk here, on the worker: the connection that finishes syncs the whole file. */
static void sync_database(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    int result = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

    if (result == SQLITE_OK && file != NULL && file->pMethods != NULL)
        file->pMethods->xSync(file, SQLITE_SYNC_NORMAL); /* a failure shows again when the checkpoint ends */
}

static int move_pages(struct checkpoint *checkpoint)
{
    int length = 0;
    int result;

    if (checkpoint->db == NULL) {
        peer_status status = peer__sqlite_connect(checkpoint->path, &checkpoint->db);
        if (status < 0)
            return SQLITE_CANTOPEN;
        sqlite3_wal_autocheckpoint(checkpoint->db, 0);
    }
    /* A connection that has not read yet does not know that there is a journal. */
    result = sqlite3_exec(checkpoint->db, "SELECT 1 FROM sqlite_master LIMIT 1", NULL, NULL, NULL);
    for (int pass = 0; pass < PASSES_MAX && result == SQLITE_OK; pass++) {
        result = sqlite3_wal_checkpoint_v2(checkpoint->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &length,
                                           &checkpoint->moved_pages);
        if (length == checkpoint->moved_pages)
            break;
        sync_database(checkpoint->db);
        if (length - checkpoint->moved_pages < PASS_PAGES && pass > 0)
            break;
    }
    return result;
}

static void job_run(struct job *job)
{
    struct checkpoint *checkpoint = CONTAINER_OF(job, struct checkpoint, job);
    int closed;

    pthread_mutex_lock(&checkpoint->mutex);
    closed = checkpoint->closed;
    checkpoint->state = closed ? CHECKPOINT_RAN : CHECKPOINT_RUNNING;
    pthread_mutex_unlock(&checkpoint->mutex);
    if (closed)
        return;
    checkpoint->result = move_pages(checkpoint);
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->state = CHECKPOINT_RAN;
    pthread_cond_signal(&checkpoint->ran);
    pthread_mutex_unlock(&checkpoint->mutex);
}

/* A failure loses nothing, the journal has it all; the next try comes when it has grown as much again. A journal shorter
 * than what was moved began anew meanwhile. */
static void take_result(struct sqlite_store *store, const struct checkpoint *checkpoint)
{
    int moved = checkpoint->result == SQLITE_OK ? checkpoint->moved_pages : store->journal_pages;

    store->job_out = 0;
    store->journal_moved = moved <= store->journal_pages ? moved : 0;
}

static void job_done(struct job *job)
{
    struct checkpoint *checkpoint = CONTAINER_OF(job, struct checkpoint, job);

    /* The store may be closing, which holds no other lock, and its thread may not have woken yet from waiting for us. */
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->state = CHECKPOINT_IDLE;
    if (!checkpoint->closed)
        take_result(checkpoint->store, checkpoint);
    release_locked(checkpoint);
}

peer_status peer__sqlite_checkpoint_new(struct sqlite_store *store)
{
    struct checkpoint *checkpoint = peer__calloc(1, sizeof(*checkpoint));

    if (checkpoint == NULL)
        return peer__out_of_memory();
    checkpoint->path = peer__strdup(store->path);
    if (checkpoint->path == NULL) {
        peer__free(checkpoint);
        return peer__out_of_memory();
    }
    checkpoint->job = (struct job){.run = job_run, .done = job_done};
    checkpoint->store = store;
    checkpoint->holders = 1;
    pthread_mutex_init(&checkpoint->mutex, NULL);
    pthread_cond_init(&checkpoint->ran, NULL);
    store->checkpoint = checkpoint;
    sqlite3_wal_hook(store->db, on_journal, store);
    return PEER_OK;
}

void peer__sqlite_checkpoint_close(struct sqlite_store *store)
{
    struct checkpoint *checkpoint = store->checkpoint;

    if (checkpoint == NULL)
        return;
    store->checkpoint = NULL;
    pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->closed = 1;
    while (checkpoint->state == CHECKPOINT_RUNNING)
        pthread_cond_wait(&checkpoint->ran, &checkpoint->mutex);
    pthread_mutex_unlock(&checkpoint->mutex);
    sqlite3_close(checkpoint->db); /* a job that has not begun will not use it */
    pthread_mutex_lock(&checkpoint->mutex);
    release_locked(checkpoint);
}

struct job *peer__sqlite_maintenance(struct store *base)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);
    struct checkpoint *checkpoint = store->checkpoint;

    peer__sqlite_quiet(store);
    if (store->job_out || store->journal_pages - store->journal_moved < JOB_PAGES)
        return NULL;
    store->job_out = 1;
    checkpoint->holders++;
    checkpoint->state = CHECKPOINT_SUBMITTED;
    checkpoint->result = SQLITE_ABORT; /* until it has run */
    return &checkpoint->job;
}

int peer__sqlite_is_behind(struct store *base)
{
    struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, store);

    pthread_mutex_lock(&store->checkpoint->mutex);
    int is_behind = store->job_out && store->journal_pages >= JOURNAL_PAGES_LONG;
    pthread_mutex_unlock(&store->checkpoint->mutex);
    return is_behind;
}

/* A job whose end is noted meanwhile only makes it wait for the next commit. */
static int is_to_be_finished(struct sqlite_store *store)
{
    pthread_mutex_lock(&store->checkpoint->mutex);
    int is_long = !store->job_out && store->journal_pages >= JOURNAL_PAGES_MAX &&
                  store->journal_pages - store->journal_tried >= JOB_PAGES;
    if (is_long)
        store->journal_tried = store->journal_pages;
    pthread_mutex_unlock(&store->checkpoint->mutex);
    return is_long;
}

void peer__sqlite_bound_journal(struct sqlite_store *store)
{
    int moved = 0;

    if (!is_to_be_finished(store))
        return;
    if (sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &moved) != SQLITE_OK)
        return;
    pthread_mutex_lock(&store->checkpoint->mutex);
    store->journal_moved = moved;
    pthread_mutex_unlock(&store->checkpoint->mutex);
}

void peer__sqlite_set_bulk(struct sqlite_store *store, int bulk)
{
    store->quiet = 0;
    if (store->bulk == bulk)
        return;
    store->bulk = bulk;
    /* In KiB when negative. The page cache shrinks at once. */
    sqlite3_exec(store->db, bulk ? "PRAGMA cache_size = -16384" : "PRAGMA cache_size = -2048", NULL, NULL, NULL);
}

void peer__sqlite_quiet(struct sqlite_store *store)
{
    if (store->bulk && ++store->quiet >= QUIET_MAX)
        peer__sqlite_set_bulk(store, 0);
}
