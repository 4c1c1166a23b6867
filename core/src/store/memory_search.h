/** Searches of the memory store: every row is looked at when the search begins. */
#ifndef PEER_STORE_MEMORY_SEARCH_H
#define PEER_STORE_MEMORY_SEARCH_H

#include "store/memory_tree.h"

/** `root`: of the rows in ORDER_SEQ. */
peer_status peer__memory_search(struct row *root, const struct search *tree, struct store_search **search_out);

#endif
