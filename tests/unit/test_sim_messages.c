/* Messages of the simulated network through its public header: counting, looking, interception, the trace. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim_world.h"

struct pair {
    peer_sim *sim;
    peer_graph *first;
    peer_graph *second;
};

static struct pair pair_of_neighbours(void)
{
    struct pair pair;
    pair.sim = network(21);
    pair.first = create(pair.sim, host(pair.sim));
    pair.second = join(pair.sim, host(pair.sim), 1);
    run(pair.sim, 5);
    return pair;
}

static void intercept(peer_sim *sim, uint32_t type, uint32_t from, uint32_t to)
{
    peer_sim_filter_input filter = PEER_SIM_FILTER_INPUT_INIT;
    filter.type = type;
    filter.from = from;
    filter.to = to;
    assert_ok(peer_sim_set_interception(sim, 1, &filter));
}

/* Lets time pass until a message is held, and gives its view and the array that it is in. */
static const peer_sim_message_view *await_held(peer_sim *sim)
{
    const peer_sim_message_view *views;
    uint32_t count;
    uint32_t reached;
    assert_ok(peer_sim_run_until(sim, PEER_SIM_UNTIL_HELD, now(sim) + 60 * SECOND, &reached));
    assert_int_equal(reached, PEER_SIM_UNTIL_HELD);
    assert_ok(peer_sim_get_messages(sim, NULL, sizeof(*views), &count, &views));
    assert_int_equal(views[0].state, PEER_SIM_MESSAGE_HELD); /* nothing else is under way */
    return views;
}

static uint64_t id_of_held(peer_sim *sim)
{
    const peer_sim_message_view *held = await_held(sim);
    uint64_t id = held->message_id;
    peer_free_data(held);
    return id;
}

static uint64_t received(peer_sim *sim, uint32_t number, uint32_t type)
{
    uint64_t count;
    assert_ok(peer_sim_get_message_count(sim, number, type, NULL, &count));
    return count;
}

static uint64_t sent(peer_sim *sim, uint32_t number, uint32_t type)
{
    uint64_t count;
    assert_ok(peer_sim_get_message_count(sim, number, type, &count, NULL));
    return count;
}

/* --- counting and looking --------------------------------------------------------------------------------------------- */

static void messages_are_counted(void **state)
{
    struct pair pair = pair_of_neighbours();
    uint64_t before = received(pair.sim, 2, PEER_SIM_MESSAGE_FLOOD);
    (void)state;
    assert_int_equal(sent(pair.sim, 1, PEER_SIM_MESSAGE_WELCOME), 1);
    assert_int_equal(received(pair.sim, 2, PEER_SIM_MESSAGE_WELCOME), 1);
    assert_int_equal(received(pair.sim, 1, PEER_SIM_MESSAGE_WELCOME), 0);
    add(pair.first, "x");
    run(pair.sim, 5);
    assert_int_equal(received(pair.sim, 2, PEER_SIM_MESSAGE_FLOOD), before + 1);
    assert_int_equal(received(pair.sim, PEER_SIM_ANY_HOST, PEER_SIM_MESSAGE_FLOOD),
                     received(pair.sim, 1, PEER_SIM_MESSAGE_FLOOD) + received(pair.sim, 2, PEER_SIM_MESSAGE_FLOOD));
    assert_int_equal(sent(pair.sim, PEER_SIM_ANY_HOST, 0), sent(pair.sim, 1, 0) + sent(pair.sim, 2, 0));
    assert_true(sent(pair.sim, 1, 0) > sent(pair.sim, 1, PEER_SIM_MESSAGE_FLOOD));
    assert_status(peer_sim_get_message_count(pair.sim, 1, 15, NULL, NULL), E_INVALIDARG);
    assert_status(peer_sim_get_message_count(pair.sim, 1, PEER_SIM_MESSAGE_COMPARE - 1, NULL, NULL), E_INVALIDARG);
    assert_status(peer_sim_get_message_count(pair.sim, 1, PEER_SIM_MESSAGE_COMPARE, NULL, NULL), PEER_OK);
    assert_status(peer_sim_get_message_count(pair.sim, 1, PEER_SIM_MESSAGE_DIFFER, NULL, NULL), PEER_OK);
    assert_status(peer_sim_get_message_count(pair.sim, 1, PEER_SIM_MESSAGE_DIFFER + 1, NULL, NULL), E_INVALIDARG);
    assert_status(peer_sim_get_message_count(pair.sim, 3, 1, NULL, NULL), E_INVALIDARG);
    assert_ok(peer_sim_close(pair.sim));
}

static void what_is_under_way_can_be_seen(void **state)
{
    struct pair pair = pair_of_neighbours();
    peer_sim_filter_input filter = PEER_SIM_FILTER_INPUT_INIT;
    const peer_sim_message_view *views;
    uint32_t count;
    (void)state;
    add(pair.first, "look at me");
    assert_ok(peer_sim_get_messages(pair.sim, NULL, sizeof(*views), &count, &views));
    assert_int_equal(count, 1);
    assert_int_equal(views[0].moment_us, -1); /* not on the wire yet */
    peer_free_data(views);
    assert_ok(peer_sim_step(pair.sim, NULL));
    filter.type = PEER_SIM_MESSAGE_FLOOD;
    filter.from = 1;
    assert_ok(peer_sim_get_messages(pair.sim, &filter, sizeof(*views), &count, &views));
    assert_int_equal(count, 1);
    assert_int_equal(views[0].state, PEER_SIM_MESSAGE_TRAVELLING);
    assert_int_equal(views[0].type, PEER_SIM_MESSAGE_FLOOD);
    assert_int_equal(views[0].from, 1);
    assert_int_equal(views[0].to, 2);
    assert_int_equal(views[0].message_id, 0);
    assert_in_range(views[0].moment_us, now(pair.sim) + 10000, now(pair.sim) + 15000);
    assert_int_equal(((const uint8_t *)views[0].data)[5], PEER_SIM_MESSAGE_FLOOD);
    assert_true(views[0].size > 10);
    peer_free_data(views);
    filter.to = 1;
    assert_status(peer_sim_get_messages(pair.sim, &filter, sizeof(*views), &count, &views), PEER_S_NO_EVENT_DATA);
    assert_int_equal(count, 0);
    assert_null(views);
    filter.to = 7;
    assert_status(peer_sim_get_messages(pair.sim, &filter, sizeof(*views), &count, &views), E_INVALIDARG);
    filter.to = 0;
    filter.type = 99;
    assert_status(peer_sim_get_messages(pair.sim, &filter, sizeof(*views), &count, &views), E_INVALIDARG);
    assert_status(peer_sim_get_messages(pair.sim, NULL, 3, &count, &views), E_INVALIDARG);
    assert_status(peer_sim_get_messages(pair.sim, NULL, sizeof(*views), NULL, &views), E_INVALIDARG);
    assert_status(peer_sim_get_messages(pair.sim, NULL, sizeof(*views), &count, NULL), E_INVALIDARG);
    assert_ok(peer_sim_close(pair.sim));
}

/* --- interception ----------------------------------------------------------------------------------------------------- */

static void a_dropped_flood_never_arrives(void **state)
{
    struct pair pair = pair_of_neighbours();
    (void)state;
    intercept(pair.sim, PEER_SIM_MESSAGE_FLOOD, 1, 2);
    peer_guid lost = add(pair.first, "lost");
    uint64_t held = id_of_held(pair.sim);
    assert_ok(peer_sim_drop_message(pair.sim, held));
    assert_status(peer_sim_drop_message(pair.sim, held), PEER_E_NOT_FOUND);
    assert_ok(peer_sim_set_interception(pair.sim, 0, NULL));
    peer_guid next = add(pair.first, "arrives");
    assert_true(arrives(pair.sim, pair.second, &next, 5));
    assert_false(has(pair.second, &lost));
    assert_ok(peer_sim_close(pair.sim));
}

static void a_dropped_acknowledgement_is_missed_by_its_receiver_only(void **state)
{
    struct pair pair = pair_of_neighbours();
    uint64_t before = received(pair.sim, 1, PEER_SIM_MESSAGE_ACK);
    (void)state;
    intercept(pair.sim, PEER_SIM_MESSAGE_ACK, 0, 0);
    peer_guid id = add(pair.first, "stored");
    uint64_t held = id_of_held(pair.sim);
    assert_true(has(pair.second, &id));
    assert_ok(peer_sim_drop_message(pair.sim, held));
    run(pair.sim, 10);
    assert_int_equal(received(pair.sim, 1, PEER_SIM_MESSAGE_ACK), before);
    assert_ok(peer_sim_close(pair.sim));
}

static void a_held_message_is_overtaken_and_can_come_later(void **state)
{
    struct pair pair = pair_of_neighbours();
    (void)state;
    intercept(pair.sim, PEER_SIM_MESSAGE_FLOOD, 1, 2);
    peer_guid slow = add(pair.first, "slow");
    uint64_t held = id_of_held(pair.sim);
    assert_ok(peer_sim_set_interception(pair.sim, 0, NULL));
    peer_guid fast = add(pair.first, "fast");
    assert_true(arrives(pair.sim, pair.second, &fast, 5));
    assert_false(has(pair.second, &slow));
    int64_t start = now(pair.sim);
    assert_ok(peer_sim_release_message(pair.sim, held, 3 * SECOND));
    const peer_sim_message_view *views;
    uint32_t count;
    assert_ok(peer_sim_get_messages(pair.sim, NULL, sizeof(*views), &count, &views));
    assert_int_equal(views[0].state, PEER_SIM_MESSAGE_RELEASED);
    assert_int_equal(views[0].moment_us, start + 3 * SECOND);
    peer_free_data(views);
    peer_guid between = add(pair.first, "between");
    assert_true(arrives(pair.sim, pair.second, &between, 1));
    assert_ok(peer_sim_run_for(pair.sim, start + 3 * SECOND - 1 - now(pair.sim)));
    assert_false(has(pair.second, &slow));
    assert_true(arrives(pair.sim, pair.second, &slow, 1));
    assert_status(peer_sim_release_message(pair.sim, held, 0), PEER_E_NOT_FOUND);
    assert_status(peer_sim_release_message(pair.sim, held, -1), E_INVALIDARG);
    assert_ok(peer_sim_close(pair.sim));
}

static void a_duplicated_flood_is_stored_once(void **state)
{
    struct pair pair = pair_of_neighbours();
    peer_event_queue *queue = watch(pair.second);
    peer_event_view view;
    uint64_t before = received(pair.sim, 2, PEER_SIM_MESSAGE_FLOOD);
    (void)state;
    intercept(pair.sim, PEER_SIM_MESSAGE_FLOOD, 1, 2);
    peer_guid id = add(pair.first, "twice");
    uint64_t held = id_of_held(pair.sim);
    assert_ok(peer_sim_duplicate_message(pair.sim, held, 0));
    assert_ok(peer_sim_duplicate_message(pair.sim, held, SECOND));
    assert_ok(peer_sim_release_message(pair.sim, held, 0));
    run(pair.sim, 5);
    assert_int_equal(received(pair.sim, 2, PEER_SIM_MESSAGE_FLOOD), before + 3);
    assert_true(has(pair.second, &id));
    assert_true(take(queue, PEER_GRAPH_EVENT_RECORD_CHANGED, &view));
    assert_false(take(queue, PEER_GRAPH_EVENT_RECORD_CHANGED, &view));
    assert_status(peer_sim_duplicate_message(pair.sim, held, 0), PEER_E_NOT_FOUND);
    assert_ok(peer_unregister_event(queue));
    assert_ok(peer_sim_close(pair.sim));
}

/* Puts `value` in the place of byte `at` of the next FLOOD, and sends it on. */
static void edit_a_flood(struct pair *pair, size_t at, uint8_t value)
{
    intercept(pair->sim, PEER_SIM_MESSAGE_FLOOD, 1, 2);
    add(pair->first, "edited");
    const peer_sim_message_view *held = await_held(pair->sim);
    uint8_t *bytes = malloc(held->size);
    memcpy(bytes, held->data, held->size);
    bytes[at] = value;
    assert_status(peer_sim_edit_message(pair->sim, held->message_id, bytes, 7), E_INVALIDARG);
    assert_status(peer_sim_edit_message(pair->sim, held->message_id, NULL, 8), E_INVALIDARG);
    assert_status(peer_sim_edit_message(pair->sim, held->message_id + 1, bytes, held->size), PEER_E_NOT_FOUND);
    assert_ok(peer_sim_edit_message(pair->sim, held->message_id, bytes, held->size));
    free(bytes);
    assert_ok(peer_sim_release_message(pair->sim, held->message_id, 0));
    peer_free_data(held);
}

static void an_edited_byte_is_seen(void **state)
{
    static const size_t places[] = {0, 4, 5}; /* the size, the version, the type */
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        struct pair pair = pair_of_neighbours();
        peer_event_queue *queue = watch(pair.second);
        peer_event_view view;
        edit_a_flood(&pair, places[i], 0xfe);
        run(pair.sim, 2);
        assert_true(take(queue, PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION, &view));
        assert_int_equal(view.change, PEER_DISCONNECTED);
        assert_int_equal(view.reason, PEER_E_CONNECTION_FAILED);
        assert_non_null(strstr(view.message, "protocol"));
        assert_ok(peer_unregister_event(queue));
        assert_ok(peer_sim_close(pair.sim));
    }
}

static void what_is_held_goes_with_its_connection(void **state)
{
    struct pair pair = pair_of_neighbours();
    const peer_sim_message_view *views;
    uint32_t count;
    (void)state;
    intercept(pair.sim, 0, 1, 2);
    add(pair.first, "gone");
    uint64_t held = id_of_held(pair.sim);
    assert_ok(peer_sim_reset_connections(pair.sim, 1, 2, &count));
    assert_int_equal(count, 1);
    assert_status(peer_sim_release_message(pair.sim, held, 0), PEER_E_NOT_FOUND);
    assert_status(peer_sim_get_messages(pair.sim, NULL, sizeof(*views), &count, &views), PEER_S_NO_EVENT_DATA);
    run(pair.sim, 1);
    assert_status(peer_sim_edit_message(pair.sim, held, "12345678", 8), PEER_E_NOT_FOUND);
    assert_ok(peer_sim_close(pair.sim));
}

/* Interception that begins and ends while messages of many pieces are on their way breaks none of them. */
static void it_may_begin_at_any_byte(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        peer_sim *sim = network(seed);
        peer_graph *first = create(sim, host(sim));
        peer_graph *second = join(sim, host(sim), 1);
        peer_sim_link_input link = PEER_SIM_LINK_INPUT_INIT;
        char *text = calloc(1, 300001);
        memset(text, 'x', 300000);
        link.bandwidth = 200000;
        assert_ok(peer_sim_set_link(sim, 1, 2, &link));
        peer_guid id = add(first, text);
        run(sim, 1);
        intercept(sim, PEER_SIM_MESSAGE_PT2PT, 2, 1); /* none of them */
        peer_guid other = add(first, text + 1000);
        assert_true(arrives(sim, second, &id, 60));
        assert_true(arrives(sim, second, &other, 60));
        intercept(sim, PEER_SIM_MESSAGE_FLOOD, 1, 2);
        peer_guid held = add(first, text + 2000);
        assert_ok(peer_sim_release_message(sim, id_of_held(sim), 0));
        assert_true(arrives(sim, second, &held, 60));
        free(text);
        assert_ok(peer_sim_close(sim));
    }
}

static void wrong_filters_are_refused(void **state)
{
    struct pair pair = pair_of_neighbours();
    peer_sim_filter_input filters[2] = {PEER_SIM_FILTER_INPUT_INIT, PEER_SIM_FILTER_INPUT_INIT};
    (void)state;
    assert_status(peer_sim_set_interception(pair.sim, 1, NULL), E_INVALIDARG);
    assert_status(peer_sim_set_interception(pair.sim, 1025, filters), E_INVALIDARG);
    filters[1].type = 200;
    assert_status(peer_sim_set_interception(pair.sim, 2, filters), E_INVALIDARG);
    filters[1].type = 0;
    filters[1].from = 3;
    assert_status(peer_sim_set_interception(pair.sim, 2, filters), E_INVALIDARG);
    filters[1].from = 0;
    filters[1].struct_size = 1;
    assert_status(peer_sim_set_interception(pair.sim, 2, filters), E_INVALIDARG);
    peer_guid id = add(pair.first, "not held");
    assert_true(arrives(pair.sim, pair.second, &id, 5));
    filters[0].from = filters[0].to = 1;
    filters[1] = (peer_sim_filter_input)PEER_SIM_FILTER_INPUT_INIT;
    filters[1].type = PEER_SIM_MESSAGE_FLOOD;
    filters[1].connection_id = 999;
    assert_ok(peer_sim_set_interception(pair.sim, 2, filters));
    id = add(pair.first, "nor this");
    assert_true(arrives(pair.sim, pair.second, &id, 5));
    assert_ok(peer_sim_close(pair.sim));
}

/* --- the trace -------------------------------------------------------------------------------------------------------- */

static void the_last_lines_are_kept(void **state)
{
    peer_sim *sim = network(1);
    const char *text;
    size_t size;
    uint64_t lost;
    (void)state;
    assert_status(peer_sim_take_trace(sim, &text, &size, &lost), PEER_S_NO_EVENT_DATA);
    assert_ok(peer_sim_keep_trace(sim, 100));
    assert_status(peer_sim_take_trace(sim, &text, &size, NULL), PEER_S_NO_EVENT_DATA);
    assert_null(text);
    assert_ok(peer_sim_add_note(sim, "one \"quoted\""));
    assert_ok(peer_sim_take_trace(sim, &text, &size, &lost));
    assert_string_equal(text, "{\"t\":0,\"note\":\"one ?quoted?\"}\n");
    assert_int_equal(size, strlen(text));
    assert_int_equal(lost, 0);
    peer_free_data(text);
    for (int i = 0; i < 100; i++)
        assert_ok(peer_sim_add_note(sim, i < 99 ? "many" : "last"));
    assert_ok(peer_sim_take_trace(sim, &text, &size, &lost));
    assert_true(size <= 100);
    assert_non_null(strstr(text, "last"));
    assert_int_equal(text[0], '{');
    assert_int_equal(lost, 100 - size / strlen("{\"t\":0,\"note\":\"many\"}\n"));
    peer_free_data(text);
    char wide[201];
    memset(wide, 'w', 200);
    wide[200] = '\0';
    assert_ok(peer_sim_add_note(sim, wide)); /* longer than all the room */
    assert_status(peer_sim_take_trace(sim, &text, &size, &lost), PEER_S_NO_EVENT_DATA);
    assert_int_equal(lost, 1);
    assert_status(peer_sim_add_note(sim, NULL), E_INVALIDARG);
    assert_status(peer_sim_take_trace(sim, NULL, &size, &lost), E_INVALIDARG);
    assert_status(peer_sim_take_trace(sim, &text, NULL, &lost), E_INVALIDARG);
    assert_status(peer_sim_get_trace_hash(sim, NULL), E_INVALIDARG);
    assert_status(peer_sim_draw(sim, 0, &lost), E_INVALIDARG);
    assert_status(peer_sim_draw(sim, 1, NULL), E_INVALIDARG);
    assert_ok(peer_sim_close(sim));
}

static void the_trace_can_go_to_a_file(void **state)
{
    char path[] = "/tmp/peergraph-trace-XXXXXX";
    char text[4096];
    struct pair pair;
    (void)state;
    close(mkstemp(path));
    pair.sim = network(1);
    assert_ok(peer_sim_set_trace_file(pair.sim, path));
    assert_ok(peer_sim_keep_trace(pair.sim, 1 << 20));
    pair.first = create(pair.sim, host(pair.sim));
    pair.second = join(pair.sim, host(pair.sim), 1);
    assert_ok(peer_sim_set_trace_file(pair.sim, NULL));
    const char *kept;
    size_t size;
    assert_ok(peer_sim_take_trace(pair.sim, &kept, &size, NULL));
    FILE *file = fopen(path, "r");
    size_t at = 0;
    for (size_t count; (count = fread(text, 1, sizeof(text), file)) > 0; at += count) {
        assert_true(at + count <= size);
        assert_memory_equal(text, kept + at, count);
    }
    assert_int_equal(at, size);
    fclose(file);
    assert_non_null(strstr(kept, "\"message\":\"WELCOME\",\"from\":\"h1\",\"to\":\"h2\""));
    peer_free_data(kept);
    unlink(path);
    assert_status(peer_sim_set_trace_file(pair.sim, "/dev/null/x"), E_ACCESSDENIED);
    assert_status(peer_sim_set_trace_file(pair.sim, ""), E_INVALIDARG);
    assert_ok(peer_sim_set_trace_file(pair.sim, "/dev/full"));
    assert_ok(peer_sim_add_note(pair.sim, "does not fit"));
    assert_status(peer_sim_set_trace_file(pair.sim, NULL), PEER_E_DISK_FULL);
    assert_ok(peer_sim_set_trace_file(pair.sim, NULL));
    assert_ok(peer_sim_close(pair.sim));
}

static void interception_is_in_the_trace(void **state)
{
    struct pair pair = pair_of_neighbours();
    const char *text;
    size_t size;
    (void)state;
    assert_ok(peer_sim_keep_trace(pair.sim, 1 << 20));
    edit_a_flood(&pair, 30, 1);
    assert_ok(peer_sim_take_trace(pair.sim, &text, &size, NULL));
    static const char *const states[] = {"held", "edited", "released"};
    for (size_t i = 0; i < 3; i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "\"state\":\"%s\"", states[i]);
        assert_non_null(strstr(text, wanted));
    }
    peer_free_data(text);
    assert_ok(peer_sim_close(pair.sim));
}

static void an_untraced_network_does_the_same(void **state)
{
    int64_t moments[2];
    (void)state;
    for (uint32_t untraced = 0; untraced < 2; untraced++) {
        peer_sim_options_input options = PEER_SIM_OPTIONS_INPUT_INIT;
        peer_sim *sim;
        options.flags = untraced ? PEER_SIM_OPTION_UNTRACED : 0;
        assert_ok(peer_sim_open(77, &options, &sim));
        uint64_t before = trace_hash(sim);
        peer_graph *first = create(sim, host(sim));
        peer_graph *second = join(sim, host(sim), 1);
        peer_guid id = add(first, "x");
        peer_event_queue *queue = watch(second);
        assert_ok(peer_event_queue_wait(queue, 60000));
        assert_true(has(second, &id));
        moments[untraced] = now(sim);
        assert_int_equal(trace_hash(sim) == before, untraced);
        assert_ok(peer_unregister_event(queue));
        assert_ok(peer_sim_close(sim));
    }
    assert_int_equal(moments[0], moments[1]);
}

/* --- memory ----------------------------------------------------------------------------------------------------------- */

static struct pair scarce;
static uint64_t scarce_held;

static peer_status look_and_decide(void)
{
    const peer_sim_message_view *messages;
    const peer_sim_connection_view *connections;
    const char *text;
    size_t size;
    uint32_t count;
    peer_status status = peer_sim_get_messages(scarce.sim, NULL, sizeof(*messages), &count, &messages);
    if (status < 0)
        return status;
    peer_free_data(messages);
    status = peer_sim_get_connections(scarce.sim, sizeof(*connections), &count, &connections);
    if (status < 0)
        return status;
    peer_free_data(connections);
    status = peer_sim_take_trace(scarce.sim, &text, &size, NULL);
    if (status < 0)
        return status;
    peer_free_data(text);
    return peer_sim_edit_message(scarce.sim, scarce_held, "12345678", 8);
}

static void looking_and_deciding_may_lack_memory(void **state)
{
    (void)state;
    scarce = pair_of_neighbours();
    assert_ok(peer_sim_keep_trace(scarce.sim, 1 << 20));
    intercept(scarce.sim, PEER_SIM_MESSAGE_FLOOD, 1, 2);
    add(scarce.first, "x");
    scarce_held = id_of_held(scarce.sim);
    assert_ok(peer_sim_edit_message(scarce.sim, scarce_held, "12345678", 8)); /* as large as later */
    assert_survives_no_memory(look_and_decide);
    peer__memory_fail_after(0);
    peer_status status = peer_sim_duplicate_message(scarce.sim, scarce_held, 0);
    peer__memory_fail_after(-1);
    assert_status(status, E_OUTOFMEMORY);
    assert_ok(peer_sim_close(scarce.sim));
}

/* A network in which memory was out in the midst of a moment says so, and can be closed. */
static void a_moment_without_memory_ends_the_network(void **state)
{
    int64_t live = peer__memory_live();
    struct pair pair = pair_of_neighbours();
    (void)state;
    intercept(pair.sim, PEER_SIM_MESSAGE_FLOOD, 1, 2);
    add(pair.first, "x");
    assert_ok(peer_sim_step(pair.sim, NULL));
    peer__memory_fail_after(0);
    peer_status status = peer_sim_run_for(pair.sim, SECOND);
    peer__memory_fail_after(-1);
    assert_status(status, E_OUTOFMEMORY);
    assert_status(peer_sim_run_for(pair.sim, SECOND), E_OUTOFMEMORY);
    assert_status(peer_sim_step(pair.sim, NULL), E_OUTOFMEMORY);
    assert_ok(peer_sim_close(pair.sim));
    assert_int_equal(peer__memory_live(), live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_counted),
        cmocka_unit_test(what_is_under_way_can_be_seen),
        cmocka_unit_test(a_dropped_flood_never_arrives),
        cmocka_unit_test(a_dropped_acknowledgement_is_missed_by_its_receiver_only),
        cmocka_unit_test(a_held_message_is_overtaken_and_can_come_later),
        cmocka_unit_test(a_duplicated_flood_is_stored_once),
        cmocka_unit_test(an_edited_byte_is_seen),
        cmocka_unit_test(what_is_held_goes_with_its_connection),
        cmocka_unit_test(it_may_begin_at_any_byte),
        cmocka_unit_test(wrong_filters_are_refused),
        cmocka_unit_test(the_last_lines_are_kept),
        cmocka_unit_test(the_trace_can_go_to_a_file),
        cmocka_unit_test(interception_is_in_the_trace),
        cmocka_unit_test(an_untraced_network_does_the_same),
        cmocka_unit_test(looking_and_deciding_may_lack_memory),
        cmocka_unit_test(a_moment_without_memory_ends_the_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
