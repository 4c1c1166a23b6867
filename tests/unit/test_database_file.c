/* Export and import without memory: each allocation fails once, and then nothing has been done. */
#include <stdio.h>
#include <unistd.h>

#include "sim_world.h"

static char folder[] = "/tmp/peergraph-file-XXXXXX";
static char path[64];

struct attempt {
    peer_graph *graph;
    peer_status (*call)(peer_graph *graph, const char *path);
};

static size_t until_it_succeeds(const struct attempt *attempt, void (*check)(peer_graph *graph))
{
    size_t failures = 0;
    for (int64_t granted = 0;; granted++) {
        int64_t live = peer__memory_live();
        peer__memory_fail_after(granted);
        peer_status status = attempt->call(attempt->graph, path);
        peer__memory_fail_after(-1);
        if (status == PEER_OK)
            return failures;
        assert_status(status, E_OUTOFMEMORY);
        assert_true(peer__memory_live() <= live + 8); /* scratch memory may stay */
        check(attempt->graph);
        failures++;
    }
}

static void nothing_is_written(peer_graph *graph)
{
    char part[80];
    (void)graph;
    snprintf(part, sizeof(part), "%s.part", path);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(part, F_OK), 0);
}

static void nothing_is_taken(peer_graph *graph)
{
    uint32_t status;
    peer_enum *records;
    assert_ok(peer_graph_get_status(graph, &status));
    assert_int_equal(status, 0);
    assert_status(peer_graph_enum_records(graph, NULL, NULL, &records), PEER_E_GRAPH_NOT_READY);
}

static void without_memory_nothing_is_done(void **state)
{
    (void)state;
    peer_sim *sim = network(1);
    uint32_t first = host(sim);
    uint32_t second = host(sim);
    peer_graph *graph = create(sim, first);
    peer_event_queue *queue = NULL;
    char peer_id[16];
    peer_guid ids[40];
    snprintf(peer_id, sizeof(peer_id), "p%u", first);
    for (size_t i = 0; i < 40; i++)
        ids[i] = add(graph, "a record");
    size_t failures = until_it_succeeds(&(struct attempt){graph, peer_graph_export_database}, nothing_is_written);
    assert_true(failures > 4);

    peer_graph *other = NULL;
    assert_int_equal(peer_graph_open(runtime(sim, second), "G", peer_id, NULL, NULL, 0, NULL, &other),
                     PEER_S_GRAPH_DATA_CREATED);
    queue = watch(other);
    failures = until_it_succeeds(&(struct attempt){other, peer_graph_import_database}, nothing_is_taken);
    assert_true(failures > 80); /* a record and its row */
    for (size_t i = 0; i < 40; i++)
        assert_true(has(other, &ids[i]));
    peer_event_view event;
    assert_true(take(queue, PEER_EVENT_OVERFLOW, &event)); /* there was just enough for the import */
    assert_int_equal(event.status, PEER_GRAPH_EVENT_RECORD_CHANGED);
    assert_int_equal(event.lost_count, 40);
    assert_ok(peer_unregister_event(queue));
    assert_ok(peer_sim_close(sim));
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(without_memory_nothing_is_done)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
