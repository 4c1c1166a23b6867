/** What a search reads of the records that an index led it to. */
#ifndef PEER_STORE_SQLITE_FOUND_H
#define PEER_STORE_SQLITE_FOUND_H

#include "base/search.h"
#include "store/sqlite_internal.h"

/** Zero-initialise. */
struct found_records {
    sqlite3_stmt *records;
    int has_fields;              /* the tree asks for fields of the record, which `records` then has */
    uint64_t at;                 /* the one that was read last; 0: none */
    sqlite3_stmt *attributes_of; /* NULL: the tree asks for none */
    struct buffer attributes;
};

/** Results of all are SQLITE_OK or the error. */
int peer__sqlite_found_open(sqlite3 *db, const struct search *tree, struct found_records *found);
void peer__sqlite_found_close(struct found_records *found);
/** Reads what the tree asks for and what the graph has to know, no wire bytes. Quickest in the order of the numbers. */
int peer__sqlite_found_read(struct found_records *found, uint64_t seq, struct store_row *row);
/** The attributes of such a record, if the tree asks for any. All spans live until the next record is read. */
int peer__sqlite_found_read_attributes(struct found_records *found, struct store_row *row);

#endif
