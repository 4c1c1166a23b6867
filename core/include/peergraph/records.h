/**
 * @file records.h
 * The records of a graph: what they hold, how they are stored, changed and found. Comes with peergraph.h, and what that
 * says holds here too.
 */
#ifndef PEERGRAPH_RECORDS_H
#define PEERGRAPH_RECORDS_H

#include "peergraph/peergraph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------------- records */

/** A record as the application sees it. */
typedef struct peer_record_view {
    uint32_t struct_size;
    uint32_t version;    /* 1 at creation, one more per change; ignored on input */
    peer_guid id;        /* ignored by add, the key of update */
    peer_guid type;      /* any but the reserved ones; an update cannot change it */
    uint32_t flags;      /* PEER_RECORD_FLAG_*; on input AUTOREFRESH, or 0. This node then prolongs the record while it
                             * is open; one that is to live for less than 4 minutes may end all the same */
    uint32_t reserved;   /* 0 */
    int64_t created_us;  /* set by the engine */
    int64_t expires_us;  /* required; an update may keep or raise it */
    int64_t modified_us; /* set by the engine */
    const char *creator_id;  /* NULL on input: this node's peer id */
    const char *modifier_id; /* NULL if never modified; NULL on input: this node's peer id */
    const char *attributes;  /* XML; see peer_attributes_*. NULL, on input also "": none */
    const void *data;
    size_t size;
    const void *security_data; /* for those who judge records */
    size_t security_data_size; /* at most 65,536 */
} peer_record_view;
typedef peer_record_view peer_record_input;
#define PEER_RECORD_INPUT_INIT {.struct_size = sizeof(peer_record_input)}

/**
 * Adds a record: stores it and sends it to every node. When the call returns, it is stored.
 *
 * @param record  type and expires_us are required
 *
 * @retval PEER_E_GRAPH_NOT_READY            the graph was never synchronized
 * @retval PEER_E_NOT_AUTHORIZED             the type is reserved
 * @retval PEER_E_INVALID_RECORD_EXPIRATION  expires_us is not later than now in peer time
 * @retval PEER_E_INVALID_ATTRIBUTES         the attributes break the schema; the message says where
 * @retval PEER_E_TOO_MANY_ATTRIBUTES        more than 4,096
 * @retval PEER_E_MAX_RECORD_SIZE_EXCEEDED   data and attributes are larger than the graph allows
 * @retval PEER_E_GRAPH_SHUTTING_DOWN, PEER_E_DATABASE_FULL
 * @retval PEER_E_DISK_FULL                  nothing is stored; PEER_GRAPH_STATUS_STORAGE_FULL stays until there is room
 * @retval PEER_E_INVALID_DATABASE           the database was damaged or removed while it was open
 *
 * PeerGraphAddRecord; MS-PPGRH 3.1.4.3.
 */
PEER_API peer_status peer_graph_add_record(peer_graph *graph, const peer_record_input *record,
                                           peer_guid *record_id_out);

/**
 * Replaces attributes, data and expiration of the record with `record->id`. Whoever holds a record may update it.
 *
 * @param record  data and attributes replace the old ones, also when empty; expires_us may stay or grow, 0 keeps it
 *
 * @retval PEER_E_RECORD_NOT_FOUND           unknown, deleted or expired
 * @retval PEER_E_INVALID_RECORD_EXPIRATION  expires_us is earlier than before
 * @retval PEER_E_INVALID_RECORD             the type differs
 * @retval also those of peer_graph_add_record
 *
 * PeerGraphUpdateRecord; MS-PPGRH 3.1.4.4, 3.1.7.8.
 */
PEER_API peer_status peer_graph_update_record(peer_graph *graph, const peer_record_input *record);

/**
 * Deletes a record everywhere. A tombstone stays until the record's expiration. Room is kept so that some deletions work
 * on a full disk too. What the record held may be left in unused parts of the database file, until something else is
 * written there.
 *
 * @param local  not 0: on this node alone, where PEER_GRAPH_OPTION_JUDGE is set, else E_INVALIDARG. The record comes back
 *               with the next synchronization, unless the application judges it invalid
 *
 * @retval PEER_E_RECORD_NOT_FOUND  unknown, deleted or expired
 * @retval PEER_E_NOT_AUTHORIZED    the record is one of the graph's own
 * @retval PEER_E_GRAPH_NOT_READY, PEER_E_GRAPH_SHUTTING_DOWN, PEER_E_DISK_FULL, PEER_E_DATABASE_FULL
 *
 * PeerGraphDeleteRecord; MS-PPGRH 3.1.4.5, 3.1.7.9.
 */
PEER_API peer_status peer_graph_delete_record(peer_graph *graph, const peer_guid *record_id, uint32_t local);

/**
 * As peer_graph_delete_record for the whole graph, with security data for the tombstone, for those who judge records.
 *
 * @param record  id, security_data and modifier_id count, the rest is ignored
 */
PEER_API peer_status peer_graph_delete_secured_record(peer_graph *graph, const peer_record_input *record);

/**
 * One record by its id.
 *
 * @retval PEER_E_RECORD_NOT_FOUND  unknown, deleted or expired
 * @retval PEER_E_GRAPH_NOT_READY   the graph was never synchronized
 *
 * PeerGraphGetRecord.
 */
PEER_API peer_status peer_graph_get_record(peer_graph *graph, const peer_guid *record_id, peer_record **record_out);

/** Fills a view of a record. @param view_size sizeof(peer_record_view) */
PEER_API peer_status peer_record_get_view(const peer_record *record, size_t view_size, peer_record_view *view_out);

/**
 * The application's records, or those of one type, one creator, or both. Items are peer_record. The graph's own records
 * are included only if their type is asked for. The enumeration holds what was there at one moment during the call; what
 * changed since comes as an event. Others are not kept waiting while a large database is listed.
 *
 * @param type        NULL for any
 * @param creator_id  NULL for any
 *
 * @retval PEER_E_GRAPH_NOT_READY  the graph was never synchronized
 *
 * PeerGraphEnumRecords.
 */
PEER_API peer_status peer_graph_enum_records(peer_graph *graph, const peer_guid *type, const char *creator_id,
                                             peer_enum **enum_out);

/* ---------------------------------------------------------------------------------------------------- attributes */

/*
 * Attributes of a record travel as XML. These functions write and read it, so that no program has to. An object that is
 * being built belongs to one thread at a time. They need no runtime.
 */

/** An empty set of attributes to build. */
PEER_API peer_status peer_attributes_create(peer_attributes **attributes_out);

/**
 * Adds one attribute. Names need not be unique.
 *
 * @param name   1 … 40 of 0-9 a-z A-Z, none of the six reserved names of peer_graph_search_records, in whatever case
 * @param type   PEER_ATTRIBUTE_STRING, _INT (digits only) or _DATE (2026-11-21, 2026-11-21T10:30:00Z, …)
 * @param value  text; characters that XML cannot hold are refused
 *
 * @retval PEER_E_INVALID_ATTRIBUTES   name, type or value break the schema
 * @retval PEER_E_TOO_MANY_ATTRIBUTES  it would be the 4,097th
 */
PEER_API peer_status peer_attributes_add(peer_attributes *attributes, const char *name, int32_t type,
                                         const char *value);

/** Adds an integer. Negative ones are outside the schema: PEER_E_INVALID_ATTRIBUTES. */
PEER_API peer_status peer_attributes_add_int(peer_attributes *attributes, const char *name, int64_t value);

/** Adds a moment, written in UTC with microseconds. Years 1 to 9999, else PEER_E_INVALID_ATTRIBUTES. */
PEER_API peer_status peer_attributes_add_date(peer_attributes *attributes, const char *name, int64_t time_utc_us);

/** Reads attribute XML. @retval PEER_E_INVALID_ATTRIBUTES, PEER_E_TOO_MANY_ATTRIBUTES */
PEER_API peer_status peer_attributes_parse(const char *xml, peer_attributes **attributes_out);

/** The attributes as XML, ready for peer_record_input. Valid until the object is changed or freed. */
PEER_API peer_status peer_attributes_get_xml(const peer_attributes *attributes, const char **xml_out);

/** How many there are. */
PEER_API peer_status peer_attributes_get_count(const peer_attributes *attributes, uint32_t *count_out);

/** One attribute by index, in document order. @retval E_INVALIDARG `index` is not below the count */
PEER_API peer_status peer_attributes_get(const peer_attributes *attributes, uint32_t index, const char **name_out,
                                         int32_t *type_out, const char **value_out);

/** An integer attribute as a number. @retval PEER_E_INVALID_ATTRIBUTES not an integer, or beyond 64 bits */
PEER_API peer_status peer_attributes_get_int(const peer_attributes *attributes, uint32_t index, int64_t *value_out);

/** A date attribute as a moment; a partial date is its first instant in UTC. @retval PEER_E_INVALID_ATTRIBUTES not a date */
PEER_API peer_status peer_attributes_get_date(const peer_attributes *attributes, uint32_t index,
                                              int64_t *time_utc_us_out);

/* ------------------------------------------------------------------------------------------------------ searching */

/**
 * The application's records that match a query, as they were at one moment during the call, in no particular order. Items
 * are peer_record. Others are not kept waiting. The call finds the first few hundred; the rest is found meanwhile:
 * peer_get_next_item waits for as many as it is asked for, peer_get_item_count for all.
 *
 * The query is XML, which peer_query_create and the functions after it write:
 *
 *     <peersearch><and><clause attrib="room" type="string" compare="equal">lobb*</clause>
 *     <clause attrib="size" type="int" compare="less">1000</clause></and></peersearch>
 *
 * `attrib` is the name of an attribute, or peercreatorid, peerlastmodifiedby, peerrecordid, peerrecordtype (string),
 * peercreationtime, peerlastmodificationtime (date, peer time). `type` is string, int or date; values of another type do
 * not match. `compare` is equal (the default), notequal, less, greater, lessorequal or greaterorequal. In the value of a
 * string that is compared for equal or notequal, * stands for any characters and ? for one; in every value a backslash
 * before *, ? or another backslash takes the meaning from it. Text is compared by UTF-16 unit, case counts; ids are text
 * in lower case, whatever case and braces the value has. A record that lacks the attribute does not match whatever the
 * comparison; of one that has it several times any value will do. Integers beyond 64 bits are not found, and a query may
 * not name them. Dates are compared to the microsecond. At most 1,024 clauses and
 * operators, nested 64 deep with the clause, values of 4,096 bytes.
 *
 * @param criteria  the query
 *
 * @retval PEER_E_INVALID_SEARCH     the query is not XML or breaks the rules; the message says where
 * @retval E_INVALIDARG              also a backslash in a value before anything else
 * @retval PEER_E_GRAPH_NOT_READY    the graph was never synchronized
 * @retval PEER_E_GRAPH_SHUTTING_DOWN, PEER_E_INVALID_DATABASE
 *
 * PeerGraphSearchRecords.
 */
PEER_API peer_status peer_graph_search_records(peer_graph *graph, const char *criteria, peer_enum **enum_out);

/*
 * These functions write a query, so that no program has to. It is one clause, or one operator with clauses and further
 * operators in it. What they accept peer_graph_search_records accepts; a call that fails changes nothing, and its message
 * says what was wrong. `compare` is PEER_COMPARE_*, with the record's value on its left side. An object that is being
 * built belongs to one thread at a time. They need no runtime.
 */

/** An empty query to build. Release it with peer_free_data. */
PEER_API peer_status peer_query_create(peer_query **query_out);

/**
 * Begins an operator that holds where everything in it does: what is added from here to peer_query_end.
 *
 * @retval PEER_E_INVALID_SEARCH  it would be the 64th inside of one another, or there is no room for it as in
 *                                peer_query_add_text
 */
PEER_API peer_status peer_query_begin_and(peer_query *query);

/** As peer_query_begin_and, for an operator that holds where anything in it does. */
PEER_API peer_status peer_query_begin_or(peer_query *query);

/** Ends the operator that was begun last. @retval PEER_E_INVALID_SEARCH none is open, or there is nothing in it */
PEER_API peer_status peer_query_end(peer_query *query);

/**
 * Adds a clause about text that stands for itself: *, ? and the backslash are characters like all others.
 *
 * @param name  of an attribute, or peercreatorid, peerlastmodifiedby, peerrecordid, peerrecordtype
 * @param text  at most 4,096 bytes, each *, ? and backslash counted twice
 *
 * @retval PEER_E_INVALID_SEARCH  the name cannot be one or is that of a time, there is no such comparison, the text is too
 *                                long, is no UTF-8 or has a character that XML cannot hold; it would be the 1,025th clause
 *                                or operator, or a second one outside of any operator
 */
PEER_API peer_status peer_query_add_text(peer_query *query, const char *name, int32_t compare, const char *text);

/**
 * As peer_query_add_text, with wildcards: * stands for any characters, ? for one; a backslash before *, ? or another
 * backslash takes the meaning from it.
 *
 * @param name     as there
 * @param compare  PEER_COMPARE_EQUAL or _NOT_EQUAL
 * @param pattern  at most 4,096 bytes
 *
 * @retval E_INVALIDARG           also a backslash before anything else
 * @retval PEER_E_INVALID_SEARCH  also another comparison
 */
PEER_API peer_status peer_query_add_pattern(peer_query *query, const char *name, int32_t compare, const char *pattern);

/** As peer_query_add_text, about numbers. Of the fields that every record has none is a number. */
PEER_API peer_status peer_query_add_int(peer_query *query, const char *name, int32_t compare, int64_t value);

/**
 * As peer_query_add_text, about moments.
 *
 * @param name     of an attribute, or peercreationtime, peerlastmodificationtime
 * @param time_us  microseconds since 1970-01-01 UTC, peer time, or for an attribute the clock of who writes it; years 1 to
 *                 9999
 *
 * @retval PEER_E_INVALID_SEARCH  also a moment beyond those years
 */
PEER_API peer_status peer_query_add_date(peer_query *query, const char *name, int32_t compare, int64_t time_us);

/** As peer_query_add_text, about the id or the type of records. @param name peerrecordid or peerrecordtype */
PEER_API peer_status peer_query_add_guid(peer_query *query, const char *name, int32_t compare, const peer_guid *guid);

/**
 * The query as XML, ready for peer_graph_search_records. Valid until the object is changed or freed.
 *
 * @retval PEER_E_INVALID_SEARCH  the query is empty, or an operator has not ended
 */
PEER_API peer_status peer_query_get_xml(const peer_query *query, const char **xml_out);

/* ------------------------------------------------------------------------------------------------------- batches */

/**
 * Begins a batch: changes that are stored, sent and announced together or not at all. No lock is held until commit.
 *
 * @retval PEER_E_GRAPH_NOT_READY  the graph was never synchronized
 */
PEER_API peer_status peer_graph_begin_batch(peer_graph *graph, peer_batch **batch_out);

/** As peer_graph_add_record, at commit. The id is the one that the record will have. At most 1,024 changes in a batch. */
PEER_API peer_status peer_batch_add_record(peer_batch *batch, const peer_record_input *record,
                                           peer_guid *record_id_out);

/** As peer_graph_update_record, at commit. The record may be one that the batch added. */
PEER_API peer_status peer_batch_update_record(peer_batch *batch, const peer_record_input *record);

/** As peer_graph_delete_record with `local` 0, at commit. */
PEER_API peer_status peer_batch_delete_record(peer_batch *batch, const peer_guid *record_id);

/** As peer_graph_delete_secured_record, at commit. */
PEER_API peer_status peer_batch_delete_secured_record(peer_batch *batch, const peer_record_input *record);

/**
 * Carries the batch out in one transaction. The handle has ended whatever the result; after a failure nothing was done.
 *
 * @retval PEER_E_RECORD_NOT_FOUND  a record to update or delete has gone since
 * @retval E_INVALIDARG             `batch` is not open
 * @retval PEER_E_DISK_FULL, PEER_E_DATABASE_FULL, PEER_E_GRAPH_SHUTTING_DOWN
 */
PEER_API peer_status peer_batch_commit(peer_batch *batch);

/** Drops a batch. @retval E_INVALIDARG `batch` is not open */
PEER_API peer_status peer_batch_abort(peer_batch *batch);

#ifdef __cplusplus
}
#endif

#endif
