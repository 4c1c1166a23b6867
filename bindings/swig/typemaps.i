/*
 * How the types of the header look in Lua.
 *
 *     peer_status               nil, message, status after a failure; else the results, or true if there are none, and
 *                               then the status if it is positive
 *     handles and objects       userdata (boxes.h); false where success may give NULL
 *     structs and views         tables (structs.c); an unknown field, or one of the wrong type, is an error
 *     many at once              arrays of those
 *     peer_guid                 "00112233-4455-6677-8899-aabbccddeeff"; nil is NULL
 *     node ids                  16 hexadecimal digits; nil is 0
 *     text, bytes, numbers      strings, strings, integers; nil is NULL
 *
 * Reading an argument only borrows from Lua, so it may leave by an error or a return at any point. What a call gives is
 * put into boxes that exist before the call, so that no error of Lua's can lose it. They are made by the `check`
 * typemaps, after the arguments were counted and read.
 */

/* ---- the status */

%typemap(out) peer_status %{ if ($1 < 0) return peer__lua_fail(L, $1); %}
%typemap(ret) peer_status %{ SWIG_arg += peer__lua_finish(L, SWIG_arg, $1); %}

/* These leave the last error as it was: it is not about them. */
%typemap(out) peer_status peer_graph_close, peer_status peer_unregister_event, peer_status peer_end_enumeration,
              peer_status peer_batch_abort %{ if ($1 < 0) return peer__lua_fail_quietly(L, $1); %}

/* ---- numbers and text */

%define READ(TYPE, READER)
%typemap(in) TYPE %{ if (READER(L, $input, "$1_name", &$1) != 0) return peer__lua_refuse(L); %}
%enddef
READ(peer_status, peer__lua_read_int32)
READ(int32_t, peer__lua_read_int32)
READ(uint32_t, peer__lua_read_uint32)
READ(int64_t, peer__lua_read_int64)
READ(uint64_t node_id, peer__lua_read_node_id)
READ(uint64_t connection_id, peer__lua_read_counter)
READ(uint64_t validation_id, peer__lua_read_counter)
%typemap(in) (const void *data, size_t size)
%{ peer__lua_read_bytes(L, $input, "data", (const void **)&$1, &$2); %}
%typemap(in) const char *
%{ if (peer__lua_read_text(L, $input, "$1_name", (const char **)&$1) != 0) return peer__lua_refuse(L); %}

%typemap(out) const char * %{ lua_pushstring(L, $1); SWIG_arg++; %}
%typemap(out) int64_t %{ lua_pushinteger(L, $1); SWIG_arg++; %}

%define GIVE(TYPE, PUSH)
%typemap(in, numinputs=0) TYPE * (TYPE given) %{ $1 = ($1_ltype)&given; %}
%typemap(argout) TYPE * %{ PUSH(L, *$1); SWIG_arg++; %}
%enddef
GIVE(int32_t, lua_pushinteger)
GIVE(uint32_t, lua_pushinteger)
GIVE(int64_t, lua_pushinteger)
GIVE(uint64_t, (lua_pushinteger)) /* connection ids, which stay below 2^53 */
GIVE(const char *, peer__lua_push_text)

/* ---- ids */

%typemap(in) const peer_guid * (peer_guid space)
%{ if (peer__lua_read_guid(L, $input, "$1_name", &space, (const peer_guid **)&$1) != 0) return peer__lua_refuse(L); %}
%typemap(in) (uint32_t precedence_count, const peer_guid *precedence)
%{ if (peer__lua_read_guids(L, $input, "precedence", &$1, (const peer_guid **)&$2) != 0) return peer__lua_refuse(L); %}
%typemap(in) (uint32_t count, const peer_guid *record_ids)
%{ if (peer__lua_read_guids(L, $input, "record_ids", &$1, (const peer_guid **)&$2) != 0) return peer__lua_refuse(L); %}
%typemap(in, numinputs=0) peer_guid *record_id_out (peer_guid given) %{ $1 = &given; %}
%typemap(argout) peer_guid *record_id_out %{ peer__lua_push_guid(L, $1); SWIG_arg++; %}

/* ---- structs in: nil is NULL */

%define TABLE_IN(TYPE, INIT, FIELDS)
%typemap(in) const TYPE * (TYPE given = INIT)
%{ if (!lua_isnil(L, $input)) {
    if (peer__lua_read_struct(L, $input, FIELDS, &given) != 0) return peer__lua_refuse(L);
    $1 = &given;
  } %}
%enddef
TABLE_IN(peer_startup_input, PEER_STARTUP_INPUT_INIT, peer__lua_startup_fields)
TABLE_IN(peer_graph_properties_input, PEER_GRAPH_PROPERTIES_INPUT_INIT, peer__lua_properties_fields)
TABLE_IN(peer_graph_options_input, PEER_GRAPH_OPTIONS_INPUT_INIT, peer__lua_options_fields)
TABLE_IN(peer_record_input, PEER_RECORD_INPUT_INIT, peer__lua_record_fields)

%typemap(in) (uint32_t count, const peer_event_registration *registrations)
%{ if (peer__lua_read_registrations(L, $input, &$1, (const peer_event_registration **)&$2) != 0)
    return peer__lua_refuse(L); %}

/* ---- structs and views out */

%typemap(in, numinputs=0) peer_version_data * (peer_version_data given) %{ $1 = &given; %}
%typemap(argout) peer_version_data * %{ peer__lua_push_struct(L, peer__lua_version_fields, $1); SWIG_arg++; %}

%define VIEW(TYPE, FIELDS)
%typemap(in, numinputs=0) (size_t view_size, TYPE *view_out) (TYPE given) %{ $1 = sizeof(given); $2 = &given; %}
%typemap(argout) (size_t view_size, TYPE *view_out) %{ peer__lua_push_struct(L, FIELDS, $2); SWIG_arg++; %}
%enddef
VIEW(peer_graph_properties_view, peer__lua_properties_fields)
VIEW(peer_node_info_view, peer__lua_node_info_fields)
VIEW(peer_connection_info_view, peer__lua_connection_info_fields)
VIEW(peer_record_view, peer__lua_record_fields)
VIEW(peer_event_view, peer__lua_event_fields)

/* ---- handles and objects; what is made of the first argument keeps it alive */

%define BOX(TYPE, KIND, PARENT)
%typemap(in) TYPE *, const TYPE * %{ $1 = peer__lua_unbox(L, $input, KIND); %}
%typemap(in, numinputs=0) TYPE ** (TYPE *given = NULL, void **box, int box_index)
%{ $1 = &given; %}
%typemap(check) TYPE ** %{ box$argnum = peer__lua_push_box(L, KIND, PARENT); box_index$argnum = lua_gettop(L); %}
%typemap(argout) TYPE **
%{ *box$argnum = given$argnum;
  if (given$argnum != NULL) lua_pushvalue(L, box_index$argnum); else lua_pushboolean(L, 0);
  SWIG_arg++; %}
%enddef
BOX(peer_runtime, BOX_RUNTIME, 0)
BOX(peer_graph, BOX_GRAPH, 1)
BOX(peer_event_queue, BOX_QUEUE, 1)
BOX(peer_enum, BOX_ENUM, 1)
BOX(peer_batch, BOX_BATCH, 1)
BOX(peer_record, BOX_RECORD, 0)
BOX(peer_event, BOX_EVENT, 0)
BOX(peer_node_info, BOX_NODE_INFO, 0)
BOX(peer_connection_info, BOX_CONNECTION_INFO, 0)
BOX(peer_graph_properties, BOX_PROPERTIES, 0)
BOX(peer_attributes, BOX_ATTRIBUTES, 0)
BOX(peer_query, BOX_QUERY, 0)

/* ---- many at once */

%define VIEWS(ITEM, POINTER, FIELDS)
%typemap(in, numinputs=0) (size_t view_size, uint32_t *count_out, const POINTER **views_out)
                          (uint32_t count, const POINTER *views = NULL, void **box, int box_index)
%{ $1 = sizeof(ITEM); $2 = &count; $3 = ($3_ltype)&views; %}
%typemap(check) (size_t view_size, uint32_t *count_out, const POINTER **views_out)
%{ box$argnum = peer__lua_push_box(L, BOX_ARRAY, 0); box_index$argnum = lua_gettop(L); %}
%typemap(argout) (size_t view_size, uint32_t *count_out, const POINTER **views_out)
%{ *box$argnum = (void *)*$3;
  peer__lua_push_structs(L, FIELDS, $1, *$2, *$3);
  peer__lua_empty_box(L, box_index$argnum);
  SWIG_arg++; %}
%enddef
VIEWS(peer_event_view, peer_event_view, peer__lua_event_fields)
VIEWS(peer_record_view, void, peer__lua_record_fields)
VIEWS(peer_node_info_view, peer_node_info_view, peer__lua_node_info_fields)
VIEWS(peer_connection_info_view, peer_connection_info_view, peer__lua_connection_info_fields)

%typemap(in, numinputs=0) (uint32_t *count_out, const void *const **items_out)
                          (uint32_t count, const void *const *items = NULL, void **box, int box_index)
%{ $1 = &count; $2 = ($2_ltype)&items; %}
%typemap(check) (uint32_t *count_out, const void *const **items_out)
%{ box$argnum = peer__lua_push_box(L, BOX_ARRAY, 0); box_index$argnum = lua_gettop(L); %}
%typemap(argout) (uint32_t *count_out, const void *const **items_out)
%{ *box$argnum = (void *)*$2;
  peer__lua_push_items(L, *$1, (const void *const *)*$2);
  peer__lua_empty_box(L, box_index$argnum);
  SWIG_arg++; %}
