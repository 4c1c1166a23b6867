/** Queries of a search: XML (graph-api 11), read into a tree and written. */
#ifndef PEER_XML_SEARCH_H
#define PEER_XML_SEARCH_H

#include "base/search.h"

/**
 * Reads query XML in UTF-8. `out` is empty before, and after a failure. PEER_E_INVALID_SEARCH with a line that says what is
 * wrong where; E_INVALIDARG for a bad escape in a value (11.2); E_OUTOFMEMORY.
 */
peer_status peer__search_parse(const char *xml, size_t size, struct search *out);

/* ---- writing */

/** Operators that may be open: the innermost holds a clause. */
#define QUERY_OPEN_MAX (SEARCH_DEPTH_MAX - 1)

/** A query that is being written. What was added is within all bounds of a search, so that only its end can be missing. */
struct query {
    struct buffer xml; /* with the end tag of the root, though not of open operators, and a NUL */
    uint32_t count;    /* clauses and operators */
    uint32_t open_count;
    enum search_kind open[QUERY_OPEN_MAX];
    int is_open_empty; /* the innermost has nothing in it yet */
};

/**
 * `query` is zeros. The functions below either do what they say or change nothing: PEER_E_INVALID_SEARCH with a line that
 * says what is wrong, E_OUTOFMEMORY.
 */
peer_status peer__query_init(struct query *query);
void peer__query_free(struct query *query);

/** SEARCH_AND or SEARCH_OR: what follows is in it until its end. */
peer_status peer__query_begin(struct query *query, enum search_kind kind);
peer_status peer__query_end(struct query *query);

/* `compare` is PEER_COMPARE_* and from anywhere. */

peer_status peer__query_add_text(struct query *query, const char *name, int32_t compare, const char *text);
/** Equal or not equal to what has wildcards. E_INVALIDARG for a bad escape. */
peer_status peer__query_add_pattern(struct query *query, const char *name, int32_t compare, const char *pattern);
peer_status peer__query_add_int(struct query *query, const char *name, int32_t compare, int64_t value);
peer_status peer__query_add_date(struct query *query, const char *name, int32_t compare, int64_t time_us);
/** The id or the type of records. */
peer_status peer__query_add_guid(struct query *query, const char *name, int32_t compare, const peer_guid *guid);

/** Whether peer__search_parse takes it as it is. */
peer_status peer__query_check_complete(const struct query *query);

/* Between the reader and the writer: */

/** The word for PEER_COMPARE_*, or NULL. */
const char *peer__compare_word(int32_t compare);
/** What a clause of this name looks at. NULL, or what is wrong with the name, to follow it in a sentence. */
const char *peer__search_field(const char *name, enum search_field *field_out);

#endif
