/**
 * What a search of records asks (graph-api 11) as a tree, and whether a record answers it. xml/ reads the tree; the stores
 * carry it out: SQLite over its indexes, the memory store record by record. Both decide by peer__search_matches.
 */
#ifndef PEER_BASE_SEARCH_H
#define PEER_BASE_SEARCH_H

#include "base/bytes.h"

#define SEARCH_NODES_MAX 1024u
#define SEARCH_DEPTH_MAX 64u
/** Bytes of a clause's value. */
#define SEARCH_VALUE_MAX 4096u
#define SEARCH_NAME_MAX 40u

enum search_kind { SEARCH_CLAUSE, SEARCH_AND, SEARCH_OR };

/** What a clause looks at: an attribute of the application, or a field that every record has (graph-api 11.1). */
enum search_field {
    SEARCH_ATTRIBUTE,
    SEARCH_CREATOR_ID,
    SEARCH_MODIFIER_ID,
    SEARCH_CREATED,
    SEARCH_MODIFIED,
    SEARCH_RECORD_ID,
    SEARCH_RECORD_TYPE,
    SEARCH_FIELD_COUNT
};

/** In the text of a clause, where no text has such bytes: '*' and '?' that are meant as wildcards. */
#define SEARCH_ANY_RUN 0xffu
#define SEARCH_ANY_CHARACTER 0xfeu

/** Text is ordinal text (base/text.h), numbers are integers or microseconds since 1970. */
struct search_node {
    enum search_kind kind;
    uint32_t end; /* the node after the last one below this one */
    /* Of a clause: */
    enum search_field field;
    int32_t compare; /* PEER_COMPARE_* */
    int32_t type;    /* PEER_ATTRIBUTE_* */
    char name[SEARCH_NAME_MAX + 1];
    int64_t number;
    struct buffer text;
    size_t literal_size; /* of the text before the first wildcard */
};

/** The nodes in the order of the document: a parent, then each child with what is below it. Zero-initialise. */
struct search {
    struct search_node *nodes;
    uint32_t count;
    uint32_t capacity;
};

/** A new last node; NULL when memory is out. The others may move. */
struct search_node *peer__search_append(struct search *search);
void peer__search_free(struct search *search);

/** The type that values of a field have; 0 for an attribute: those of its records. */
int32_t peer__search_type_of(enum search_field field);

/* ---- the attributes of a record as the stores keep them */

struct indexed_attribute {
    int32_t type;
    struct span name;
    int64_t number;   /* int, date */
    struct span text; /* string, ordinal */
};

/** A failed allocation shows in `out`. */
void peer__indexed_append(struct buffer *out, const struct indexed_attribute *attribute);
/** 1, or 0 at the end. The spans point into what is read. */
int peer__indexed_next(struct reader *from, struct indexed_attribute *attribute_out);

struct store_row;

/** 1 if the record satisfies the tree. Reads id, type, times, creator, modifier and attributes of the row. */
int peer__search_matches(const struct search *search, const struct store_row *row);
/** The same of one clause, which reads only what it is about. */
int peer__search_clause_matches(const struct search_node *clause, const struct store_row *row);
/** Whether one value satisfies a clause about an attribute of its name. */
int peer__search_value_matches(const struct search_node *clause, const struct indexed_attribute *attribute);

#endif
