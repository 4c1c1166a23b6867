/* Whom a graph dials by itself, and how: decisions.md 13 and 14, MS-PPGRH 3.1.5.2.3 and 3.1.7.14 (spec parts 9.6, 14.4). */
#include "graph/parts.h"

#define DIALS_AT_ONCE 3u
#define DIAL_TIMEOUT_US INT64_C(5000000)
#define RETRY_FIRST_US INT64_C(1000000)
#define RETRY_LAST_US INT64_C(30000000)
/** Who loses a neighbour that stayed so long begins with short waits again. */
#define LASTING_US INT64_C(30000000)
/** Addresses of others that are taken over one connection. */
#define NAMED_MAX (3 * REFERRALS_MAX)
/** Who was met so lately need not be looked for: shorter cuts are the contacts' matter. */
#define PROBE_AFTER (INT64_C(1800) * (int64_t)TICKS_PER_SECOND)

/* -------------------------------------------------------------------------------------------------------- addresses */

static int is_dialling(const struct link *link)
{
    return link->initiator && link->type == CONNECTION_NEIGHBOUR &&
           (link->state == LINK_DIALLING || link->state == LINK_CONNECT_WAIT);
}

static int lists(const struct link *link, const struct address *address, int certain)
{
    for (size_t i = 0; i < link->address_count; i++) {
        if (link->addresses[i].certain >= certain && peer__address_equal(address, &link->addresses[i].address))
            return 1;
    }
    return 0;
}

int peer__link_is_at(const struct link *link, const struct address *address)
{
    return lists(link, address, 1);
}

/* A neighbour's, or one that is being dialled. What a neighbour only claims does not keep us from whom we have met. */
static int is_taken(const struct graph *graph, const struct address *address, int was_met)
{
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (is_dialling(link) && peer__address_equal(address, &link->remote))
            return 1;
        if (peer__link_is_neighbour(link) && lists(link, address, was_met))
            return 1;
    }
    return 0;
}

int peer__graph_is_neighbour(const struct graph *graph, uint64_t node_id)
{
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link) && link->node_id == node_id)
            return 1;
    }
    return 0;
}

static int may_dial(const struct graph *graph, const struct address *address)
{
    return !peer__graph_listens_at(graph, address) && !is_taken(graph, address, 0);
}

/* What others name is dialled only if it can be a node's: nobody shall send us to our own services. The scope of a
 * link-local address does not travel; it is the one of the network over which the address was named. */
static int is_plausible(const struct link *from, struct address *address)
{
    const struct listener *listener = from->graph->listener;
    if (peer__address_is_unspecified(address) || peer__address_is_multicast(address))
        return 0;
    if (peer__address_is_loopback(address))
        return peer__address_is_loopback(&from->remote);
    if (!peer__address_is_link_local(address) || peer__address_is_v4(address))
        return 1;
    address->scope_id = from->remote.scope_id;
    if (address->scope_id == 0 && listener != NULL)
        address->scope_id = listener->scope_id;
    return address->scope_id != 0;
}

/* A record comes from anywhere in the graph: loopback means this machine only if the whole graph lives on it. Who has no
 * neighbour tells by itself: loopback is told to others only if there is nothing else (decisions.md 14). */
static int is_plausible_in_record(const struct graph *graph, struct address *address)
{
    const struct listener *listener = graph->listener;
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link))
            return is_plausible(link, address);
    }
    if (peer__address_is_loopback(address))
        return listener != NULL && peer__address_is_loopback(&listener->addresses[0]);
    return !peer__address_is_link_local(address) && !peer__address_is_multicast(address) &&
           !peer__address_is_unspecified(address);
}

static int64_t now_us(const struct graph *graph)
{
    return peer__engine_now_us(graph->engine);
}

/* --------------------------------------------------------------------------------------------------------- learning */

/* One neighbour alone does not fill the list, however often it says that its addresses have changed. */
static void take_referral(struct link *link, const struct address *address)
{
    struct address named = *address;
    if (link->named_count >= NAMED_MAX || !is_plausible(link, &named) || peer__graph_listens_at(link->graph, &named))
        return;
    link->named_count++;
    peer__referrals_add(&link->graph->dialler.referrals, &named);
}

void peer__graph_take_referrals(struct link *link, const struct wire_addresses *named)
{
    for (size_t i = 0; i < named->count && i < REFERRALS_MAX; i++) {
        struct address address;
        if (peer__wire_address(named, i, &address))
            take_referral(link, &address);
    }
}

static int is_proved(const struct link *link, const struct address *address)
{
    return link->initiator && peer__address_equal(address, &link->remote);
}

static void note_met(struct link *link)
{
    struct address_book *book = &link->graph->dialler.book;
    for (size_t i = 0; i < link->address_count; i++) {
        const struct address *address = &link->addresses[i].address;
        if (link->addresses[i].certain)
            peer__address_book_met(book, address, is_proved(link, address), peer__graph_now(link->graph));
    }
}

void peer__graph_save_book(struct graph *graph)
{
    struct address_book *book = &graph->dialler.book;
    if (peer__graph_clock_is_sure(graph))
        peer__address_book_forget_old(book, peer__graph_now(graph));
    if (book->unsaved && peer__address_book_save(book, graph->store) >= 0)
        book->unsaved = 0;
}

static void write_book(struct graph *graph)
{
    struct address_book *book = &graph->dialler.book;
    if (!book->unsaved)
        return;
    peer__graph_save_book(graph);
    if (!book->unsaved && peer__graph_commit(graph) < 0)
        book->unsaved = 1;
}

/* Where it was dialled, or claims to listen at the host from which it came, it was met. Other addresses are hearsay.
 * Only what this node did itself is written at once: others must not make it write as often as they like. */
void peer__graph_note_neighbour(struct link *link)
{
    struct graph *graph = link->graph;
    struct dialler *dialler = &graph->dialler;
    note_met(link);
    for (size_t i = 0; i < link->address_count; i++) {
        const struct address *address = &link->addresses[i].address;
        if (!link->addresses[i].certain) {
            take_referral(link, address);
            continue;
        }
        peer__address_worked(&dialler->referrals, address);
        peer__referrals_remove(&dialler->referrals, address);
    }
    if (link->initiator)
        write_book(graph);
}

void peer__graph_keep_book(struct graph *graph)
{
    LIST_FOR (node, following, &graph->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_graph);
        if (peer__link_is_neighbour(link))
            note_met(link);
    }
    write_book(graph);
}

static void note_failure(struct graph *graph, const struct address *address, enum dial_blame blame)
{
    struct dialler *dialler = &graph->dialler;
    if (blame == BLAME_NOBODY || peer__address_is_unspecified(address))
        return;              /* or a name that did not resolve */
    if (blame == BLAME_FULL) /* it may have a place later, and perhaps nobody else is known */
        peer__address_book_met(&dialler->book, address, 0, peer__graph_now(graph));
    peer__address_book_failed(&dialler->book, address);
    if (blame == BLAME_DOUBLE)
        peer__address_is_double(&dialler->referrals, address, now_us(graph));
    else
        peer__address_failed(&dialler->referrals, address, now_us(graph));
}

void peer__graph_note_self(struct graph *graph, const struct address *address)
{
    peer__address_book_forget(&graph->dialler.book, address);
    peer__referrals_remove(&graph->dialler.referrals, address);
}

/* --------------------------------------------------------------------------------------------------------- choosing */

static int is_open_to_us(const struct graph *graph, const struct referral *referral)
{
    return may_dial(graph, &referral->address) &&
           !peer__address_rests(&graph->dialler.referrals, &referral->address, now_us(graph));
}

static size_t count_referrals(const struct graph *graph, int attempted)
{
    const struct referrals *referrals = &graph->dialler.referrals;
    size_t count = 0;
    for (size_t i = 0; i < referrals->count; i++)
        count += (size_t)(referrals->list[i].attempted == attempted && is_open_to_us(graph, &referrals->list[i]));
    return count;
}

/* 9.6: a random one that was not attempted; 14.4: those that were, when nothing else is left. NULL: there is none, or
 * enough were dialled in this minute. */
static struct referral *choose_referral(struct graph *graph)
{
    struct referrals *referrals = &graph->dialler.referrals;
    size_t fresh = count_referrals(graph, 0);
    size_t count = fresh > 0 ? fresh : count_referrals(graph, 1);
    if (count == 0 || peer__referrals_exhausted(referrals, now_us(graph)))
        return NULL;
    size_t skip = (size_t)peer__engine_draw(graph->engine, count);
    for (size_t i = 0; i < referrals->count; i++) {
        struct referral *referral = &referrals->list[i];
        if (referral->attempted == (fresh == 0) && is_open_to_us(graph, referral) && skip-- == 0)
            return referral;
    }
    return NULL;
}

/* Where a node can be dialled that a record names: not this one, no neighbour, and not tried lately. */
static int find_way_to(const struct graph *graph, const struct roster_entry *entry, struct address *address_out)
{
    if (entry->node_id == graph->node_id || peer__graph_is_neighbour(graph, entry->node_id))
        return 0;
    for (size_t i = 0; i < entry->address_count; i++) {
        *address_out = entry->addresses[i];
        if (is_plausible_in_record(graph, address_out) && may_dial(graph, address_out) &&
            !peer__address_rests(&graph->dialler.referrals, address_out, now_us(graph)))
            return 1;
    }
    return 0;
}

static size_t count_recorded(const struct graph *graph)
{
    return graph->upkeep.present.count + graph->upkeep.contacts.count;
}

/* 14.4: the Presence List and the Contact List; a node in both counts once. From one of them on, to the first that will do. */
static int find_recorded(const struct graph *graph, size_t start, struct address *address_out)
{
    const struct roster *present = &graph->upkeep.present;
    const struct roster *contacts = &graph->upkeep.contacts;
    size_t count = count_recorded(graph);
    for (size_t i = 0; i < count; i++) {
        size_t at = (start + i) % count;
        const struct roster_entry *entry =
            at < present->count ? &present->entries[at] : &contacts->entries[at - present->count];
        if (at >= present->count && peer__roster_find_node(present, entry->node_id, NULL) != NULL)
            continue;
        if (find_way_to(graph, entry, address_out))
            return 1;
    }
    return 0;
}

/* First who did not just send us away or fail; of these who failed the fewest times, was not only claimed, and was met
 * last. */
static int is_better(const struct graph *graph, const struct book_entry *entry, const struct book_entry *best)
{
    const struct referrals *referrals = &graph->dialler.referrals;
    int entry_rests = peer__address_rests(referrals, &entry->address, now_us(graph));
    int best_rests = peer__address_rests(referrals, &best->address, now_us(graph));
    if (entry_rests != best_rests)
        return best_rests;
    if (entry->failures != best->failures)
        return entry->failures < best->failures;
    if (entry->proved != best->proved)
        return entry->proved;
    return entry->met > best->met;
}

/* Who has no neighbour knows better than the one that says "a neighbour already". */
static int may_ask(const struct graph *graph, const struct book_entry *entry)
{
    const struct address *address = &entry->address;
    if (peer__graph_listens_at(graph, address) || is_taken(graph, address, entry->proved))
        return 0;
    return graph->neighbour_count == 0 || !peer__address_was_double(&graph->dialler.referrals, address, now_us(graph));
}

static const struct book_entry *choose_from_book(const struct graph *graph)
{
    const struct address_book *book = &graph->dialler.book;
    const struct book_entry *best = NULL;
    for (size_t i = 0; i < book->count; i++) {
        const struct book_entry *entry = &book->entries[i];
        if (may_ask(graph, entry) && (best == NULL || is_better(graph, entry, best)))
            best = entry;
    }
    return best;
}

/* ---------------------------------------------------------------------------------------------------------- dialling */

/* The id of the connection, or 0. */
static uint64_t dial(struct graph *graph, const struct address *address, struct dial_request request)
{
    char text[ADDRESS_TEXT_SIZE];
    struct link *link;
    struct address copy = *address; /* the list it stands in may change */
    peer__address_format(&copy, text);
    request.address = text;
    request.timeout_us = DIAL_TIMEOUT_US;
    peer_status status = peer__link_dial(graph, &request, &link);
    if (status >= 0)
        return link->connection_id;
    note_failure(graph, &copy, status == E_OUTOFMEMORY ? BLAME_NOBODY : BLAME_ADDRESS);
    return 0;
}

static uint64_t dial_referral(struct graph *graph, struct dial_request request)
{
    struct referral *referral;
    uint64_t connection_id = 0;
    while (connection_id == 0 && (referral = choose_referral(graph)) != NULL) {
        peer__referrals_attempt(&graph->dialler.referrals, referral, now_us(graph));
        connection_id = dial(graph, &referral->address, request);
    }
    return connection_id;
}

/* Counted with the referrals: all that comes from others shares one budget (decisions.md 14). */
static uint64_t dial_counted(struct graph *graph, const struct address *address)
{
    peer__referrals_count(&graph->dialler.referrals, now_us(graph));
    return dial(graph, address, (struct dial_request){.automatic = 1});
}

static uint64_t dial_recorded(struct graph *graph)
{
    struct address address;
    size_t count = count_recorded(graph);
    uint64_t connection_id = 0;
    while (connection_id == 0 && count > 0 && !peer__referrals_exhausted(&graph->dialler.referrals, now_us(graph)) &&
           find_recorded(graph, (size_t)peer__engine_draw(graph->engine, count), &address))
        connection_id = dial_counted(graph, &address);
    return connection_id;
}

void peer__graph_dial_node(struct graph *graph, const struct roster_entry *entry)
{
    struct address address;
    while (!peer__referrals_exhausted(&graph->dialler.referrals, now_us(graph)) &&
           find_way_to(graph, entry, &address) && dial_counted(graph, &address) == 0) {
    }
}

static uint64_t dial_from_book(struct graph *graph)
{
    const struct book_entry *entry = choose_from_book(graph);
    return entry != NULL ? dial(graph, &entry->address, (struct dial_request){.automatic = 1}) : 0;
}

/* 14.4: whom others named and whom records name, each with the same chance; referrals that were attempted at the end. */
static uint64_t dial_named(struct graph *graph)
{
    const struct dial_request request = {.automatic = 1};
    size_t fresh = count_referrals(graph, 0);
    size_t recorded = count_recorded(graph);
    uint64_t connection_id = 0;
    if (fresh > 0 && peer__engine_draw(graph->engine, fresh + recorded) < fresh)
        connection_id = dial_referral(graph, request);
    if (connection_id == 0)
        connection_id = dial_recorded(graph);
    return connection_id != 0 ? connection_id : dial_referral(graph, request);
}

/* Turn and turn about: what others named is newer, what we remember is trusted. */
static int dial_one(struct graph *graph, size_t turn)
{
    if (turn % 2 == 0)
        return dial_named(graph) != 0 || dial_from_book(graph) != 0;
    return dial_from_book(graph) != 0 || dial_named(graph) != 0;
}

/* A dial that takes long, of the application or to one who does not answer, is not waited for. Who never had the graph
 * takes it from one node at a time. */
static size_t wanted_dials(const struct graph *graph)
{
    size_t under_way = graph->neighbour_count;
    size_t wanted = graph->ready ? NEIGHBOURS_IDEAL : 1;
    LIST_FOR (node, following, &graph->links) {
        const struct link *link = CONTAINER_OF(node, struct link, in_graph);
        under_way += (size_t)(is_dialling(link) && now_us(graph) - link->dialled_us < DIAL_TIMEOUT_US);
    }
    wanted = under_way < wanted ? wanted - under_way : 0;
    return wanted < DIALS_AT_ONCE ? wanted : DIALS_AT_ONCE;
}

static int is_seen(const struct roster *roster, const struct address *address)
{
    for (size_t i = 0; i < roster->count; i++) {
        for (size_t k = 0; k < roster->entries[i].address_count; k++) {
            if (peer__address_equal(&roster->entries[i].addresses[k], address))
                return 1;
        }
    }
    return 0;
}

void peer__graph_probe(struct graph *graph)
{
    const struct address_book *book = &graph->dialler.book;
    const struct book_entry *best = NULL;
    uint64_t lately = peer__ticks_add(peer__graph_now(graph), -PROBE_AFTER);
    for (size_t i = 0; i < book->count; i++) {
        const struct book_entry *entry = &book->entries[i];
        if (entry->met < lately && may_ask(graph, entry) && !is_seen(&graph->upkeep.present, &entry->address) &&
            !is_seen(&graph->upkeep.contacts, &entry->address) && (best == NULL || is_better(graph, entry, best)))
            best = entry;
    }
    if (best != NULL)
        (void)dial(graph, &best->address, (struct dial_request){.automatic = 1});
}

/* 14.4, 2 and 3: one will do while the first synchronization is under way. */
static int lacks_neighbours(const struct graph *graph)
{
    const struct dialler *dialler = &graph->dialler;
    return dialler->online && !dialler->manual &&
           (graph->neighbour_count == 0 || (graph->ready && graph->neighbour_count < NEIGHBOURS_MIN));
}

void peer__graph_dial_one(struct graph *graph)
{
    if (wanted_dials(graph) > 0)
        (void)dial_one(graph, 0);
}

/* Somebody in the book who has not failed yet. */
static int knows_a_fresh_one(const struct graph *graph)
{
    const struct book_entry *entry = choose_from_book(graph);
    return entry != NULL && entry->failures == 0;
}

/* 1, 2, 4 … 30 s, a quarter more or less, so that those who lost the same neighbour do not come all at once. Whoever was
 * not asked yet does not wait for those who were: a book may be full of nodes that are gone for ever. */
static int64_t retry_delay_us(struct graph *graph)
{
    int64_t delay_us = RETRY_LAST_US;
    if (knows_a_fresh_one(graph))
        delay_us = RETRY_FIRST_US;
    else if (graph->dialler.round < 5)
        delay_us = RETRY_FIRST_US << graph->dialler.round;
    return delay_us * 3 / 4 + (int64_t)peer__engine_draw(graph->engine, (uint64_t)delay_us / 2);
}

static int knows_somebody(const struct graph *graph)
{
    struct address address;
    return count_referrals(graph, 0) > 0 || count_referrals(graph, 1) > 0 || choose_from_book(graph) != NULL ||
           find_recorded(graph, 0, &address);
}

void peer__graph_seek(struct graph *graph)
{
    if (!lacks_neighbours(graph) || graph->dialler.retry.place != 0)
        return;
    if (knows_somebody(graph))
        peer__engine_timer_set(graph->engine, &graph->dialler.retry, retry_delay_us(graph));
}

void peer__graph_retry(struct timer *timer)
{
    struct graph *graph = CONTAINER_OF(timer, struct graph, dialler.retry);
    if (!lacks_neighbours(graph))
        return;
    for (size_t turn = wanted_dials(graph); turn > 0 && dial_one(graph, turn); turn--) {
    }
    if (!knows_a_fresh_one(graph))
        graph->dialler.round++;
    peer__graph_seek(graph);
}

/* ------------------------------------------------------------------------------------------------------- how it ended */

/* 9.6: a full node names others. The application is told that one of them is asked in its place, for which it waits under
 * the next id. Whoever named a peer wants that one and nobody else. */
static uint64_t follow(struct graph *graph)
{
    return dial_referral(graph, (struct dial_request){.referred = 1});
}

void peer__graph_dial_ended(struct link *link, peer_status reason, const char *message)
{
    struct graph *graph = link->graph;
    if (link->type == CONNECTION_DIRECT) {
        peer__graph_tell_failure(link, reason, message, 0);
        return;
    }
    if (graph->dialler.online)
        note_failure(graph, &link->remote, reason == E_OUTOFMEMORY ? BLAME_NOBODY : link->blame);
    int follows = graph->dialler.online && !graph->dialler.manual && link->referred;
    if (!link->automatic)
        peer__graph_tell_failure(link, reason, message, follows ? follow(graph) : 0);
    else if (follows && lacks_neighbours(graph))
        (void)dial_referral(graph, (struct dial_request){.automatic = 1});
    peer__graph_seek(graph);
}

/* They are full or have better ones: others first. */
void peer__graph_sent_away(const struct link *link)
{
    for (size_t i = 0; i < link->address_count; i++) {
        if (link->addresses[i].certain)
            peer__address_failed(&link->graph->dialler.referrals, &link->addresses[i].address, now_us(link->graph));
    }
}

void peer__graph_neighbour_lost(struct link *link)
{
    struct graph *graph = link->graph;
    struct dialler *dialler = &graph->dialler;
    peer__referrals_forget_doubles(&dialler->referrals);
    if (now_us(graph) - link->connected_us >= LASTING_US) {
        note_met(link);
        dialler->round = 0;
        peer__timer_cancel(&graph->engine->timers, &dialler->retry); /* it may be set for later */
    } else if (link->initiator) {
        peer__address_book_failed(&dialler->book, &link->remote); /* others first */
    }
    peer__graph_maintain(graph);
}
