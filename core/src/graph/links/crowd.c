/*
 * Connections that have not introduced themselves, over all graphs of an engine (D-31, decisions.md 14). The newest always
 * comes in: who means well says CONNECT within a round trip, who only holds a place stays. So the oldest gives way, and
 * of the address that holds most places: a single one among floods from elsewhere keeps its own.
 */
#include "graph/parts.h"

#include <string.h>

#define UNAUTHENTICATED_MAX 256u
#define UNAUTHENTICATED_PER_ADDRESS_MAX 32u

struct crowd { /* from one address */
    size_t count;
    struct link *oldest;
};

static int is_unauthenticated(const struct link *link)
{
    return link->state == LINK_ACCEPTED || link->state == LINK_AUTHENTICATED;
}

static struct crowd crowd_of(struct engine *engine, const struct address *address)
{
    struct crowd crowd = {0};
    LIST_FOR (node, following, &engine->links) { /* oldest first */
        struct link *link = CONTAINER_OF(node, struct link, in_engine);
        if (!is_unauthenticated(link) || !peer__address_is_same_host(&link->remote, address))
            continue;
        if (crowd.count++ == 0)
            crowd.oldest = link;
    }
    return crowd;
}

static struct crowd *crowd_in(struct crowd *crowds, size_t count, const struct address *address)
{
    size_t i = 0;
    while (i < count && !peer__address_is_same_host(&crowds[i].oldest->remote, address))
        i++;
    return &crowds[i];
}

static struct link *oldest_of_the_largest(struct engine *engine)
{
    struct crowd crowds[UNAUTHENTICATED_MAX];
    const struct crowd *largest = crowds;
    size_t count = 0;
    LIST_FOR (node, following, &engine->links) {
        struct link *link = CONTAINER_OF(node, struct link, in_engine);
        if (!is_unauthenticated(link))
            continue;
        struct crowd *crowd = crowd_in(crowds, count, &link->remote);
        if (crowd == &crowds[count]) {
            *crowd = (struct crowd){.oldest = link};
            count++;
        }
        if (++crowd->count > largest->count)
            largest = crowd;
    }
    return largest->oldest;
}

static void give_way(struct link *link)
{
    peer__link_end(link, PEER_E_CONNECTION_REFUSED, "\"%s\" had not introduced itself when others came",
                   link->address_text);
}

void peer__engine_make_place(struct engine *engine, const struct address *remote)
{
    struct crowd crowd = crowd_of(engine, remote);
    /* Many nodes of one machine are as likely as a flood from it, which would be its own. */
    if (crowd.count >= UNAUTHENTICATED_PER_ADDRESS_MAX && !peer__address_is_loopback(remote))
        give_way(crowd.oldest);
    else if (engine->unauthenticated_count >= UNAUTHENTICATED_MAX)
        give_way(oldest_of_the_largest(engine));
}
