#include "scene.h"

static void open_and_close(void)
{
    /* example: peer_sim_open peer_sim_add_host peer_sim_get_runtime peer_sim_close */
    peer_sim *sim;
    peer_sim_host_input input = PEER_SIM_HOST_INPUT_INIT;
    uint32_t host;
    peer_runtime *runtime;

    check(peer_sim_open(1, NULL, &sim)); /* the seed: another one, another run */
    input.name = "alice";
    check(peer_sim_add_host(sim, &input, &host));
    check(peer_sim_get_runtime(sim, host, &runtime)); /* use it as any other */
    check(peer_sim_close(sim));
    /* end */
}

static void hosts(peer_sim *sim, uint32_t host)
{
    /* example: peer_sim_set_address peer_sim_set_disk_full peer_sim_set_clock peer_sim_get_host_view */
    peer_sim_host_view view;

    check(peer_sim_set_address(sim, host, "192.0.2.7"));
    check(peer_sim_set_disk_full(sim, host, 1));
    check(peer_sim_set_clock(sim, host, -30 * SECOND_US, 50)); /* half a minute late, and too fast */
    check(peer_sim_get_host_view(sim, host, sizeof view, &view));
    printf("%s at %s: %" PRId64 "\n", view.name, view.address, view.clock_utc_us);
    /* end */
    check(peer_sim_set_disk_full(sim, host, 0));

    /* example: peer_sim_crash peer_sim_restart */
    check(peer_sim_crash(sim, host, PEER_SIM_CRASH_PROCESS));
    check(peer_sim_run_for(sim, 60 * SECOND_US));
    check(peer_sim_restart(sim, host)); /* on what its disk holds */
    /* end */
}

static void time_passes(peer_sim *sim)
{
    /* example: peer_sim_run_for peer_sim_get_time */
    int64_t now_us;

    check(peer_sim_run_for(sim, 60 * SECOND_US)); /* a minute, in no time */
    check(peer_sim_get_time(sim, &now_us));
    /* end */

    /* example: peer_sim_step peer_sim_get_next_time */
    int64_t next_us;
    uint32_t happened = 1;

    check(peer_sim_get_next_time(sim, &next_us));
    while (happened && next_us < now_us + 10 * SECOND_US) {
        check(peer_sim_step(sim, &happened)); /* to next_us, and what is due then */
        check(peer_sim_get_next_time(sim, &next_us));
    }
    /* end */

    /* example: peer_sim_run_until peer_sim_next_ready */
    peer_event_queue *queue;
    uint32_t reached;

    check(peer_sim_run_until(sim, PEER_SIM_UNTIL_READY, now_us + 60 * SECOND_US, &reached));
    while (peer_sim_next_ready(sim, &queue) == PEER_OK) {
        peer_event *event;
        while (peer_get_event_data(queue, &event) == PEER_OK)
            peer_free_data(event);
    }
    /* end */
}

static void links(peer_sim *sim, uint32_t alice, uint32_t bob)
{
    /* example: peer_sim_set_link */
    peer_sim_link_input link = PEER_SIM_LINK_INPUT_INIT;

    link.latency_us = 80000;
    link.loss_ppm = 20000;    /* one of fifty */
    link.bandwidth = 1000000; /* bytes a second */
    check(peer_sim_set_link(sim, alice, bob, &link));
    check(peer_sim_set_link(sim, bob, alice, NULL)); /* that way as all others */
    /* end */

    /* example: peer_sim_partition peer_sim_cut peer_sim_mend peer_sim_heal */
    check(peer_sim_partition(sim, 1, &alice, 1, &bob)); /* both ways */
    check(peer_sim_mend(sim, 1, &alice, 1, &bob));      /* only from bob to alice now */
    check(peer_sim_cut(sim, 1, &alice, 1, &bob));
    check(peer_sim_run_for(sim, 10 * SECOND_US));
    check(peer_sim_heal(sim));
    /* end */

    /* example: peer_sim_get_connections peer_sim_reset_connections */
    const peer_sim_connection_view *views;
    uint32_t count;

    check(peer_sim_get_connections(sim, sizeof *views, &count, &views));
    for (uint32_t i = 0; i < count; i++)
        printf("%u has dialled %u\n", views[i].from, views[i].to);
    peer_free_data(views);
    check(peer_sim_reset_connections(sim, alice, PEER_SIM_ANY_HOST, &count));
    /* end */
    assert(count == 1);
}

static void messages(struct scene *scene)
{
    peer_sim *sim = scene->sim;
    /* example: peer_sim_get_message_count */
    uint64_t sent, received;

    check(peer_sim_get_message_count(sim, PEER_SIM_ANY_HOST, PEER_SIM_MESSAGE_FLOOD, &sent, &received));
    printf("%" PRIu64 " records were on their way\n", sent);
    /* end */

    add_note(scene->alice, "held");
    /* example: peer_sim_set_interception peer_sim_get_messages peer_sim_duplicate_message peer_sim_edit_message
     * peer_sim_release_message peer_sim_drop_message */
    peer_sim_filter_input filter = PEER_SIM_FILTER_INPUT_INIT;
    const peer_sim_message_view *views;
    uint32_t count;

    filter.type = PEER_SIM_MESSAGE_FLOOD;
    check(peer_sim_set_interception(sim, 1, &filter));
    check(peer_sim_run_until(sim, PEER_SIM_UNTIL_HELD, INT64_MAX, NULL));
    check(peer_sim_get_messages(sim, &filter, sizeof *views, &count, &views));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id = views[i].message_id;
        if (views[i].state != PEER_SIM_MESSAGE_HELD)
            continue;
        check(peer_sim_duplicate_message(sim, id, SECOND_US));               /* a copy, in a second */
        check(peer_sim_edit_message(sim, id, views[i].data, views[i].size)); /* other bytes would do */
        if (i % 2)
            check(peer_sim_drop_message(sim, id));
        else
            check(peer_sim_release_message(sim, id, 0));
    }
    peer_free_data(views);
    check(peer_sim_set_interception(sim, 0, NULL));
    /* end */
    assert(count > 0);
}

static void trace(peer_sim *sim)
{
    /* example: peer_sim_keep_trace peer_sim_add_note peer_sim_take_trace peer_sim_get_trace_hash */
    const char *text;
    size_t size;
    uint64_t hash;

    check(peer_sim_keep_trace(sim, 1 << 20));
    check(peer_sim_add_note(sim, "now it begins"));
    check(peer_sim_run_for(sim, SECOND_US));
    check(peer_sim_take_trace(sim, &text, &size, NULL));
    printf("%s", text);
    peer_free_data(text);
    check(peer_sim_get_trace_hash(sim, &hash)); /* equal for equal runs */
    /* end */

    /* example: peer_sim_set_trace_file peer_sim_draw */
    uint64_t seconds;

    check(peer_sim_set_trace_file(sim, "trace.jsonl"));
    check(peer_sim_draw(sim, 60, &seconds)); /* 0 … 59, from the seed */
    check(peer_sim_run_for(sim, (int64_t)seconds * SECOND_US));
    check(peer_sim_set_trace_file(sim, NULL)); /* it is complete */
    /* end */
}

int main(void)
{
    struct scene scene = open_scene(0);

    open_and_close();
    messages(&scene);
    links(scene.sim, scene.alice_host, scene.bob_host);
    time_passes(scene.sim);
    trace(scene.sim);
    hosts(scene.sim, scene.bob_host);
    close_scene(&scene);
    return 0;
}
