/** Interface: the attribute schema of records (graph-api.md 10). Implemented by xml/. */
#ifndef PEER_BASE_SCHEMA_H
#define PEER_BASE_SCHEMA_H

#include "base/bytes.h"

struct schema {
    /** PEER_OK, PEER_E_INVALID_ATTRIBUTES, PEER_E_TOO_MANY_ATTRIBUTES or E_OUTOFMEMORY for UTF-8 text of `size` bytes. */
    peer_status (*check_attributes)(const char *xml, size_t size);
    /** The same, and what searches may find is appended as peer__indexed_append does: no integers beyond 64 bits. */
    peer_status (*index_attributes)(const char *xml, size_t size, struct buffer *out);
};

#endif
