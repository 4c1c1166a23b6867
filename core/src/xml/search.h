/** Queries of a search: XML (graph-api 11), read into a tree and written. */
#ifndef PEER_XML_SEARCH_H
#define PEER_XML_SEARCH_H

#include "base/search.h"

/**
 * Reads query XML in UTF-8. `out` is empty before, and after a failure. PEER_E_INVALID_SEARCH with a line that says what is
 * wrong where; E_INVALIDARG for a bad escape in a value (11.2); E_OUTOFMEMORY.
 */
peer_status peer__search_parse(const char *xml, size_t size, struct search *out);

#endif
