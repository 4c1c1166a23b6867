/**
 * @file peergraph.h
 * Groups of programs that share state without a server: the whole stable API of libpeergraph.
 *
 * A *graph* is a sparse mesh of nodes; each holds a replica of one database of *records*. What one node adds, updates
 * or deletes reaches all others; who was away catches up. The functions are those of the Windows Peer Graphing API
 * by rule: PeerGraphAddRecord is peer_graph_add_record. What is ours alone is listed in docs/names.md.
 *
 * What holds for every function, said once:
 *
 * **Status.** Functions return a peer_status: 0 is success, a negative value an error, a positive one success with
 * information. Out-parameters come last and end in `_out`; a status of 0 or more sets all of them, a failure leaves
 * them as they were. After a failure peer_last_error_message() has one line that names the offending value.
 * Every function can return E_INVALIDARG (an argument is NULL or ill-formed), E_OUTOFMEMORY,
 * PEER_E_NOT_INITIALIZED (no runtime is alive in this process), PEER_E_FORKED (called in a forked child) and
 * PEER_E_INTERNAL (a defect of ours, or a disk that fails without a reason of its own). The comments below list only
 * what is particular.
 *
 * **Handles** (peer_runtime, peer_graph, peer_event_queue, peer_enum, peer_batch) are not addresses. One that is NULL,
 * closed, invented or of the wrong kind gives the documented error from any thread, never undefined behaviour.
 *
 * **Objects** (peer_record, peer_event, peer_node_info, peer_connection_info, peer_graph_properties, peer_attributes,
 * peer_query and what peer_get_next_item, peer_get_item_views and peer_get_event_batch return) are counted, yours and, but
 * for the two that are built, immutable: release each with peer_free_data. They stay valid after their graph is closed and after shutdown. Text and bytes
 * that they hand out live as long as they do.
 *
 * **Structs in** begin with `struct_size`; set it with the `…_INIT` macro. Reserved fields are 0. Structs are read
 * during the call only.
 *
 * **Views** are the same structs the other way round: one call fills all fields of an object. The pointers borrow from
 * the object. A view can be edited and passed back as input.
 *
 * **Text** is UTF-8, ends with a NUL, and may not be ill-formed; limits count UTF-16 units, as on Windows. **Bytes** are
 * a pointer and a size. **Addresses** are text: "192.0.2.1:5000", "[2001:db8::1]:5000", "[fe80::1%eth0]:5000"; where a
 * function says so also "host.example:5000".
 *
 * **Time** is in microseconds since 1970-01-01 UTC. Names ending in `_us` are peer time, the clock that the nodes of
 * a graph share; `_utc_us` is this machine's clock.
 *
 * **Threads.** Every function may be called from any thread. No function calls back into the program.
 *
 * Records have a header of their own, records.h, which this one brings along.
 */
#ifndef PEERGRAPH_H
#define PEERGRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "peergraph/codes.h"

#if defined(__GNUC__)
#define PEER_API __attribute__((visibility("default")))
#else
#define PEER_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** 0 success, negative an error (PEER_E_*, E_*), positive success with information (PEER_S_*). */
typedef int32_t peer_status;

/** 16 bytes in the order of the printed form: 00112233-4455-6677-8899-aabbccddeeff is 00 11 22 … ff. */
typedef struct peer_guid {
    uint8_t bytes[16];
} peer_guid;

typedef struct peer_runtime peer_runtime;
typedef struct peer_graph peer_graph;
typedef struct peer_event_queue peer_event_queue;
typedef struct peer_enum peer_enum;
typedef struct peer_batch peer_batch;

typedef struct peer_record peer_record;
typedef struct peer_event peer_event;
typedef struct peer_node_info peer_node_info;
typedef struct peer_connection_info peer_connection_info;
typedef struct peer_graph_properties peer_graph_properties;
typedef struct peer_attributes peer_attributes;
typedef struct peer_query peer_query;

/* ------------------------------------------------------------------------------------------- the library itself */

/** The version of the library that is loaded, e.g. "0.1.0". Needs no runtime. */
PEER_API const char *peer_version(void);

/**
 * One line about the last failure of a call on this thread: what was wrong with which value. Never NULL; "" if nothing
 * failed yet. Success leaves it alone, and so do the free, close, unregister, end and abort functions. Valid until the
 * next failure on this thread. Needs no runtime.
 */
PEER_API const char *peer_last_error_message(void);

/** The name of a status, "PEER_E_INVALID_GRAPH", or "PEER_STATUS_UNKNOWN". Static text. Needs no runtime. */
PEER_API const char *peer_status_name(peer_status status);

/** What a status means, in one line without a value. Static text. Needs no runtime. */
PEER_API const char *peer_status_text(peer_status status);

/* ------------------------------------------------------------------------------------------------------- runtime */

/** What a runtime may be told at startup. */
typedef struct peer_startup_input {
    uint32_t struct_size;
    uint32_t flags;             /* 0 */
    const char *data_directory; /* where databases live; NULL: $XDG_DATA_HOME/peergraph or ~/.local/share/peergraph */
} peer_startup_input;
#define PEER_STARTUP_INPUT_INIT {.struct_size = sizeof(peer_startup_input)}

/** What peer_startup answers about versions; low byte major, high byte minor, as on Windows. */
typedef struct peer_version_data {
    uint32_t version;         /* the version to use from now on */
    uint32_t highest_version; /* the highest version that this library knows */
} peer_version_data;

/**
 * Starts a runtime: a data directory, a driver thread, and everything opened in it. A process may have several; they
 * do not know each other.
 *
 * @param version      PEER_GRAPH_VERSION; 0x0001, 0x0101 and 0x0002 are known
 * @param options      NULL for defaults
 * @param version_out  may be NULL
 *
 * @retval PEER_E_UNSUPPORTED_VERSION  `version` is none of the known ones
 * @retval E_ACCESSDENIED              the data directory cannot be made or written
 *
 * PeerGraphStartup.
 */
PEER_API peer_status peer_startup(uint32_t version, const peer_startup_input *options, peer_version_data *version_out,
                                  peer_runtime **runtime_out);

/**
 * Ends a runtime: closes its graphs with a goodbye to their neighbours (waits for at most one second), ends its
 * enumerations and batches, joins its threads. Every event queue gets PEER_EVENT_CLOSED and stays readable until it is
 * unregistered; objects stay valid.
 *
 * @retval PEER_E_NOT_INITIALIZED  `runtime` is not alive
 *
 * PeerGraphShutdown.
 */
PEER_API peer_status peer_shutdown(peer_runtime *runtime);

/** Gives up one owner of an object. NULL is accepted. Works in a forked child and without a runtime. PeerGraphFreeData. */
PEER_API void peer_free_data(const void *data);

/** Adds an owner to an object, who releases it with peer_free_data. Works without a runtime. */
PEER_API peer_status peer_retain_data(const void *data);

/* -------------------------------------------------------------------------------------------------------- graphs */

/** Properties of a graph, as given to create and as read back. Limits count UTF-16 units without the terminator. */
typedef struct peer_graph_properties_view {
    uint32_t struct_size;
    uint32_t flags;               /* PEER_GRAPH_PROPERTY_DEFER_EXPIRATION */
    uint32_t scope;               /* PEER_GRAPH_SCOPE_*; 0: global */
    uint32_t max_record_size;     /* bytes of payload and attributes; 0: 4 MiB at creation; else 1,024 … 62,914,560 */
    uint32_t presence_lifetime_s; /* 0: 300; else at least 300 */
    int32_t presence_max;         /* -1: every node publishes its presence; 0: none by itself; else about so many */
    const char *graph_id;         /* 1 … 255, required; no control characters */
    const char *creator_id;       /* 1 … 255, required: the peer id of the creating node */
    const char *friendly_name;    /* 0 … 255, or NULL */
    const char *comment;          /* 0 … 511, or NULL */
} peer_graph_properties_view;
typedef peer_graph_properties_view peer_graph_properties_input;
#define PEER_GRAPH_PROPERTIES_INPUT_INIT {.struct_size = sizeof(peer_graph_properties_input), .presence_max = -1}

/** How a graph is opened on this machine; nothing of it is shared with other nodes. */
typedef struct peer_graph_options_input {
    uint32_t struct_size;
    uint32_t flags; /* PEER_GRAPH_OPTION_* */
    /* What the records may hold on this node, in all and of one creator, in bytes: their content and 256 for each. 0: the
     * default, 1 GiB and no limit; else at least 65,536. Beyond it calls give PEER_E_DATABASE_FULL, and see
     * PEER_GRAPH_STATUS_STORAGE_FULL. Deletions may take a sixteenth more. */
    uint64_t max_database_bytes;
    uint64_t max_bytes_per_creator;
} peer_graph_options_input;
#define PEER_GRAPH_OPTIONS_INPUT_INIT {.struct_size = sizeof(peer_graph_options_input)}

/**
 * Makes a new graph and its database, and opens it. No network activity. The graph is synchronized from the start.
 * Only one peer creates a graph; the others open it.
 *
 * @param properties     graph_id and creator_id are required
 * @param database_name  a plain file name that tells apart several databases of one graph and peer: 1 … 64 bytes, no slash,
 *                       backslash or control character, and no dot in front; NULL: "default"
 * @param options        NULL for defaults
 *
 * @retval PEER_E_DUPLICATE_GRAPH            the graph is open in this runtime
 * @retval PEER_E_DATABASE_ALREADY_PRESENT   a database of that graph, peer and name exists; delete it or open it
 * @retval PEER_E_DATABASE_IN_USE            another process or runtime has that database open, or is about to close it
 * @retval PEER_E_DISK_FULL, PEER_E_DATABASE_ACCESSDENIED
 *
 * PeerGraphCreate; MS-PPGRH 3.1.4.1.
 */
PEER_API peer_status peer_graph_create(peer_runtime *runtime, const peer_graph_properties_input *properties,
                                       const char *database_name, const peer_graph_options_input *options,
                                       peer_graph **graph_out);

/**
 * Opens a graph that this or another node created. No network activity. A new, empty database is made if there is none;
 * then the graph must connect and synchronize before its records can be used.
 *
 * @param graph_id          the id that its creator gave it
 * @param peer_id           who we are in the graph, 1 … 255 UTF-16 units
 * @param precedence_count  how many record types are to be synchronized before the others; at most 253. If it is not 0,
 *                          PEER_GRAPH_EVENT_SYNCHRONIZED tells when each type is complete
 * @param precedence        the types, first to last; NULL if the count is 0
 *
 * @retval PEER_OK                       an existing database was opened
 * @retval PEER_S_GRAPH_DATA_CREATED     a new one was made, or the existing one was never synchronized
 * @retval PEER_E_DUPLICATE_GRAPH        the same graph, peer and database is open in this runtime
 * @retval PEER_E_DBNAME_CHANGED         the same graph and peer is open in this runtime with another database name
 * @retval PEER_E_DATABASE_IN_USE        another process or runtime has the database open, or is about to close it; the
 *                                       message has the file's name
 * @retval PEER_E_INVALID_DATABASE       the file is damaged, not ours, or from a newer version
 * @retval PEER_E_DISK_FULL, PEER_E_DATABASE_ACCESSDENIED
 *
 * PeerGraphOpen; MS-PPGRH 3.1.4.2.
 */
PEER_API peer_status peer_graph_open(peer_runtime *runtime, const char *graph_id, const char *peer_id,
                                     const char *database_name, const peer_graph_options_input *options,
                                     uint32_t precedence_count, const peer_guid *precedence, peer_graph **graph_out);

/**
 * Starts to accept connections. The port is shared by all graphs of the runtime that ask for it with the same scope and
 * interface. From now on the graph also looks after its own connections, as after peer_graph_connect.
 *
 * @param scope     PEER_GRAPH_SCOPE_GLOBAL, _SITELOCAL, _LINKLOCAL, or _LOOPBACK for this machine only (ours)
 * @param scope_id  interface index; 0 means every interface and is allowed for GLOBAL and LOOPBACK only. For LOOPBACK it
 *                  is ignored
 * @param port      0: a free one; ask peer_graph_get_node_info(graph, 0, …) which
 *
 * @retval PEER_E_GRAPH_NOT_READY     the graph was never synchronized
 * @retval PEER_E_ALREADY_LISTENING   it listens already
 * @retval PEER_E_UNABLE_TO_LISTEN    the port is taken or not permitted, or the interface has no address of that scope
 *
 * PeerGraphListen; MS-PPGRH 3.1.4.8.
 */
PEER_API peer_status peer_graph_listen(peer_graph *graph, uint32_t scope, uint32_t scope_id, uint32_t port);

/**
 * Asks for a neighbour connection to the node that listens at `address`.
 *
 * Asynchronous: PEER_GRAPH_EVENT_NEIGHBOR_CONNECTION tells how it ended, with the reason if it failed. A node that is
 * full names others; unless `peer_id` is given, one of them is then asked in its place, and the event of the failure has
 * the id of that attempt, `next_connection_id`.
 *
 * From now on the graph looks after its connections by itself: it finds a second and a third neighbour among those that
 * others name and those it met before (a node that was full may have a place later), replaces the ones it loses, and of
 * more than three ends one now and then. Such connections are told when they are made and when they end, not when they
 * fail. PEER_GRAPH_OPTION_MANUAL turns this off.
 *
 * @param peer_id            the peer that must answer there, or NULL for whoever does
 * @param address            "192.0.2.1:5000", "[2001:db8::1]:5000", "[fe80::1%eth0]:5000" or "host.example:5000"
 * @param connection_id_out  matches the event; may be NULL
 *
 * @retval PEER_E_ALREADY_EXISTS     a neighbour connection to that node exists
 * @retval PEER_E_CONNECT_SELF       the address is one of this node's own, and `peer_id` no other peer, which may listen there
 * @retval PEER_E_CONNECTION_FAILED  the address names an interface that this machine does not have
 *
 * PeerGraphConnect; MS-PPGRH 3.1.4.9, 3.1.5.2.3, 3.1.7.14, 3.1.7.24.
 */
PEER_API peer_status peer_graph_connect(peer_graph *graph, const char *peer_id, const char *address,
                                        uint64_t *connection_id_out);

/**
 * Leaves the graph: says goodbye to the neighbours, closes the database, ends the handle. The graph's event queues get
 * PEER_EVENT_CLOSED; its enumerations and batches end. Never waits for the network; for the disk as long as its journal
 * needs to move into the database, and keeps no other call waiting meanwhile. Calls that other threads have under way
 * for the graph give PEER_E_GRAPH_SHUTTING_DOWN.
 *
 * @retval PEER_E_INVALID_GRAPH  `graph` is not open
 *
 * PeerGraphClose; MS-PPGRH 3.1.4.12.
 */
PEER_API peer_status peer_graph_close(peer_graph *graph);

/**
 * Removes the stored data of a graph from this machine. Other nodes keep theirs. The graph must be closed.
 *
 * @param database_name  as given to create or open; NULL: "default"
 *
 * @retval PEER_E_DATABASE_NOT_PRESENT  there is no such database; nothing is harmed
 * @retval PEER_E_DATABASE_IN_USE       it is open in another process or runtime, or about to be closed
 * @retval PEER_E_GRAPH_IN_USE          it is open in this runtime
 * @retval E_ACCESSDENIED               the file cannot be removed
 *
 * PeerGraphDelete.
 */
PEER_API peer_status peer_graph_delete(peer_runtime *runtime, const char *graph_id, const char *peer_id,
                                       const char *database_name);

/**
 * The status flags of a graph, PEER_GRAPH_STATUS_*; may be 0.
 *
 * With PEER_GRAPH_STATUS_STORAGE_FULL (ours) the disk or the database has no room: what neighbours send is neither stored
 * nor acknowledged nor forwarded. As soon as something was refused so, PEER_GRAPH_STATUS_SYNCHRONIZED is withdrawn; when
 * there is room again, the graph synchronizes and both flags say so.
 *
 * PeerGraphGetStatus.
 */
PEER_API peer_status peer_graph_get_status(peer_graph *graph, uint32_t *status_out);

/**
 * The properties of a graph, as its creator set them.
 *
 * @retval PEER_E_GRAPH_NOT_READY  the graph was never synchronized
 *
 * PeerGraphGetProperties.
 */
PEER_API peer_status peer_graph_get_properties(peer_graph *graph, peer_graph_properties **properties_out);

/** Fills a view of properties. @param view_size sizeof(peer_graph_properties_view) */
PEER_API peer_status peer_graph_properties_get_view(const peer_graph_properties *properties, size_t view_size,
                                                    peer_graph_properties_view *view_out);

/**
 * Changes friendly name, comment, presence lifetime and presence maximum for the whole graph, on every node. The other
 * fields are ignored, so that what peer_graph_properties_get_view has filled can be edited and passed.
 *
 * @param properties  friendly_name and comment may be NULL, which removes them
 *
 * @retval PEER_E_GRAPH_NOT_READY  the graph was never synchronized
 * @retval PEER_E_GRAPH_SHUTTING_DOWN, PEER_E_DISK_FULL
 *
 * PeerGraphSetProperties.
 */
PEER_API peer_status peer_graph_set_properties(peer_graph *graph, const peer_graph_properties_input *properties);

/* -------------------------------------------------------------------------------------------- nodes and connections */

/** A node of a graph. */
typedef struct peer_node_info_view {
    uint32_t struct_size;
    uint32_t address_count; /* 0 if the node does not listen */
    uint64_t node_id;       /* never 0; drawn anew at each create and open */
    const char *peer_id;
    const char *attributes;       /* free text, or NULL */
    const char *const *addresses; /* address_count texts, the best one first */
} peer_node_info_view;

/**
 * What is known of a node: this one, one that is present, or a neighbour.
 *
 * @param node_id  0 means this node; the returned id is the one that others see
 *
 * @retval PEER_E_NODE_NOT_FOUND  no node of that id is known
 *
 * PeerGraphGetNodeInfo.
 */
PEER_API peer_status peer_graph_get_node_info(peer_graph *graph, uint64_t node_id, peer_node_info **info_out);

/** Fills a view of node information. @param view_size sizeof(peer_node_info_view) */
PEER_API peer_status peer_node_info_get_view(const peer_node_info *info, size_t view_size,
                                             peer_node_info_view *view_out);

/**
 * The nodes that are present, this one included: those with a presence record, all or those of one peer. Items are
 * peer_node_info. Empty where nobody publishes presence (presence_max 0 and nobody has called peer_graph_set_presence).
 * Who has closed the graph is gone at once; who has crashed when the presence has expired, presence_lifetime_s after it
 * was last prolonged.
 *
 * @param peer_id  NULL for any
 *
 * @retval PEER_E_GRAPH_NOT_READY  the graph was never synchronized
 *
 * PeerGraphEnumNodes.
 */
PEER_API peer_status peer_graph_enum_nodes(peer_graph *graph, const char *peer_id, peer_enum **enum_out);

/**
 * Makes this node present, whatever presence_max says, as soon as it listens and as long as it does (1); or leaves that
 * to presence_max again (0): then the presence record is not taken back, but not prolonged either.
 *
 * PeerGraphSetPresence; MS-PPGRH 3.1.4.6.
 */
PEER_API peer_status peer_graph_set_presence(peer_graph *graph, uint32_t present);

/**
 * Sets the text that travels with this node's presence. Others hear of it by PEER_GRAPH_EVENT_NODE_CHANGED, this node
 * too, with node id 0. Nothing is stored: the text is gone when the graph is closed.
 *
 * @param attributes  any text of at most 4,095 units; NULL or "": none
 *
 * @retval PEER_E_DISK_FULL, PEER_E_GRAPH_SHUTTING_DOWN
 *
 * PeerGraphSetNodeAttributes.
 */
PEER_API peer_status peer_graph_set_node_attributes(peer_graph *graph, const char *attributes);

/** A connection of this node. */
typedef struct peer_connection_info_view {
    uint32_t struct_size;
    uint32_t flags; /* PEER_CONNECTION_NEIGHBOR or PEER_CONNECTION_DIRECT */
    uint64_t connection_id;
    uint64_t node_id;
    const char *peer_id; /* of the other side, as it says */
    const char *address; /* of the other end: where it listens if this node dialled */
    uint64_t lost_count; /* messages of data that came while nobody was registered for PEER_GRAPH_EVENT_INCOMING_DATA */
} peer_connection_info_view;

/**
 * The connections of this node that are up. Items are peer_connection_info.
 *
 * @param flags  PEER_CONNECTION_NEIGHBOR, PEER_CONNECTION_DIRECT, or both
 *
 * PeerGraphEnumConnections.
 */
PEER_API peer_status peer_graph_enum_connections(peer_graph *graph, uint32_t flags, peer_enum **enum_out);

/** Fills a view of a connection. @param view_size sizeof(peer_connection_info_view) */
PEER_API peer_status peer_connection_info_get_view(const peer_connection_info *info, size_t view_size,
                                                   peer_connection_info_view *view_out);

/**
 * Asks for a direct connection: a channel to one node, for data that is nobody else's business. Several may lead to a
 * node, and the graph need not be synchronized.
 *
 * Asynchronous: PEER_GRAPH_EVENT_DIRECT_CONNECTION tells when it is up, or why it failed; before that the id is good for
 * peer_graph_close_direct_connection only. The other node accepts it only while one of its event queues is registered for
 * that event, which a queue of every event is, and has less than 256 of them, of which 128 may come from one address other
 * than its own machine's, and from any address 64 of one peer.
 *
 * @param peer_id  who must answer: several peers may listen at one address
 * @param address  as for peer_graph_connect; one of those that peer_graph_enum_nodes gives
 *
 * @retval PEER_E_CONNECT_SELF       it would lead to this node
 * @retval PEER_E_CONNECTION_FAILED  the address names an interface that this machine does not have
 *
 * PeerGraphOpenDirectConnection.
 */
PEER_API peer_status peer_graph_open_direct_connection(peer_graph *graph, const char *peer_id, const char *address,
                                                       uint64_t *connection_id_out);

/**
 * Sends data over a direct or a neighbour connection. It arrives as one PEER_GRAPH_EVENT_INCOMING_DATA, in order, if the
 * other program is registered for that; the call returns before.
 *
 * Direct data is never dropped: a receiver that does not take it holds the sender back, until this gives
 * PEER_E_OUTBOX_FULL. Neighbour data shares its connection with the graph's records, so that of a neighbour whose program
 * does not take it, what is beyond 1 MiB is lost and counted by PEER_EVENT_OVERFLOW there. Where no program is registered
 * at all, both kinds are lost, and peer_connection_info_view.lost_count counts them.
 *
 * The id of a connection that is still being made gives PEER_E_CONNECTION_NOT_FOUND. A message of more than 4 MiB that
 * arrives over a direct connection ends it.
 *
 * @param data_type  what the data is, for the receiver; any but the engine's own 0ccbb0d2-be41-4bd6-914b-058ec5dcce64
 * @param size       at most 4 MiB over a direct, 1 MiB over a neighbour connection
 *
 * @retval PEER_E_CONNECTION_NOT_FOUND  no connection that is up has this id
 * @retval PEER_E_OUTBOX_FULL           nothing was queued; PEER_EVENT_WRITABLE tells when there is room
 *
 * PeerGraphSendData; MS-PPGRH 2.2.2.13.
 */
PEER_API peer_status peer_graph_send_data(peer_graph *graph, uint64_t connection_id, const peer_guid *data_type,
                                          const void *data, size_t size);

/**
 * Closes a direct connection, from either side and at any moment. Both sides get PEER_GRAPH_EVENT_DIRECT_CONNECTION with
 * PEER_DISCONNECTED and the reason 0; one that was not up yet fails.
 *
 * What was sent before still arrives, however slowly it is taken, as long as this runtime lives: a shutdown waits for it
 * for a second. A program that ends after it has sent something large waits for an answer, or for the other side to close.
 *
 * @retval PEER_E_CONNECTION_NOT_FOUND  no direct connection has this id
 *
 * PeerGraphCloseDirectConnection.
 */
PEER_API peer_status peer_graph_close_direct_connection(peer_graph *graph, uint64_t connection_id);

/**
 * Stops to read a direct connection (1), or goes on (0), for a program that has several and takes from one more slowly
 * than from the others. What arrived before still comes as events; the other side is held back.
 *
 * @retval PEER_E_CONNECTION_NOT_FOUND  no direct connection that is up has this id
 */
PEER_API peer_status peer_graph_pause_direct_connection(peer_graph *graph, uint64_t connection_id, uint32_t paused);

/* -------------------------------------------------------------------------------------------------------- peer time */

/** Converts a moment of peer time to this machine's clock. Both may be one variable. PeerGraphPeerTimeToUniversalTime. */
PEER_API peer_status peer_graph_peer_time_to_universal_time(peer_graph *graph, int64_t time_us,
                                                            int64_t *time_utc_us_out);

/** Converts a moment of this machine's clock to peer time. Both may be one variable. PeerGraphUniversalTimeToPeerTime. */
PEER_API peer_status peer_graph_universal_time_to_peer_time(peer_graph *graph, int64_t time_utc_us,
                                                            int64_t *time_us_out);

/* ------------------------------------------------------------------------------------------------------- judgement */

/*
 * A graph that was opened with PEER_GRAPH_OPTION_JUDGE takes no record of others, changed or deleted ones included, also
 * where the deletion comes first, before its application has judged it: PEER_EVENT_VALIDATION asks,
 * peer_graph_get_deferred_record shows it with its security data, peer_graph_judge_record answers. Until then it is neither
 * stored nor acknowledged nor forwarded. The graph's own records are not asked about, nor what this node changes itself.
 * All nodes of a graph must judge alike.
 *
 * Records that wait are bounded: 4 MiB of a connection, 32 MiB in all; one record is taken however large it is. A connection
 * with 2 MiB waiting is not read until they were judged, or for 30 s; what does not fit is asked for again later, and
 * PEER_GRAPH_STATUS_SYNCHRONIZED is withdrawn until it has come. What a connection that has ended brought makes way for what
 * others bring, the oldest first. What expires while it waits is dropped within 15 s. Nothing that waits is kept when the
 * graph is closed: it comes again.
 *
 * A synchronization ends, and PEER_GRAPH_EVENT_SYNCHRONIZED is told, when what it brought is judged, or after 30 s without
 * PEER_GRAPH_STATUS_SYNCHRONIZED.
 *
 * What was judged invalid is remembered until the graph is closed, 4096 copies (beyond that, chance decides which one is
 * forgotten): whoever brings the same copy again, which is the same to the byte, causes no question. Other versions of the
 * record, and other copies of the same version, are asked about as ever. Who judges otherwise from now on names the
 * records to peer_graph_validate_deferred_records, or opens the graph anew.
 */

/**
 * A record that waits for a judgement.
 *
 * @param validation_id  as PEER_EVENT_VALIDATION gave it
 *
 * @retval PEER_E_RECORD_NOT_FOUND  none waits under this number: it was judged, made way, or has expired
 */
PEER_API peer_status peer_graph_get_deferred_record(peer_graph *graph, uint64_t validation_id,
                                                    peer_record **record_out);

/**
 * Judges a record. In the place of the callback PFNPEER_VALIDATE_RECORD of Windows.
 *
 * @param verdict  PEER_OK: it is taken and goes on to others, unless it has lost against a newer one meanwhile;
 *                 PEER_E_INVALID_RECORD: it is dropped, and this copy is not asked about again;
 *                 PEER_E_DEFERRED_VALIDATION: it waits until peer_graph_validate_deferred_records asks again
 *
 * @retval PEER_E_RECORD_NOT_FOUND                 none waits under this number
 * @retval PEER_E_DISK_FULL, PEER_E_DATABASE_FULL  it cannot be stored, and waits on
 */
PEER_API peer_status peer_graph_judge_record(peer_graph *graph, uint64_t validation_id, peer_status verdict);

/**
 * Asks once more about records that wait: PEER_EVENT_VALIDATION comes for each again, once, in the order in which they
 * came. Also after PEER_EVENT_OVERFLOW of that type. That records with these ids were judged invalid is forgotten: the
 * neighbours are asked for them, PEER_GRAPH_STATUS_SYNCHRONIZED is withdrawn until they have sent what they have, and
 * PEER_EVENT_VALIDATION comes for each copy.
 *
 * @param count       0: about all that wait, nothing is forgotten, and `record_ids` is ignored. Many cost no more each than
 *                    one
 * @param record_ids  which; those that neither wait nor were judged invalid are passed over
 *
 * PeerGraphValidateDeferredRecords; MS-PPGRH 3.1.4.10.
 */
PEER_API peer_status peer_graph_validate_deferred_records(peer_graph *graph, uint32_t count,
                                                          const peer_guid *record_ids);

/* --------------------------------------------------------------------------------------------- export and import */

/**
 * Writes the database to a file, from which peer_graph_import_database makes one again: records and deletions, what the
 * graph says about itself, which records are kept alive, whether it is synchronized, peer time; not who is there.
 *
 * The file has what was there at one moment during the call. It takes the place of an older one when it is complete and
 * on the disk; until then it grows beside it as "<path>.part", which is removed after a failure. What a process that was
 * killed has left there is taken over by the next export. At any time, also while the graph listens; others are not kept
 * waiting while a large database is written. From 4 MiB on PEER_EVENT_PROGRESS tells how far it is. The file is not
 * encrypted; only its owner may read it.
 *
 * @param path  UTF-8; its folder must exist. The file takes the place of a symbolic link, too
 *
 * @retval PEER_E_PATH_NOT_FOUND       the folder does not exist
 * @retval PEER_E_SHARING_VIOLATION    another export writes the same file
 * @retval PEER_E_DISK_FULL            the older file, if there was one, is as it was
 * @retval E_ACCESSDENIED              the file may not be written, or is none: a folder, a device
 * @retval E_INVALIDARG, E_OUTOFMEMORY
 * @retval PEER_E_GRAPH_SHUTTING_DOWN  the graph was closed meanwhile
 * @retval PEER_E_GRAPH_IN_USE         an import into the graph has begun meanwhile
 *
 * PeerGraphExportDatabase.
 */
PEER_API peer_status peer_graph_export_database(peer_graph *graph, const char *path);

/**
 * Takes over what the file of an exported database has. Only after peer_graph_open, before listen and connect, and only
 * what the same peer has exported from the same graph. If it was synchronized when it was exported, the graph is
 * afterwards: its records can be used.
 *
 * All or nothing. Each record goes through the checks of those that neighbours send; expired ones are left out, and of two
 * versions the one stays that stays everywhere. The application of a graph that judges is not asked: it has judged them.
 * Queues get RECORD_CHANGED for what changes, then STATUS_CHANGED; and PEER_EVENT_PROGRESS if the file has 4 MiB or more.
 * Until the call returns, others for the graph but close give PEER_E_GRAPH_IN_USE.
 *
 * @retval PEER_E_GRAPH_IN_USE         listen or connect was called, or there is a connection
 * @retval E_INVALIDARG                the graph was created, not opened; `path` is NULL or empty
 * @retval PEER_E_INVALID_DATABASE     the file is damaged, cut off, foreign, from a newer version, or of another graph or
 *                                     peer; the message says which. Nothing has changed
 * @retval PEER_E_FILE_NOT_FOUND, PEER_E_PATH_NOT_FOUND
 * @retval E_ACCESSDENIED              the file may not be read, or is none
 * @retval PEER_E_DISK_FULL, PEER_E_DATABASE_FULL, E_OUTOFMEMORY
 * @retval PEER_E_GRAPH_SHUTTING_DOWN  the graph was closed meanwhile; nothing has changed
 *
 * PeerGraphImportDatabase.
 */
PEER_API peer_status peer_graph_import_database(peer_graph *graph, const char *path);

/* -------------------------------------------------------------------------------------------------- enumerations */

/**
 * How many items the enumeration held when it was made. Fewer may be fetched: what has vanished since is skipped.
 *
 * @retval E_INVALIDARG  `enumeration` is not open
 *
 * PeerGraphGetItemCount.
 */
PEER_API peer_status peer_get_item_count(peer_enum *enumeration, uint32_t *count_out);

/**
 * The next items, at most `count_max`. May give fewer than asked for, since bodies are loaded up to 16 MiB a call; only
 * a count of 0 (with NULL items) is the end.
 *
 * @param count_max  at least 1
 * @param items_out  an array of count_out objects; one peer_free_data of the array releases them all
 *
 * PeerGraphGetNextItem.
 */
PEER_API peer_status peer_get_next_item(peer_enum *enumeration, uint32_t count_max, uint32_t *count_out,
                                        const void *const **items_out);

/**
 * As peer_get_next_item, but gives views side by side, for a binding that reads many at once.
 *
 * @param view_size  sizeof(peer_record_view) for an enumeration of records, and so on; also the stride of the array
 * @param views_out  an array of count_out views; release it with peer_free_data
 */
PEER_API peer_status peer_get_item_views(peer_enum *enumeration, uint32_t count_max, size_t view_size,
                                         uint32_t *count_out, const void **views_out);

/** Ends an enumeration. Items live on. @retval E_INVALIDARG `enumeration` is not open. PeerGraphEndEnumeration. */
PEER_API peer_status peer_end_enumeration(peer_enum *enumeration);

/* -------------------------------------------------------------------------------------------------------- events */

/** One kind of event that a queue is to receive. */
typedef struct peer_event_registration {
    int32_t type;                 /* PEER_GRAPH_EVENT_* */
    uint32_t reserved;            /* 0 */
    const peer_guid *record_type; /* RECORD_CHANGED and SYNCHRONIZED: only this record type; NULL: all. Else ignored */
} peer_event_registration;

/** An event. Which fields mean something depends on `type`; the others are 0 or NULL. */
typedef struct peer_event_view {
    uint32_t struct_size;
    int32_t type;       /* PEER_GRAPH_EVENT_* or PEER_EVENT_* */
    int32_t change;     /* RECORD_CHANGED: PEER_RECORD_*; NODE_CHANGED: PEER_NODE_CHANGE_*; PROGRESS: PEER_PROGRESS_*;
                                    *_CONNECTION: PEER_CONNECTED, PEER_DISCONNECTED or PEER_CONNECTION_FAILED */
    peer_status reason; /* *_CONNECTION failed or disconnected: why; CLOSED: why */
    uint32_t status;    /* STATUS_CHANGED: the flags now; OVERFLOW: the type of the lost events */
    uint32_t reserved;
    uint64_t connection_id;      /* *_CONNECTION, INCOMING_DATA, WRITABLE; PROGRESS: so many bytes are done */
    uint64_t next_connection_id; /* *_CONNECTION failed: the attempt that follows, or 0; PROGRESS: of so many bytes */
    uint64_t node_id;            /* *_CONNECTION, NODE_CHANGED; 0 in NODE_CHANGED is this node */
    uint64_t lost_count;         /* OVERFLOW: how many events were lost */
    peer_guid record_id;         /* RECORD_CHANGED */
    peer_guid record_type;       /* RECORD_CHANGED, SYNCHRONIZED; INCOMING_DATA: the sender's data type */
    const char *peer_id;         /* *_CONNECTION, NODE_CHANGED: the other peer, if known */
    const char *message;         /* *_CONNECTION failed, CLOSED: one line that says why */
    const void *data;            /* INCOMING_DATA */
    size_t size;
    uint64_t validation_id; /* VALIDATION: the number under which the record waits; record_id, record_type and change
                               say which record */
} peer_event_view;

/**
 * Opens a queue of a graph's events from now on. Allowed before listen and connect. Each queue receives every event that
 * it asked for. It is bounded (32 MiB): when full, changes of one record are merged, and if that does not suffice one
 * PEER_EVENT_OVERFLOW per type stands for what was lost, so that the reader can enumerate again.
 *
 * @param count          0 with a NULL array: every event. OVERFLOW, CLOSED and WRITABLE come in any case
 * @param registrations  list RECORD_CHANGED several times to watch several record types
 *
 * PeerGraphRegisterEvent.
 */
PEER_API peer_status peer_graph_register_event(peer_graph *graph, uint32_t count,
                                               const peer_event_registration *registrations,
                                               peer_event_queue **queue_out);

/**
 * A descriptor that is readable exactly while the queue holds something. Poll it for reading (level-triggered, not
 * edge-triggered); never read, write or close it. Valid until the queue is unregistered, also after the graph is closed:
 * stop polling it first.
 */
PEER_API peer_status peer_event_queue_get_descriptor(peer_event_queue *queue, int64_t *descriptor_out);

/**
 * Waits until the queue holds something, for programs without a loop.
 *
 * @param timeout_ms  -1: for ever; 0: do not wait
 *
 * @retval PEER_OK               it holds something
 * @retval PEER_S_NO_EVENT_DATA  the time is over, or nothing will come any more: PEER_EVENT_CLOSED was taken, or another
 *                               thread has unregistered the queue
 */
PEER_API peer_status peer_event_queue_wait(peer_event_queue *queue, int32_t timeout_ms);

/**
 * Takes one event. PEER_EVENT_CLOSED is the last of every queue.
 *
 * @retval PEER_OK               event_out is set; release it with peer_free_data
 * @retval PEER_S_NO_EVENT_DATA  the queue is empty; event_out is NULL
 * @retval E_INVALIDARG          `queue` is not registered
 *
 * PeerGraphGetEventData.
 */
PEER_API peer_status peer_get_event_data(peer_event_queue *queue, peer_event **event_out);

/** Fills a view of an event. @param view_size sizeof(peer_event_view) */
PEER_API peer_status peer_event_get_view(const peer_event *event, size_t view_size, peer_event_view *view_out);

/**
 * Takes up to `count_max` events at once, as views side by side.
 *
 * @param view_size  sizeof(peer_event_view); also the stride of the array
 * @param views_out  an array of count_out views; release it with peer_free_data. NULL if the queue is empty
 *
 * @retval PEER_S_NO_EVENT_DATA  the queue is empty
 */
PEER_API peer_status peer_get_event_batch(peer_event_queue *queue, uint32_t count_max, size_t view_size,
                                          uint32_t *count_out, const peer_event_view **views_out);

/** Ends a queue, drops what it held, closes its descriptor. @retval E_INVALIDARG not registered. PeerGraphUnregisterEvent. */
PEER_API peer_status peer_unregister_event(peer_event_queue *queue);

#ifdef __cplusplus
}
#endif

#include "peergraph/records.h"

#endif
