/* A process ends while a worker is still searching: the search is given up, so that the graphs are closed in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peergraph/peergraph.h"
#include "unit/directory.h"

/* One step of the search looks at 512 records and takes a moment; all of them take far longer than an exit may. */
#define BATCHES 16
#define BATCH_COUNT 1024
#define INSTRUCTIONS_A_PAUSE 200
#define PAUSE_MS 2

/* How the searching process ends. */
enum { CLOSED = 7, NOT_CLOSED = 8 };

static const char *program;
static atomic_int is_slow;
static peer_event_queue *queue;

static int pause_a_little(void *context)
{
    (void)context;
    if (atomic_load(&is_slow))
        poll(NULL, 0, PAUSE_MS);
    return 0;
}

static int on_connection(sqlite3 *db, char **message_out, const struct sqlite3_api_routines *routines)
{
    (void)message_out;
    (void)routines;
    sqlite3_progress_handler(db, INSTRUCTIONS_A_PAUSE, pause_a_little, NULL);
    return SQLITE_OK;
}

static int add_records(peer_graph *graph)
{
    peer_record_input record = PEER_RECORD_INPUT_INIT;
    peer_guid id;
    record.type = (peer_guid){{0x11}};
    record.expires_us = ((int64_t)time(NULL) + 3600) * 1000000;
    for (int i = 0; i < BATCHES; i++) {
        peer_batch *batch;
        if (peer_graph_begin_batch(graph, &batch) < 0)
            return -1;
        for (int j = 0; j < BATCH_COUNT; j++)
            peer_batch_add_record(batch, &record, &id);
        if (peer_batch_commit(batch) < 0)
            return -1;
    }
    return 0;
}

/* Runs after the exit handler of the library, which was registered later. */
static void look_at_the_end(void)
{
    int closed = 0;
    peer_event *event;
    atomic_store(&is_slow, 0);
    while (peer_get_event_data(queue, &event) == PEER_OK) {
        peer_event_view view;
        if (peer_event_get_view(event, sizeof(view), &view) == PEER_OK)
            closed |= view.type == PEER_EVENT_CLOSED;
        peer_free_data(event);
    }
    _exit(closed ? CLOSED : NOT_CLOSED);
}

static int search_and_exit(const char *data_directory)
{
    peer_startup_input options = PEER_STARTUP_INPUT_INIT;
    peer_graph_properties_input properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    peer_event_registration registration = {.type = PEER_GRAPH_EVENT_CONNECTION_REQUIRED};
    peer_runtime *runtime;
    peer_graph *graph;
    peer_enum *found;
    options.data_directory = data_directory;
    properties.graph_id = "film club";
    properties.creator_id = "alice";
    if (atexit(look_at_the_end) != 0 || sqlite3_auto_extension((void (*)(void))on_connection) != SQLITE_OK ||
        peer_startup(PEER_GRAPH_VERSION, &options, NULL, &runtime) < 0 ||
        peer_graph_create(runtime, &properties, NULL, NULL, &graph) < 0 ||
        peer_graph_register_event(graph, 1, &registration, &queue) < 0 || add_records(graph) < 0)
        _exit(2);
    if (peer_graph_search_records(graph,
                                  "<peersearch><clause attrib=\"peercreatorid\" type=\"string\" compare=\"equal\">"
                                  "alice</clause></peersearch>",
                                  &found) < 0)
        _exit(3);
    atomic_store(&is_slow, 1); /* the worker has begun, or is about to */
    exit(0);
}

static int end_of_a_search(int number)
{
    char folder[96];
    int status;
    snprintf(folder, sizeof(folder), "%s/%d", directory, number);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, folder, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Where the machine itself stands still for two seconds the graph is not closed either; not three times in a row. */
static void a_search_does_not_hold_up_the_end(void **state)
{
    int how = NOT_CLOSED;
    (void)state;
    for (int number = 0; number < 3 && how == NOT_CLOSED; number++)
        how = end_of_a_search(number);
    assert_int_equal(how, CLOSED);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 2)
        return search_and_exit(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_does_not_hold_up_the_end),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
