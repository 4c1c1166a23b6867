/** Intrusive doubly linked list. A node that is in no list points to itself. */
#ifndef PEER_BASE_LIST_H
#define PEER_BASE_LIST_H

#include <stddef.h>

struct list {
    struct list *next;
    struct list *previous;
};

#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))
/** Safe against removal of the current node. */
#define LIST_FOR(node, following, head)                                                                                \
    for (struct list *node = (head)->next, *following = node->next; node != (head);                                    \
         node = following, following = node->next)

static inline void list_init(struct list *list)
{
    list->next = list->previous = list;
}

static inline int list_is_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_append(struct list *head, struct list *node)
{
    node->next = head;
    node->previous = head->previous;
    head->previous->next = node;
    head->previous = node;
}

static inline void list_remove(struct list *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

#endif
