/* What other threads do while an import is being committed, which is done without the lock: SQLite is held in its COMMIT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/handle.h"
#include "peergraph/peergraph.h"
#include "runtime/runtime.h"

#define OK(call) assert_int_equal(call, PEER_OK)

static char directory[] = "/tmp/peergraph-import-XXXXXX";
static char path[64];

/* ---------------------------------------------------------------------------------------------------- the commit */

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread; /* whose commit is held */
    int is_held;      /* it is to be */
    int has_come;
    int fails;
} commit = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int on_commit(void *context)
{
    int fails = 0;
    (void)context;
    pthread_mutex_lock(&commit.mutex);
    while (commit.is_held && pthread_equal(commit.thread, pthread_self())) {
        commit.has_come = 1;
        pthread_cond_broadcast(&commit.changed);
        pthread_cond_wait(&commit.changed, &commit.mutex);
        fails = commit.fails;
    }
    pthread_mutex_unlock(&commit.mutex);
    return fails;
}

static int on_connection(sqlite3 *db, char **message_out, const struct sqlite3_api_routines *routines)
{
    (void)message_out;
    (void)routines;
    sqlite3_commit_hook(db, on_commit, NULL);
    return SQLITE_OK;
}

static void let_go(int fails)
{
    pthread_mutex_lock(&commit.mutex);
    commit.is_held = 0;
    commit.fails = fails;
    pthread_cond_broadcast(&commit.changed);
    pthread_mutex_unlock(&commit.mutex);
}

/* ---------------------------------------------------------------------------------------------------- the import */

struct import {
    peer_runtime *runtime;
    peer_graph *other;
    peer_graph *graph;
    pthread_t thread;
    pthread_t ending;
    peer_status (*end)(struct import *import);
    peer_status status;
    peer_status end_status;
};

static void *run(void *context)
{
    struct import *import = context;
    pthread_mutex_lock(&commit.mutex);
    commit.thread = pthread_self();
    commit.is_held = 1;
    pthread_mutex_unlock(&commit.mutex);
    import->status = peer_graph_import_database(import->graph, path);
    return NULL;
}

static peer_graph *open_again(peer_runtime *runtime)
{
    peer_graph *graph = NULL;
    assert_true(peer_graph_open(runtime, "film club", "alice", NULL, NULL, 0, NULL, &graph) >= 0);
    return graph;
}

static peer_runtime *start(void)
{
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_runtime *runtime;
    options.data_directory = directory;
    OK(peer_startup(PEER_GRAPH_VERSION, &options, NULL, &runtime));
    return runtime;
}

static void add(peer_graph *graph)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;
    record.type = (peer_guid){{0x11}};
    record.expires_us = ((int64_t)time(NULL) + 3600) * 1000000;
    OK(peer_graph_add_record(graph, &record, &id));
}

static peer_graph *create(peer_runtime *runtime, const char *graph_id)
{
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_graph *graph;
    properties.graph_id = graph_id;
    properties.creator_id = "alice";
    OK(peer_graph_create(runtime, &properties, NULL, NULL, &graph));
    for (int i = 0; i < 10; i++)
        add(graph);
    return graph;
}

/* A database of ten records is imported into an empty one, and stands in its commit. */
static void set_up(struct import *import)
{
    *import = (struct import){.runtime = start()};
    import->graph = create(import->runtime, "film club");
    OK(peer_graph_export_database(import->graph, path));
    OK(peer_graph_close(import->graph));
    OK(peer_graph_delete(import->runtime, "film club", "alice", NULL));
    import->other = create(import->runtime, "book club");
    import->graph = open_again(import->runtime);
    commit.has_come = 0;
    assert_int_equal(pthread_create(&import->thread, NULL, run, import), 0);
    pthread_mutex_lock(&commit.mutex);
    while (!commit.has_come)
        pthread_cond_wait(&commit.changed, &commit.mutex);
    pthread_mutex_unlock(&commit.mutex);
}

static uint32_t count(peer_graph *graph)
{
    peer_enum *records;
    uint32_t number;
    OK(peer_graph_enum_records(graph, &(peer_guid){{0x11}}, NULL, &records));
    OK(peer_get_item_count(records, &number));
    OK(peer_end_enumeration(records));
    return number;
}

/* All is there when the graph is opened again. */
static void tear_down(peer_runtime *runtime)
{
    peer_graph *graph = open_again(runtime);
    assert_int_equal(count(graph), 10);
    OK(peer_graph_close(graph));
    OK(peer_graph_delete(runtime, "film club", "alice", NULL));
    OK(peer_shutdown(runtime));
    runtime = start();
    OK(peer_graph_delete(runtime, "book club", "alice", NULL));
    OK(peer_shutdown(runtime));
}

static void *end(void *context)
{
    struct import *import = context;
    import->end_status = import->end(import);
    return NULL;
}

/* Ends the graph in a thread of its own. The commit goes on when the end is under way: nobody finds the handle any more. */
static void end_meanwhile(struct import *import, peer_status (*how)(struct import *import), int fails)
{
    import->end = how;
    assert_int_equal(pthread_create(&import->ending, NULL, end, import), 0);
    while (peer__handle_is_alive(HANDLE_GRAPH, (uintptr_t)import->graph))
        continue;
    let_go(fails);
    pthread_join(import->thread, NULL);
    pthread_join(import->ending, NULL);
    OK(import->end_status);
    assert_int_equal(import->status < 0, fails);
}

static peer_status close_graph(struct import *import)
{
    return peer_graph_close(import->graph);
}

static peer_status shut_down(struct import *import)
{
    return peer_shutdown(import->runtime);
}

/* ---------------------------------------------------------------------------------------------------- the tests */

static void other_graphs_do_not_wait(void **state)
{
    struct import import;
    uint32_t status;
    peer_graph *graph;
    (void)state;
    set_up(&import);
    add(import.other);
    assert_int_equal(count(import.other), 11);
    assert_int_equal(peer_graph_get_status(import.graph, &status), PEER_E_GRAPH_IN_USE);
    assert_true(peer_graph_open(import.runtime, "film club", "alice", NULL, NULL, 0, NULL, &graph) < 0);
    assert_int_equal(peer_graph_delete(import.runtime, "film club", "alice", NULL), PEER_E_GRAPH_IN_USE);
    let_go(0);
    pthread_join(import.thread, NULL);
    OK(import.status);
    assert_int_equal(count(import.graph), 10);
    OK(peer_graph_close(import.graph));
    tear_down(import.runtime);
}

static void a_close_waits_for_it(void **state)
{
    struct import import;
    (void)state;
    set_up(&import);
    end_meanwhile(&import, close_graph, 0);
    assert_int_equal(count(import.other), 10);
    tear_down(import.runtime);
}

static void a_shutdown_waits_for_it(void **state)
{
    struct import import;
    (void)state;
    set_up(&import);
    end_meanwhile(&import, shut_down, 0);
    tear_down(start());
}

/* Nothing was imported, and it can be tried again. */
static void after_a_failure(peer_runtime *runtime, peer_graph *graph)
{
    uint32_t status;
    OK(peer_graph_get_status(graph, &status));
    assert_int_equal(status, 0);
    OK(peer_graph_import_database(graph, path));
    assert_int_equal(count(graph), 10);
    OK(peer_graph_close(graph));
    tear_down(runtime);
}

static void one_that_fails_takes_all_back(void **state)
{
    struct import import;
    (void)state;
    set_up(&import);
    let_go(1);
    pthread_join(import.thread, NULL);
    assert_true(import.status < 0);
    after_a_failure(import.runtime, import.graph);
}

static void a_close_waits_for_one_that_fails(void **state)
{
    struct import import;
    (void)state;
    set_up(&import);
    end_meanwhile(&import, close_graph, 1);
    after_a_failure(import.runtime, open_again(import.runtime));
}

static void *let_go_at_exit(void *context)
{
    while (!peer__runtime_exiting())
        continue;
    let_go(0);
    return context;
}

/* A thread that holds no lock cannot hold up the end of the process for longer than its commit takes. */
static void the_process_may_end(void **state)
{
    struct import import;
    int status;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        set_up(&import);
        pthread_create(&thread, NULL, let_go_at_exit, NULL);
        pthread_detach(thread);
        pthread_detach(import.thread);
        exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    tear_down(start());
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/file", directory);
    return sqlite3_auto_extension((void (*)(void))on_connection) == SQLITE_OK ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", directory);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_may_end), /* first: in a child of who has started a runtime there is none */
        cmocka_unit_test(other_graphs_do_not_wait),
        cmocka_unit_test(a_close_waits_for_it),
        cmocka_unit_test(a_shutdown_waits_for_it),
        cmocka_unit_test(one_that_fails_takes_all_back),
        cmocka_unit_test(a_close_waits_for_one_that_fails),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
