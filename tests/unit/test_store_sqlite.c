/* What only the SQLite store has: files, other processes, full disks, damage, and a journal. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/mount.h>
#endif

#include "unit/store_world.h"

static const char *program;

/* ---------------------------------------------------------------------------------------------------------- files */

/** The path of the world's only database. */
static void find_file(const struct store_world *world, char path[512])
{
    char directory[128];
    struct dirent *entry;
    DIR *listing;

    snprintf(directory, sizeof(directory), "%s/graphs", world->directory);
    listing = opendir(directory);
    assert_non_null(listing);
    path[0] = '\0';
    while ((entry = readdir(listing)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (length > 3 && strcmp(entry->d_name + length - 3, ".db") == 0)
            snprintf(path, 512, "%.120s/%.255s", directory, entry->d_name);
    }
    closedir(listing);
    assert_true(path[0] != '\0');
}

static int64_t size_of(const char *path, const char *suffix)
{
    char name[600];
    struct stat status;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &status) == 0 ? (int64_t)status.st_size : -1;
}

/** Writes into a file of a closed database. */
static void overwrite(const char *path, off_t at, const void *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(file >= 0);
    assert_int_equal(pwrite(file, data, size, at), size);
    close(file);
}

static void fails_to_open(struct store_world *world, peer_status expected, const char *why)
{
    char path[512];
    int is_new = -1;

    find_file(world, path);
    assert_int_equal(world_try_open(world, 0, &is_new), expected);
    assert_int_equal(is_new, -1);
    assert_non_null(strstr(peer__last_error(), path));
    assert_non_null(strstr(peer__last_error(), why));
}

static void files_are_private_and_few(void **state)
{
    struct store_world *world = *state;
    char path[512], directory[128];
    struct stat status;

    world_fill(world, 100);
    find_file(world, path);
    assert_non_null(strstr(path, "/film_club-"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_true(size_of(path, "-wal") > 0);
    assert_int_equal(size_of(path, "-shm"), -1);
    world_close(world);
    assert_int_equal(size_of(path, "-wal"), -1);
    snprintf(directory, sizeof(directory), "%s/graphs", world->directory);
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_int_equal(world->factory.remove(world->factory.self, "film club", "bob", "graph.db"), PEER_OK);
    assert_int_equal(rmdir(directory), 0); /* nothing is left in it */
}

static void a_file_in_place_of_the_directory(void **state)
{
    struct store_world *world = *state;
    struct store_factory factory = {0};
    char path[128];

    snprintf(path, sizeof(path), "%s/data", world->directory);
    overwrite(path, 0, "x", 1);
    assert_int_equal(peer__store_sqlite_factory(path, &factory), PEER_E_DATABASE_ACCESSDENIED);
    assert_non_null(strstr(peer__last_error(), path));
    assert_null(factory.self);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/data/below/it", world->directory);
    assert_int_equal(peer__store_sqlite_factory(path, &factory), PEER_OK);
    peer__store_sqlite_factory_free(&factory);
}

static void a_directory_that_vanished_or_refuses(void **state)
{
    struct store_world *world = *state;
    char path[512];
    int is_new;

    world_close(world);
    find_file(world, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* a directory in place of the file */
    fails_to_open(world, PEER_E_DATABASE_ACCESSDENIED, "");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("elsewhere", path), 0);
    fails_to_open(world, PEER_E_DATABASE_ACCESSDENIED, "");
    unlink(path);
    snprintf(path, sizeof(path), "%s/graphs", world->directory);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(world_try_open(world, 0, &is_new), PEER_E_DATABASE_ACCESSDENIED);
}

/* ------------------------------------------------------------------------------------------------- what is in them */

static void not_a_database(void **state)
{
    struct store_world *world = *state;
    char path[512], text[4096];

    world_close(world);
    find_file(world, path);
    memset(text, 'x', sizeof(text));
    overwrite(path, 0, text, sizeof(text));
    fails_to_open(world, PEER_E_INVALID_DATABASE, "not a database of peergraph");
}

static void not_ours(void **state)
{
    static const uint8_t application[] = {0, 0, 0, 1};
    struct store_world *world = *state;
    char path[512];
    uint8_t before[4096], after[4096];

    world_close(world);
    find_file(world, path);
    overwrite(path, 68, application, sizeof(application)); /* application_id in SQLite's header */
    int file = open(path, O_RDONLY);
    assert_int_equal(read(file, before, sizeof(before)), sizeof(before));
    fails_to_open(world, PEER_E_INVALID_DATABASE, "not a database of peergraph");
    assert_int_equal(pread(file, after, sizeof(after), 0), sizeof(after));
    assert_memory_equal(before, after, sizeof(before)); /* untouched */
    close(file);
}

static void of_a_newer_version(void **state)
{
    static const uint8_t version[] = {0, 0, 0, 99};
    struct store_world *world = *state;
    char path[512];

    world_close(world);
    find_file(world, path);
    overwrite(path, 60, version, sizeof(version)); /* user_version */
    fails_to_open(world, PEER_E_INVALID_DATABASE, "newer version");
}

static void of_another_graph(void **state)
{
    struct store_world *world = *state;
    char path[512], other[512];
    struct store *store;
    int is_new;

    world_close(world);
    find_file(world, path);
    assert_int_equal(world->factory.open(world->factory.self, "book club", "bob", "graph.db", 0, &is_new, &store),
                     PEER_OK);
    store->operations->close(store);
    strcpy(other, path);
    assert_int_equal(unlink(path), 0);
    find_file(world, other);
    assert_int_equal(rename(other, path), 0);
    fails_to_open(world, PEER_E_INVALID_DATABASE, "book club");
}

/** Works on a damaged database until something fails; returns how. */
static peer_status work_on(struct store_world *world)
{
    struct store_position position = {0};
    struct seen seen = {0};
    int end = 0;
    int is_new;
    peer_status status = world_try_open(world, 0, &is_new);

    while (status == PEER_OK && !end)
        status = world->calls->scan(world->store, &(struct store_scan){.by_modified = 1, .seq_max = UINT64_MAX},
                                    &position, 1, 100, see, &seen, &end);
    for (uint32_t number = 0; number < 1000 && status == PEER_OK; number++) {
        struct store_row row = row_of(number);
        uint64_t seq;
        status = world->calls->put(world->store, &row, &seq);
    }
    return status;
}

static void damaged_pages(void **state)
{
    struct store_world *world = *state;
    char path[512], garbage[8192];
    int failed = 0;

    world_fill(world, 2000);
    world_close(world);
    find_file(world, path);
    memset(garbage, 0xa5, sizeof(garbage));
    for (off_t at = size_of(path, "") - 16384; at >= 16384; at -= 3 * 16384) {
        overwrite(path, at, garbage, sizeof(garbage));
        peer_status status = work_on(world);
        if (status < 0) {
            failed++;
            assert_int_equal(status, PEER_E_INVALID_DATABASE);
            assert_non_null(strstr(peer__last_error(), "is damaged"));
            assert_non_null(strstr(peer__last_error(), path));
        }
        if (world->store != NULL)
            world_close(world);
    }
    assert_true(failed > 5);
}

/* ------------------------------------------------------------------------------------------------- other processes */

struct helper {
    pid_t process;
    int to;   /* closing it lets the helper go on */
    int from; /* a byte arrives when the helper is ready */
};

/** Starts this program anew in a role; returns when it has said that it is ready. */
static struct helper helper_start(const char *role, const char *directory)
{
    int to[2], from[2];
    char ready = 0;

    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    pid_t process = fork();
    if (process == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close(to[1]);
        close(from[0]);
        execl(program, program, role, directory, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    assert_int_equal(read(from[0], &ready, 1), 1);
    return (struct helper){.process = process, .to = to[1], .from = from[0]};
}

static int helper_end(struct helper *helper, int with_signal)
{
    int result = -1;

    if (with_signal != 0)
        kill(helper->process, with_signal);
    close(helper->to);
    assert_int_equal(waitpid(helper->process, &result, 0), helper->process);
    close(helper->from);
    return result;
}

#define HELPER_REFUSED 3

/** In the helper: opens, writes what its role asks for, and waits to be let go or killed. */
static int helper_main(const char *role, const char *directory)
{
    struct store_world world = {.kind = KIND_SQLITE};
    int is_new;
    char byte;

    if (peer__store_sqlite_factory(directory, &world.factory) < 0)
        return 1;
    if (world_try_open(&world, 0, &is_new) == PEER_E_DATABASE_IN_USE) {
        peer__store_sqlite_factory_free(&world.factory);
        return HELPER_REFUSED;
    }
    for (uint32_t number = 0; strcmp(role, "crash") == 0 && number < 110; number++) {
        struct store_row row = row_of(number);
        uint64_t seq;
        if (world.calls->put(world.store, &row, &seq) < 0)
            return 1;
        if (number == 99 && world.calls->commit(world.store) < 0)
            return 1;
    }
    if (write(STDOUT_FILENO, "r", 1) != 1 || read(STDIN_FILENO, &byte, 1) < 0)
        return 1;
    world_close(&world);
    peer__store_sqlite_factory_free(&world.factory);
    return 0;
}

static void another_process_has_it(void **state)
{
    struct store_world *world = *state;
    char process[32];

    world_close(world);
    struct helper helper = helper_start("hold", world->directory);
    snprintf(process, sizeof(process), "process %d ", (int)helper.process);
    fails_to_open(world, PEER_E_DATABASE_IN_USE, process);
    assert_non_null(strstr(peer__last_error(), "\"film club/bob\""));
    assert_int_equal(world->factory.remove(world->factory.self, "film club", "bob", "graph.db"),
                     PEER_E_DATABASE_IN_USE);
    assert_non_null(strstr(peer__last_error(), process));
    assert_int_equal(helper_end(&helper, 0), 0);
    assert_int_equal(world_open(world), 0);
}

static void what_was_committed_survives_a_kill(void **state)
{
    struct store_world *world = *state;

    world_close(world);
    struct helper helper = helper_start("crash", world->directory);
    assert_true(WIFSIGNALED(helper_end(&helper, SIGKILL)));
    assert_int_equal(world_open(world), 0);
    assert_int_equal(world_count(world), 100);
    assert_int_equal(world_last_seq(world), 100);
    assert_true(world_has(world, 99));
    assert_false(world_has(world, 100));
}

static void a_second_factory_in_this_process(void **state)
{
    struct store_world *world = *state;
    struct store_factory second;
    struct store *store;
    char path[128];
    int is_new;

    /* Another name for the same directory. */
    snprintf(path, sizeof(path), "%s/./graphs/..", world->directory);
    assert_int_equal(peer__store_sqlite_factory(path, &second), PEER_OK);
    assert_int_equal(second.open(second.self, "film club", "bob", "graph.db", 0, &is_new, &store),
                     PEER_E_DATABASE_IN_USE);
    assert_non_null(strstr(peer__last_error(), "in this process"));
    /* The attempts have not let go of our lock. */
    int result = 0;
    pid_t process = fork();
    if (process == 0) {
        execl(program, program, "hold", world->directory, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(process, &result, 0), process);
    assert_true(WIFEXITED(result) && WEXITSTATUS(result) == HELPER_REFUSED);
    peer__store_sqlite_factory_free(&second);
}

/* ----------------------------------------------------------------------------------------------------- a full disk */

/** Puts until a put or a commit fails; returns how many were committed. */
static uint64_t fill_up(struct store_world *world)
{
    static uint8_t wire[64 * 1024];
    uint64_t committed = world_count(world);
    peer_status status = PEER_OK;

    for (uint32_t number = 0; number < 10000; number++) {
        struct store_row row = row_of(number);
        uint64_t seq;
        row.wire = (struct span){wire, sizeof(wire)};
        status = world->calls->put(world->store, &row, &seq);
        if (status == PEER_OK && number % 4 == 3)
            status = world->calls->commit(world->store);
        if (status < 0)
            break;
        if (number % 4 == 3)
            committed = world_count(world);
    }
    assert_int_equal(status, PEER_E_DISK_FULL);
    assert_non_null(strstr(peer__last_error(), ".db\""));
    return committed;
}

static void check_after_full(struct store_world *world, uint64_t committed)
{
    struct seen seen;

    assert_int_equal(world->calls->commit(world->store), PEER_E_DISK_FULL); /* half a transaction is never committed */
    world->calls->rollback(world->store);
    assert_int_equal(world_count(world), committed);
    assert_int_equal(world_last_seq(world), committed);
    world_scan(world, &(struct store_scan){.seq_max = UINT64_MAX}, 100, &seen);
    assert_int_equal(seen.count, committed);
    assert_true(committed > 4);
}

static void a_limit_on_the_size_of_files(void **state)
{
    struct store_world *world = *state;
    struct rlimit before, limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 2 * 1024 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    uint64_t committed = fill_up(world);
    check_after_full(world, committed);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    world_put(world, 5000);
    world_commit(world);
    world_crash(world);
    assert_int_equal(world_count(world), committed + 1);
}

#ifdef __linux__
static void a_small_file_system(void **state)
{
    char directory[64];
    struct store_world world = {.kind = KIND_SQLITE};

    (void)state;
    make_directory(directory);
    if (mount("tmpfs", directory, "tmpfs", 0, "size=2m") != 0) {
        rmdir(directory);
        skip(); /* needs root, and the right to mount */
    }
    assert_int_equal(peer__store_sqlite_factory(directory, &world.factory), PEER_OK);
    assert_int_equal(world_open(&world), 1);
    uint64_t committed = fill_up(&world);
    check_after_full(&world, committed);
    int is_full = mount("tmpfs", directory, "tmpfs", MS_REMOUNT, "size=8m") != 0;
    if (!is_full) {
        world_put(&world, 5000);
        world_commit(&world);
        world_crash(&world);
        assert_int_equal(world_count(&world), committed + 1);
    }
    world_close(&world);
    peer__store_sqlite_factory_free(&world.factory);
    assert_int_equal(umount(directory), 0);
    rmdir(directory);
}
#endif

/* decisions.md 1: what is kept for deletions is enough for that of the largest record too, which must not write as much as
 * it frees. */
static void a_deletion_takes_little_room(void **state)
{
    static uint8_t wire[8 * 1024 * 1024];
    struct store_world *world = *state;
    struct store_row row = row_of(1);
    char path[512];

    world_fill(world, 50);
    row.wire = (struct span){wire, sizeof(wire)};
    world_put_row(world, &row);
    world_commit(world);
    world_crash(world); /* which moves the journal into the database */
    find_file(world, path);
    world_put(world, 1); /* a tombstone takes its place */
    world_commit(world);
    assert_in_range(size_of(path, "-wal"), 1, STORE_RESERVE_SIZE / 8);
    row = row_of(2);
    assert_int_equal(world->calls->remove(world->store, &row.id), PEER_OK);
    world_commit(world);
    assert_in_range(size_of(path, "-wal"), 1, STORE_RESERVE_SIZE / 4);
}

/* decisions.md 1: the room is really taken, comes back once, and the look for room leaves nothing behind. */
static void the_reserve(void **state)
{
    struct store_world *world = *state;
    const struct store_factory *factory = &world->factory;
    char path[600];
    struct stat found;

    snprintf(path, sizeof(path), "%s/graphs/reserve", world->directory);
    assert_int_equal(stat(path, &found), -1);
    assert_int_equal(factory->keep_reserve(factory->self), 1);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_size, STORE_RESERVE_SIZE);
    assert_true(found.st_blocks * 512 >= STORE_RESERVE_SIZE);
    assert_int_equal(factory->keep_reserve(factory->self), 1);
    assert_int_equal(factory->has_room(factory->self), 1);
    assert_int_equal(factory->give_reserve(factory->self), 1);
    assert_int_equal(stat(path, &found), -1);
    assert_int_equal(factory->give_reserve(factory->self), 0);
    world_close(world);
    assert_int_equal(factory->remove(factory->self, "film club", "bob", "graph.db"), PEER_OK);
    snprintf(path, sizeof(path), "%s/graphs", world->directory);
    assert_int_equal(rmdir(path), 0);
}

/* ----------------------------------------------------------------------------------------------------- maintenance */

static struct store_row large_row(uint32_t number)
{
    static uint8_t wire[256 * 1024];
    struct store_row row = row_of(number);

    row.wire = (struct span){wire, sizeof(wire)};
    return row;
}

/** Commits of 1 MiB. */
static void put_large(struct store_world *world, uint32_t first, uint32_t count)
{
    for (uint32_t number = first; number < first + count; number++) {
        struct store_row row = large_row(number);
        world_put_row(world, &row);
        if (number % 4 == 3)
            world_commit(world);
    }
}

static void *run_job(void *argument)
{
    struct job *job = argument;
    job->run(job);
    return NULL;
}

static void a_job_moves_the_journal(void **state)
{
    struct store_world *world = *state;
    int job_count = 0;
    char path[512];

    find_file(world, path);
    assert_null(world->calls->maintenance(world->store));
    for (uint32_t first = 0; first < 800; first += 160) {
        pthread_t thread;
        put_large(world, first, 80);
        struct job *job = world->calls->maintenance(world->store);
        assert_null(job != NULL ? world->calls->maintenance(world->store) : NULL); /* one at a time */
        if (job != NULL)
            assert_int_equal(pthread_create(&thread, NULL, run_job, job), 0);
        put_large(world, first + 80, 80); /* meanwhile */
        if (job == NULL)
            continue; /* a commit had just moved the rest */
        pthread_join(thread, NULL);
        job->done(job);
        job_count++;
    }
    assert_true(job_count >= 2);
    assert_true(size_of(path, "") > 50 * 1024 * 1024);
    world_crash(world);
    assert_int_equal(world_count(world), 800);
}

/* Who brings bulk from outside asks, and waits while the job shortens the journal. */
static void bulk_is_held_back_while_the_journal_is_long(void **state)
{
    struct store_world *world = *state;

    put_large(world, 0, 100); /* 25 MiB */
    assert_false(world->calls->is_behind(world->store));
    put_large(world, 100, 140);                          /* 60 MiB */
    assert_false(world->calls->is_behind(world->store)); /* nobody would end it */
    struct job *job = world->calls->maintenance(world->store);
    assert_non_null(job);
    assert_true(world->calls->is_behind(world->store));
    job->run(job);
    job->done(job);
    assert_false(world->calls->is_behind(world->store));
    put_large(world, 240, 4);
    assert_null(world->calls->maintenance(world->store)); /* the journal began anew */
}

static void an_undisturbed_job_comes_to_the_end(void **state)
{
    struct store_world *world = *state;
    char path[512];

    find_file(world, path);
    put_large(world, 0, 80);
    struct job *job = world->calls->maintenance(world->store);
    job->run(job);
    job->done(job);
    assert_null(world->calls->maintenance(world->store));
    put_large(world, 80, 4);
    put_large(world, 84, 80); /* now the journal begins anew */
    assert_true(size_of(path, "-wal") < 32 * 1024 * 1024);
    assert_non_null(job = world->calls->maintenance(world->store));
    job->done(job);
}

static void the_journal_is_bounded_without_jobs(void **state)
{
    struct store_world *world = *state;
    char path[512];

    find_file(world, path);
    put_large(world, 0, 1600); /* 400 MiB */
    assert_in_range(size_of(path, "-wal"), 1, 300 * 1024 * 1024);
    world_crash(world);
    assert_int_equal(world_count(world), 1600);
}

static void closing_waits_for_a_job(void **state)
{
    struct store_world *world = *state;

    for (uint32_t round = 0; round < 8; round++) {
        pthread_t thread;
        put_large(world, 0, 80);
        struct job *job = world->calls->maintenance(world->store);
        assert_non_null(job);
        assert_int_equal(pthread_create(&thread, NULL, run_job, job), 0);
        if (round % 2 == 0)
            usleep(500 * round);
        world_crash(world); /* also where the job has not begun, or is over */
        pthread_join(thread, NULL);
        job->done(job);
        assert_int_equal(world_count(world), 80);
    }
}

static void *run_and_finish_job(void *argument)
{
    struct job *job = argument;

    job->run(job);
    job->done(job);
    return NULL;
}

/* The job is over and noted before the thread that closes has woken from waiting for it. */
static void a_job_may_be_finished_before_who_waits_for_it_wakes(void **state)
{
    struct store_world *world = *state;

    for (uint32_t round = 0; round < 8; round++) {
        pthread_t thread;
        put_large(world, 0, 80);
        struct job *job = world->calls->maintenance(world->store);
        assert_non_null(job);
        assert_int_equal(pthread_create(&thread, NULL, run_and_finish_job, job), 0);
        if (round > 0)
            usleep(500 * round);
        world_close(world);
        pthread_join(thread, NULL);
        assert_int_equal(world_open(world), 0);
        assert_int_equal(world_count(world), 80);
    }
}

struct closer {
    struct store_world *world;
    atomic_int begun;
};

/* The end of a graph: what is not committed is dropped. */
static void *roll_back_and_close(void *context)
{
    struct closer *closer = context;

    atomic_store(&closer->begun, 1);
    closer->world->calls->rollback(closer->world->store);
    world_close(closer->world);
    return NULL;
}

/* Without the lock that guards the store: who ends it meanwhile comes after it. */
static void a_commit_apart_is_whole(void **state)
{
    struct store_world *world = *state;

    for (uint32_t round = 0; round < 20; round++) {
        struct closer closer = {.world = world};
        struct store *store = world->store;
        pthread_t thread;
        world_fill(world, 200);
        world->calls->commit_begin(store);
        assert_int_equal(pthread_create(&thread, NULL, roll_back_and_close, &closer), 0);
        while (round % 2 == 0 && !atomic_load(&closer.begun))
            continue;
        assert_int_equal(store->operations->commit_apart(store), PEER_OK);
        pthread_join(thread, NULL);
        assert_int_equal(world_open(world), 0);
        assert_int_equal(world_count(world), 200);
    }
}

static void a_job_may_be_dropped(void **state)
{
    struct store_world *world = *state;

    put_large(world, 0, 80);
    struct job *job = world->calls->maintenance(world->store);
    job->done(job); /* shutdown: never run */
    put_large(world, 0, 80);
    job = world->calls->maintenance(world->store);
    assert_non_null(job);
    world_close(world);
    job->done(job);
    assert_int_equal(world_open(world), 0);
    assert_int_equal(world_count(world), 80);
}

static peer_status open_and_close(void)
{
    static struct store_factory factory;
    static char directory[64];
    struct store *store;
    int is_new;

    if (directory[0] == '\0')
        make_directory(directory);
    PEER_TRY(peer__store_sqlite_factory(directory, &factory));
    peer_status status = factory.open(factory.self, "film club", "bob", "graph.db", 0, &is_new, &store);
    if (status == PEER_OK) {
        store->operations->close(store);
        status = factory.remove(factory.self, "film club", "bob", "graph.db");
    }
    peer__store_sqlite_factory_free(&factory);
    if (status == PEER_OK)
        remove_tree(directory);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    assert_survives_no_memory(open_and_close);
}

/* ----------------------------------------------------------------------------------------------------------- suite */

static int setup(void **state)
{
    *state = world_new(KIND_SQLITE);
    return 0;
}

static int teardown(void **state)
{
    world_free_all(*state);
    return 0;
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(files_are_private_and_few),
        WITH_WORLD(a_file_in_place_of_the_directory),
        WITH_WORLD(a_directory_that_vanished_or_refuses),
        WITH_WORLD(not_a_database),
        WITH_WORLD(not_ours),
        WITH_WORLD(of_a_newer_version),
        WITH_WORLD(the_reserve),
        WITH_WORLD(a_deletion_takes_little_room),
        WITH_WORLD(of_another_graph),
        WITH_WORLD(damaged_pages),
        WITH_WORLD(another_process_has_it),
        WITH_WORLD(what_was_committed_survives_a_kill),
        WITH_WORLD(a_second_factory_in_this_process),
        WITH_WORLD(a_limit_on_the_size_of_files),
#ifdef __linux__
        cmocka_unit_test(a_small_file_system),
#endif
        WITH_WORLD(a_job_moves_the_journal),
        WITH_WORLD(an_undisturbed_job_comes_to_the_end),
        WITH_WORLD(bulk_is_held_back_while_the_journal_is_long),
        WITH_WORLD(the_journal_is_bounded_without_jobs),
        WITH_WORLD(closing_waits_for_a_job),
        WITH_WORLD(a_job_may_be_finished_before_who_waits_for_it_wakes),
        WITH_WORLD(a_commit_apart_is_whole),
        WITH_WORLD(a_job_may_be_dropped),
        cmocka_unit_test(no_memory),
    };

    program = argv[0];
    if (argc == 3)
        return helper_main(argv[1], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
