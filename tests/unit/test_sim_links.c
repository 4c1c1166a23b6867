/* Links of the simulated network through its public header: cuts, resets, delays, who is connected to whom. */
#include <stdlib.h>

#include "sim_world.h"

static void a_cut_may_be_one_way(void **state)
{
    static const uint32_t one = 1, two = 2, both[] = {1, 2};
    peer_sim *sim = network(8);
    peer_graph *first = create(sim, host(sim));
    peer_graph *second = join(sim, host(sim), 1);
    const peer_sim_connection_view *views;
    uint32_t count;
    (void)state;
    assert_ok(peer_sim_cut(sim, 1, &one, 1, &two));
    peer_guid lost = add(first, "lost");
    peer_guid heard = add(second, "heard");
    assert_true(arrives(sim, first, &heard, 5));
    run(sim, 5);
    assert_false(has(second, &lost));
    assert_ok(peer_sim_get_connections(sim, sizeof(*views), &count, &views));
    assert_int_equal(count, 1);
    assert_int_equal(views[0].flags, PEER_SIM_CONNECTION_NEIGHBOR | PEER_SIM_CONNECTION_CUT);
    peer_free_data(views);
    assert_ok(peer_sim_mend(sim, 1, &one, 1, &two));
    assert_true(arrives(sim, second, &lost, 5));
    assert_ok(peer_sim_partition(sim, 1, &one, 2, both)); /* not from itself */
    peer_guid stalled = add(first, "stalled");
    run(sim, 5);
    assert_false(has(second, &stalled));
    assert_ok(peer_sim_heal(sim));
    assert_true(arrives(sim, second, &stalled, 5));
    assert_status(peer_sim_cut(sim, 0, &one, 1, &two), E_INVALIDARG);
    assert_status(peer_sim_cut(sim, 1, &one, 1, NULL), E_INVALIDARG);
    uint32_t three = 3;
    assert_status(peer_sim_cut(sim, 1, &one, 1, &three), E_INVALIDARG);
    assert_non_null(strstr(peer_last_error_message(), "to[0] is 3"));
    assert_ok(peer_sim_close(sim));
}

static void a_cut_connection_is_reset_after_a_while(void **state)
{
    static const uint32_t one = 1, two = 2;
    peer_sim_options_input options = PEER_SIM_OPTIONS_INPUT_INIT;
    const peer_sim_connection_view *views;
    uint32_t count;
    peer_sim *sim;
    (void)state;
    options.reset_after_us = 7 * SECOND;
    assert_ok(peer_sim_open(1, &options, &sim));
    create(sim, host(sim));
    join(sim, host(sim), 1);
    assert_ok(peer_sim_partition(sim, 1, &one, 1, &two));
    run(sim, 6);
    assert_ok(peer_sim_get_connections(sim, sizeof(*views), &count, &views));
    peer_free_data(views);
    run(sim, 2);
    assert_status(peer_sim_get_connections(sim, sizeof(*views), &count, &views), PEER_S_NO_EVENT_DATA);
    assert_null(views);
    assert_ok(peer_sim_close(sim));
}

static void connections_can_be_reset(void **state)
{
    peer_sim *sim = network(8);
    create(sim, host(sim));
    peer_graph *second = join(sim, host(sim), 1);
    peer_event_queue *queue = watch(second);
    peer_event_view view;
    uint32_t count;
    (void)state;
    assert_ok(peer_sim_reset_connections(sim, 1, PEER_SIM_ANY_HOST, &count));
    assert_int_equal(count, 1);
    assert_true(take(queue, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, &view));
    assert_int_equal(view.change, PEER_DISCONNECTED);
    assert_ok(peer_sim_reset_connections(sim, 1, 2, &count));
    assert_int_equal(count, 0);
    assert_status(peer_sim_reset_connections(sim, 0, 1, &count), E_INVALIDARG);
    assert_status(peer_sim_reset_connections(sim, 1, 5, &count), E_INVALIDARG);
    assert_ok(peer_unregister_event(queue));
    assert_ok(peer_sim_close(sim));
}

/* How long a record of so many bytes takes from one graph to the other. */
static int64_t transfer_us(peer_sim *sim, peer_graph *from, peer_graph *to, size_t size)
{
    char *text = calloc(1, size + 1);
    memset(text, 'x', size);
    int64_t start = now(sim);
    peer_guid id = add(from, text);
    free(text);
    for (int i = 0; i < 9000 && !has(to, &id); i++)
        assert_ok(peer_sim_run_for(sim, SECOND / 100));
    assert_true(has(to, &id));
    return now(sim) - start;
}

static void each_link_is_its_own(void **state)
{
    peer_sim *sim = network(8);
    peer_graph *first = create(sim, host(sim));
    peer_graph *second = join(sim, host(sim), 1);
    peer_graph *third = join(sim, host(sim), 1);
    peer_sim_link_input link = PEER_SIM_LINK_INPUT_INIT;
    (void)state;
    link.bandwidth = 10000;
    assert_ok(peer_sim_set_link(sim, 1, 2, &link));
    assert_in_range(transfer_us(sim, first, second, 50000), 5 * SECOND, 6 * SECOND);
    assert_true(has(third, &note_type) == 0);
    assert_true(transfer_us(sim, second, first, 50000) < SECOND); /* the other way */
    run(sim, 20);
    assert_true(transfer_us(sim, first, third, 50000) < SECOND);
    run(sim, 20);
    assert_ok(peer_sim_set_link(sim, 1, 2, NULL));
    assert_true(transfer_us(sim, first, second, 50000) < SECOND);
    link.bandwidth = 0;
    link.latency_us = 2 * SECOND;
    link.jitter_us = 0;
    assert_ok(peer_sim_set_link(sim, PEER_SIM_ANY_HOST, 3, &link));
    assert_in_range(transfer_us(sim, first, third, 10), 2 * SECOND, 2 * SECOND + SECOND / 10);
    assert_true(transfer_us(sim, first, second, 10) < SECOND);
    assert_ok(peer_sim_set_link(sim, PEER_SIM_ANY_HOST, 3, NULL));
    assert_ok(peer_sim_set_link(sim, PEER_SIM_ANY_HOST, PEER_SIM_ANY_HOST, &link));
    assert_in_range(transfer_us(sim, first, third, 10), 2 * SECOND, 2 * SECOND + SECOND / 10);
    assert_ok(peer_sim_set_link(sim, PEER_SIM_ANY_HOST, PEER_SIM_ANY_HOST, NULL));
    assert_true(transfer_us(sim, first, third, 10) < SECOND);
    assert_ok(peer_sim_close(sim));
}

static void loss_shows_as_delay_stall_and_reset(void **state)
{
    peer_sim *sim = network(8);
    peer_graph *first = create(sim, host(sim));
    peer_graph *second = join(sim, host(sim), 1);
    peer_sim_link_input link = PEER_SIM_LINK_INPUT_INIT;
    peer_event_queue *queue = watch(first);
    peer_event_view view;
    (void)state;
    link.loss_ppm = 1000000;
    assert_ok(peer_sim_set_link(sim, 1, 2, &link));
    assert_true(transfer_us(sim, first, second, 10) > 10 * SECOND); /* eight time-outs, each twice the one before */
    link.loss_ppm = 0;
    assert_ok(peer_sim_set_link(sim, 1, 2, &link));
    run(sim, 60);
    link.stall_ppm = 1000000;
    link.stall_us = 3 * SECOND;
    assert_ok(peer_sim_set_link(sim, 1, 2, &link));
    assert_in_range(transfer_us(sim, first, second, 10), 3 * SECOND, 10 * SECOND);
    assert_false(take(queue, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, &view));
    link.stall_ppm = 0;
    link.reset_ppm = 1000000;
    assert_ok(peer_sim_set_link(sim, 1, 2, &link));
    add(first, "breaks it");
    run(sim, 1);
    assert_true(take(queue, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, &view));
    assert_int_equal(view.change, PEER_DISCONNECTED);
    assert_ok(peer_unregister_event(queue));
    assert_ok(peer_sim_close(sim));
}

static void wrong_links_are_refused(void **state)
{
    peer_sim *sim = network(8);
    peer_sim_link_input link = PEER_SIM_LINK_INPUT_INIT;
    uint32_t *const chances[] = {&link.loss_ppm, &link.stall_ppm, &link.reset_ppm};
    int64_t *const delays[] = {&link.stall_us, &link.latency_us, &link.jitter_us};
    (void)state;
    host(sim);
    for (size_t i = 0; i < 3; i++) {
        *chances[i] = 1000001;
        assert_status(peer_sim_set_link(sim, 1, 1, &link), E_INVALIDARG);
        *chances[i] = 0;
        *delays[i] = -1;
        assert_status(peer_sim_set_link(sim, 1, 1, &link), E_INVALIDARG);
        *delays[i] = 0;
    }
    assert_status(peer_sim_set_link(sim, 1, 2, &link), E_INVALIDARG);
    assert_status(peer_sim_set_link(sim, 2, 1, &link), E_INVALIDARG);
    assert_ok(peer_sim_set_link(sim, 1, 1, &link));
    assert_ok(peer_sim_close(sim));
}

static void the_topology_can_be_asked_for(void **state)
{
    peer_sim *sim = network(9);
    create(sim, host(sim));
    join(sim, host(sim), 1);
    join(sim, host(sim), 2);
    const peer_sim_connection_view *views;
    uint32_t count;
    (void)state;
    assert_ok(peer_sim_get_connections(sim, sizeof(*views), &count, &views));
    assert_int_equal(count, 2);
    assert_int_equal(views[0].from, 2);
    assert_int_equal(views[0].to, 1);
    assert_int_equal(views[1].from, 3);
    assert_int_equal(views[1].to, 2);
    assert_int_equal(views[1].flags, PEER_SIM_CONNECTION_NEIGHBOR);
    assert_true(views[1].since_us > 0 && views[1].connection_id > views[0].connection_id);
    peer_free_data(views);
    assert_status(peer_sim_get_connections(sim, sizeof(*views), NULL, &views), E_INVALIDARG);
    assert_status(peer_sim_get_connections(sim, sizeof(*views), &count, NULL), E_INVALIDARG);
    assert_status(peer_sim_get_connections(sim, 7, &count, &views), E_INVALIDARG);
    assert_ok(peer_sim_close(sim));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_may_be_one_way),
        cmocka_unit_test(a_cut_connection_is_reset_after_a_while),
        cmocka_unit_test(connections_can_be_reset),
        cmocka_unit_test(each_link_is_its_own),
        cmocka_unit_test(loss_shows_as_delay_stall_and_reset),
        cmocka_unit_test(wrong_links_are_refused),
        cmocka_unit_test(the_topology_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
