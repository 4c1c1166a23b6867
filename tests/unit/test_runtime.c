/* The driver for life, on real sockets of this machine. No test sleeps: each waits for what it is about, with a deadline. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/object.h"
#include "graph/graph.h"
#include "runtime/directory.h"
#include "runtime/runtime.h"
#include "runtime/socket.h"
#include "runtime/thread.h"
#include "unit/check.h"
#include "unit/directory.h"

#define PATIENCE_US 40000000 /* more than the 15 s between two looks for expired records */
#define STOP_MAX_US 5000000

/* ---- the data directory */

static void the_directory_is_made_with_its_parents_for_the_owner_only(void **state)
{
    char path[128];
    struct stat found;

    (void)state;
    snprintf(path, sizeof(path), "%s/one/two", directory);
    assert_int_equal(peer__directory_make(path), PEER_OK);
    assert_int_equal(peer__directory_make(path), PEER_OK);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    snprintf(path, sizeof(path), "%s/one", directory);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);

    assert_int_equal(peer__directory_make("/dev/null/inside"), E_ACCESSDENIED);
    assert_non_null(strstr(peer__last_error(), "\"/dev/null/inside\""));
}

/* ---- nodes */

struct node {
    struct driver *driver;
    struct graph *graph;
    struct event_queue *queue;
    int descriptor;
    uint16_t port;
};

static void start(struct node *node, const char *name)
{
    char path[128];

    *node = (struct node){.descriptor = -1};
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    assert_int_equal(peer__runtime_start(path, &node->driver), PEER_OK);
}

static void subscribe(struct node *node)
{
    int64_t descriptor;

    assert_int_equal(peer__event_queue_create(0, NULL, EVENT_QUEUE_SIZE_MAX, &node->queue), PEER_OK);
    assert_int_equal(peer__event_queue_descriptor(node->queue, &descriptor), PEER_OK);
    node->descriptor = (int)descriptor;
    peer__graph_subscribe(node->graph, node->queue);
}

static void create_graph(struct node *node, const char *graph_id)
{
    peer_graph_properties_view properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;

    properties.graph_id = graph_id;
    properties.creator_id = "alice";
    properties.scope = PEER_GRAPH_SCOPE_GLOBAL;
    node->driver->lock(node->driver);
    assert_int_equal(peer__graph_create(node->driver->engine, &properties, "default", 0, &node->graph), PEER_OK);
    subscribe(node);
    node->driver->unlock(node->driver);
}

static void open_graph(struct node *node, const char *graph_id)
{
    node->driver->lock(node->driver);
    assert_true(peer__graph_open(node->driver->engine, graph_id, "bob", "default", 0, 0, NULL, &node->graph) >= 0);
    subscribe(node);
    node->driver->unlock(node->driver);
}

static peer_status listen_on(struct node *node, uint32_t scope, uint16_t port)
{
    struct graph_node_info info;

    node->driver->lock(node->driver);
    peer_status status = peer__graph_listen(node->graph, scope, 0, port);
    if (status == PEER_OK) {
        assert_int_equal(peer__graph_node_info(node->graph, 0, &info), PEER_OK);
        assert_true(info.address_count > 0);
        node->port = info.addresses[0].port;
    }
    node->driver->unlock(node->driver);
    return status;
}

static peer_status connect_to(struct node *node, const char *host, uint16_t port)
{
    char address[300];

    snprintf(address, sizeof(address), "%s:%u", host, port);
    node->driver->lock(node->driver);
    peer_status status = peer__graph_connect(node->graph, NULL, address, NULL);
    node->driver->unlock(node->driver);
    return status;
}

static void stop(struct node *node)
{
    node->driver->stop(node->driver, 1000);
    if (node->queue != NULL) {
        peer__event_queue_end(node->queue);
        peer__event_queue_release(node->queue);
    }
}

/* The next event of that type and change; what comes before it is dropped. */
static void expect_event(struct node *node, int32_t type, int32_t change, char message_out[512])
{
    int64_t until_us = peer__monotonic_us() + PATIENCE_US;

    for (;;) {
        struct pollfd wait = {.fd = node->descriptor, .events = POLLIN};
        struct peer_event *event;
        peer_event_view view;
        int64_t left_us = until_us - peer__monotonic_us();
        if (left_us <= 0 || poll(&wait, 1, (int)(left_us / 1000)) < 0)
            fail_msg("no event of type %d and change %d came", type, change);
        if (peer__event_queue_take(node->queue, &event) != PEER_OK)
            continue;
        assert_int_equal(peer__event_get_view(event, sizeof(view), &view), PEER_OK);
        int found = view.type == type && view.change == change;
        if (found && message_out != NULL)
            snprintf(message_out, 512, "%s", view.message != NULL ? view.message : "");
        peer__object_release(event);
        if (found)
            return;
    }
}

static const peer_guid note_type = {{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 1, 2, 3, 4, 5, 6, 7, 8}};

static void add_note_locked(struct node *node, size_t size, int64_t lifetime_us)
{
    peer_record_view note = PEER_RECORD_INPUT_INIT;
    peer_guid id;
    void *data = calloc(1, size);

    note.type = note_type;
    note.data = data;
    note.size = size;
    note.expires_us = peer__graph_peer_time_us(node->graph, peer__utc_us()) + lifetime_us;
    assert_int_equal(peer__graph_add(node->graph, &note, &id), PEER_OK);
    free(data);
}

static void add_note(struct node *node, size_t size)
{
    node->driver->lock(node->driver);
    add_note_locked(node, size, INT64_C(3600000000));
    node->driver->unlock(node->driver);
}

static size_t count_notes(struct node *node)
{
    peer_guid *ids = NULL;
    size_t count = 0;

    node->driver->lock(node->driver);
    if (peer__graph_list(node->graph, &note_type, NULL, &ids, &count) < 0)
        count = 0;
    node->driver->unlock(node->driver);
    peer__free(ids);
    return count;
}

static void expect_notes(struct node *node, size_t count)
{
    while (count_notes(node) < count)
        expect_event(node, PEER_GRAPH_EVENT_RECORD_CHANGED, PEER_RECORD_ADDED, NULL);
    assert_int_equal(count_notes(node), count);
}

/* ---- the driver */

static void it_starts_and_stops_and_leaves_nothing(void **state)
{
    int64_t live = 0;

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct node node;
        start(&node, "empty");
        stop(&node);
        if (i == 0)
            live = peer__memory_live(); /* with what stays for the life of the process */
    }
    assert_int_equal(peer__memory_live(), live);
    assert_false(peer__runtime_exiting());
}

/* Or so it seems: on a busy machine the loop may have been waiting for a processor. */
static uint64_t wait_until_asleep(struct node *node)
{
    uint64_t before;

    do {
        before = peer__runtime_iterations(node->driver);
        poll(NULL, 0, 20);
    } while (peer__runtime_iterations(node->driver) != before);
    return before;
}

static void idle_means_asleep(void **state)
{
    struct node node;
    struct timespec second = {.tv_sec = 1};
    uint64_t before;
    int attempts = 0;

    (void)state;
    start(&node, "idle");
    do { /* who is awake now and then is found awake each time */
        assert_true(attempts++ < 10);
        before = wait_until_asleep(&node);
        nanosleep(&second, NULL); /* the one thing here that can only be seen by waiting */
    } while (peer__runtime_iterations(node.driver) != before);
    stop(&node);
}

/* The graph's first timer fires in the same iteration in which the loop then sleeps: what that timer has set must be
 * kept all the same, though nobody calls any more. */
static void a_timer_set_by_a_timer_is_kept(void **state)
{
    peer_graph_properties_view properties = PEER_GRAPH_PROPERTIES_INPUT_INIT;
    struct node node = {0};
    (void)state;

    start(&node, "timers");
    properties.graph_id = "timers";
    properties.creator_id = "alice";
    node.driver->lock(node.driver);
    assert_int_equal(peer__graph_create(node.driver->engine, &properties, "default", 0, &node.graph), PEER_OK);
    subscribe(&node);
    add_note_locked(&node, 10, 1000000);
    for (int64_t due_us = peer__monotonic_us() + 5000; peer__monotonic_us() < due_us;)
        continue; /* overdue, the timer fires before the loop polls, not after */
    node.driver->unlock(node.driver);
    expect_event(&node, PEER_GRAPH_EVENT_RECORD_CHANGED, PEER_RECORD_EXPIRED, NULL);
    stop(&node);
}

static void records_cross(const char *host, uint32_t scope, const char *graph_id)
{
    struct node alice, bob;

    start(&alice, "alice");
    start(&bob, "bob");
    create_graph(&alice, graph_id);
    add_note(&alice, 100);
    assert_int_equal(listen_on(&alice, scope, 0), PEER_OK);
    open_graph(&bob, graph_id);
    assert_int_equal(connect_to(&bob, host, alice.port), PEER_OK);
    expect_event(&bob, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, PEER_CONNECTED, NULL);
    expect_notes(&bob, 1);

    for (int i = 0; i < 50; i++)
        add_note(&alice, 1000);
    expect_notes(&bob, 51);
    add_note(&alice, 3000000); /* more than a socket takes at once */
    expect_notes(&bob, 52);
    add_note(&bob, 2000000);
    expect_notes(&alice, 53);

    stop(&bob);
    expect_event(&alice, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, PEER_DISCONNECTED, NULL);
    stop(&alice);
}

static void records_cross_over_ipv4(void **state)
{
    (void)state;
    records_cross("127.0.0.1", PEER_GRAPH_SCOPE_LOOPBACK, "ipv4");
}

static void records_cross_over_ipv6(void **state)
{
    (void)state;
    records_cross("[::1]", PEER_GRAPH_SCOPE_LOOPBACK, "ipv6");
}

static void records_cross_by_name_to_a_global_listener(void **state)
{
    (void)state;
    records_cross("localhost", PEER_GRAPH_SCOPE_GLOBAL, "name");
}

/* A socket of the test's own on 127.0.0.1. */
static int take_port(int listening, uint16_t *port_out)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&name, size), 0);
    if (listening)
        assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    *port_out = ntohs(name.sin_port);
    return fd;
}

static void a_failed_dial_says_why(void **state)
{
    struct node bob;
    char message[512], expected[64];
    uint16_t port;
    int taken = take_port(0, &port);

    (void)state;
    start(&bob, "dial");
    open_graph(&bob, "dial");
    assert_int_equal(connect_to(&bob, "127.0.0.1", port), PEER_OK);
    expect_event(&bob, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, PEER_CONNECTION_FAILED, message);
    snprintf(expected, sizeof(expected), "\"127.0.0.1:%u\" refused the connection", port);
    assert_string_equal(message, expected);

    assert_int_equal(connect_to(&bob, "nohost.invalid", 5000), PEER_OK);
    expect_event(&bob, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, PEER_CONNECTION_FAILED, message);
    assert_non_null(strstr(message, "cannot resolve \"nohost.invalid\""));
    stop(&bob);
    close(taken);
}

static void a_taken_port_is_named(void **state)
{
    struct node alice;
    char expected[64];
    uint16_t port;
    int taken = take_port(1, &port);

    (void)state;
    start(&alice, "taken");
    create_graph(&alice, "taken");
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, port), PEER_E_UNABLE_TO_LISTEN);
    snprintf(expected, sizeof(expected), "port %u is taken", port);
    assert_string_equal(peer__last_error(), expected);
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_GLOBAL, port), PEER_E_UNABLE_TO_LISTEN);
    close(taken);
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, port), PEER_OK);
    stop(&alice);
}

static void a_closed_graph_gives_its_port_back_at_once(void **state)
{
    struct node alice;

    (void)state;
    start(&alice, "again");
    create_graph(&alice, "again");
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, 0), PEER_OK);
    for (int i = 0; i < 20; i++) {
        alice.driver->lock(alice.driver);
        peer__graph_close(alice.graph, PEER_OK, "closed");
        assert_true(peer__graph_open(alice.driver->engine, "again", "alice", "default", 0, 0, NULL, &alice.graph) >= 0);
        alice.driver->unlock(alice.driver);
        assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, alice.port), PEER_OK);
    }
    stop(&alice);
}

static int raw_connect(uint16_t port)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

static void two_hundred_strangers_come_and_go(void **state)
{
    struct node alice, bob;
    int strangers[200];

    (void)state;
    start(&alice, "crowded");
    start(&bob, "crowded-bob");
    create_graph(&alice, "crowded");
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, 0), PEER_OK);
    for (int i = 0; i < 200; i++) {
        strangers[i] = raw_connect(alice.port);
        if (i % 3 == 0)
            assert_true(send(strangers[i], "\x10\x00 nonsense", 11, MSG_NOSIGNAL) > 0);
    }
    for (int i = 0; i < 200; i++) {
        if (i % 2 == 0) /* a reset instead of an orderly end */
            setsockopt(strangers[i], SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        close(strangers[i]);
    }
    open_graph(&bob, "crowded");
    assert_int_equal(connect_to(&bob, "127.0.0.1", alice.port), PEER_OK);
    expect_event(&bob, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, PEER_CONNECTED, NULL);
    stop(&alice);
    expect_event(&bob, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, PEER_DISCONNECTED, NULL);
    stop(&bob);
}

static int count_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

/* The system tells of the input and of the error at once; after the input the error is still to be seen. */
static void a_reset_behind_unread_input_ends_the_connection(void **state)
{
    struct node alice;

    (void)state;
    start(&alice, "reset");
    create_graph(&alice, "reset");
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, 0), PEER_OK);
    wait_until_asleep(&alice);
    int before = count_descriptors();
    alice.driver->lock(alice.driver); /* the connection is not read before it is reset */
    for (int i = 0; i < 3; i++) {
        int stranger = raw_connect(alice.port);
        assert_int_equal(send(stranger, "\x10\x00\x20", 3, MSG_NOSIGNAL), 3); /* a beginning */
        setsockopt(stranger, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        close(stranger);
    }
    alice.driver->unlock(alice.driver);
    wait_until_asleep(&alice);
    int64_t until_us = peer__monotonic_us() + 10000000; /* long before the handshake is given up */
    while (count_descriptors() > before && peer__monotonic_us() < until_us)
        poll(NULL, 0, 5);
    assert_int_equal(count_descriptors(), before);
    stop(&alice);
}

static void out_of_descriptors_it_refuses_and_stays_calm(void **state)
{
    struct node alice;
    struct rlimit before, low;

    (void)state;
    start(&alice, "emfile");
    create_graph(&alice, "emfile");
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, 0), PEER_OK);
    int stranger = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    low.rlim_cur = 3; /* every new descriptor is refused, the spare one's successor too */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(alice.port)};
    assert_int_equal(connect(stranger, (struct sockaddr *)&name, sizeof(name)), 0);
    uint64_t iterations = peer__runtime_iterations(alice.driver);
    int64_t since_us = peer__monotonic_us();
    poll(NULL, 0, 350);
    int64_t waited_us = peer__monotonic_us() - since_us; /* longer than that on a busy machine */
    assert_true((int64_t)(peer__runtime_iterations(alice.driver) - iterations) < waited_us / 10000);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    close(stranger);
    stop(&alice);
}

static void a_stop_does_not_wait_for_the_silent(void **state)
{
    struct node alice;
    int strangers[20];

    (void)state;
    start(&alice, "silent");
    create_graph(&alice, "silent");
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, 0), PEER_OK);
    for (int i = 0; i < 20; i++)
        strangers[i] = raw_connect(alice.port);
    int64_t since_us = peer__monotonic_us();
    alice.driver->stop(alice.driver, 200);
    assert_true(peer__monotonic_us() - since_us < STOP_MAX_US);
    peer__event_queue_end(alice.queue);
    peer__event_queue_release(alice.queue);
    for (int i = 0; i < 20; i++)
        close(strangers[i]);
}

/* ---- the end of a process */

static atomic_int calls_made;

/* Calls for ever, as a thread of an application that does not know of the end. */
static void *keep_calling(void *context)
{
    struct node *node = context;

    while (!peer__runtime_exiting()) {
        add_note(node, 10);
        atomic_fetch_add(&calls_made, 1);
    }
    return NULL;
}

static void exit_while_another_thread_calls(void)
{
    struct node alice, bob;
    pthread_t caller;

    start(&alice, "exit");
    start(&bob, "exit-bob");
    create_graph(&alice, "exit");
    assert_int_equal(listen_on(&alice, PEER_GRAPH_SCOPE_LOOPBACK, 0), PEER_OK);
    open_graph(&bob, "exit");
    assert_int_equal(connect_to(&bob, "127.0.0.1", alice.port), PEER_OK);
    expect_event(&bob, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, PEER_CONNECTED, NULL);
    pthread_create(&caller, NULL, keep_calling, &alice);
    pthread_detach(caller);
    while (atomic_load(&calls_made) < 20)
        sched_yield();
    exit(7);
}

static void fork_and_exit(void)
{
    struct node alice;
    int status;

    start(&alice, "fork");
    wait_until_asleep(&alice); /* a sanitizer's own locks do not survive a fork in the middle of something */
    pid_t child = fork();
    if (child == 0)
        exit(8); /* its exit handler must not wait for threads that it does not have */
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 8)
        _exit(9);
    exit(7);
}

/* The test runs itself again: cmocka's own process has to go on. */
static const char *program;

static void ends_well(const char *mode)
{
    int status = -1;
    int64_t since_us = peer__monotonic_us();
    pid_t child = fork();

    if (child == 0) {
        execl(program, program, mode, directory, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_true(peer__monotonic_us() - since_us < PATIENCE_US);
}

static void a_process_may_exit_at_any_time(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        ends_well("exit");
}

static void a_forked_child_exits_by_itself(void **state)
{
    (void)state;
    ends_well("fork");
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 3) {
        snprintf(directory, sizeof(directory), "%s/XXXXXX", argv[2]); /* removed with the parent's */
        if (mkdtemp(directory) == NULL)
            return 1;
        if (strcmp(argv[1], "exit") == 0)
            exit_while_another_thread_calls();
        fork_and_exit();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_directory_is_made_with_its_parents_for_the_owner_only),
        cmocka_unit_test(it_starts_and_stops_and_leaves_nothing),
        cmocka_unit_test(idle_means_asleep),
        cmocka_unit_test(a_timer_set_by_a_timer_is_kept),
        cmocka_unit_test(records_cross_over_ipv4),
        cmocka_unit_test(records_cross_over_ipv6),
        cmocka_unit_test(records_cross_by_name_to_a_global_listener),
        cmocka_unit_test(a_failed_dial_says_why),
        cmocka_unit_test(a_taken_port_is_named),
        cmocka_unit_test(a_closed_graph_gives_its_port_back_at_once),
        cmocka_unit_test(two_hundred_strangers_come_and_go),
        cmocka_unit_test(a_reset_behind_unread_input_ends_the_connection),
        cmocka_unit_test(out_of_descriptors_it_refuses_and_stays_calm),
        cmocka_unit_test(a_stop_does_not_wait_for_the_silent),
        cmocka_unit_test(a_process_may_exit_at_any_time),
        cmocka_unit_test(a_forked_child_exits_by_itself),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
