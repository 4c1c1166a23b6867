"""One function for each C function: arguments and results of Python, and an exception instead of a failure.

Nothing else in the package touches cffi. Ids are 16 bytes, times are integers in microseconds, handles are what C gave.
Views are read as plain memory by one unpack for each, since a C call or an attribute access for each field would cost
more than the rest of the work together.

Every function raises the PeerError that errors.py has for the code; the header says which.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ._codes import (
    E_INVALIDARG,
    PEER_GRAPH_VERSION,
    PEER_S_GRAPH_DATA_CREATED,
    PEER_S_NO_EVENT_DATA,
)
from ._peergraph import ffi, lib
from .errors import error_for

if TYPE_CHECKING:
    from ._peergraph import CData

Handle: TypeAlias = "CData"
Buffer: TypeAlias = "bytes | bytearray | memoryview"

ID_SIZE: Final = 16

_INT64_MIN: Final = -(1 << 63)
_INT64_MAX: Final = (1 << 63) - 1


class RawRecord(NamedTuple):
    """A record as C has it."""

    version: int
    id: bytes
    type: bytes
    flags: int
    created_us: int
    expires_us: int
    modified_us: int
    creator_id: str
    modifier_id: str | None
    attributes: str | None
    data: bytes
    security_data: bytes


class RawEvent(NamedTuple):
    """An event as C has it; which fields mean something depends on the type."""

    type: int
    change: int
    reason: int
    status: int
    connection_id: int
    next_connection_id: int
    node_id: int
    lost_count: int
    record_id: bytes
    record_type: bytes
    peer_id: str | None
    message: str | None
    data: bytes
    validation_id: int = 0


class RawProperties(NamedTuple):
    """The properties of a graph as C has them."""

    flags: int
    scope: int
    max_record_size: int
    presence_lifetime_s: int
    presence_max: int
    graph_id: str
    creator_id: str
    friendly_name: str | None
    comment: str | None


class RawOptions(NamedTuple):
    """The options of a graph as C has them."""

    flags: int
    max_database_bytes: int
    max_bytes_per_creator: int


# -- the memory of a view ----------------------------------------------------------------------------------------------


def _layout(cdecl: str, fields: str) -> struct.Struct:
    """The fields of a view in the order of the header, with what the compiler adds at the end."""
    bare = struct.Struct(fields)
    whole = struct.Struct(f"{fields}{ffi.sizeof(cdecl) - bare.size}x")
    assert whole.size == ffi.sizeof(cdecl), cdecl
    return whole


_CHAR_POINTER: Final = ffi.typeof("char *")
_RECORD: Final = _layout("peer_record_view", "@II16s16sII3q4PNPN")
_ID_AT: Final = ffi.offsetof("peer_record_view", "id")
_TYPE_AT: Final = ffi.offsetof("peer_record_view", "type")
_EVENT: Final = _layout("peer_event_view", "@IiiiII4Q16s16s3PNQ")


def _text_at(address: int) -> str:
    return ffi.string(ffi.cast(_CHAR_POINTER, address)).decode("utf-8", "replace")


def _bytes_at(address: int, size: int) -> bytes:
    return bytes(ffi.buffer(ffi.cast(_CHAR_POINTER, address), size)) if size else b""


def _text(pointer: CData) -> str | None:
    return ffi.string(pointer).decode("utf-8", "replace") if pointer else None


def _raw_record(fields: tuple[Any, ...]) -> RawRecord:
    (_, version, record_id, record_type, flags, _, created, expires, modified) = fields[:9]
    creator, modifier, attributes, data, size, security, security_size = fields[9:]
    return RawRecord(
        version,
        record_id,
        record_type,
        flags,
        created,
        expires,
        modified,
        _text_at(creator) if creator else "",
        _text_at(modifier) if modifier else None,
        _text_at(attributes) if attributes else None,
        _bytes_at(data, size),
        _bytes_at(security, security_size),
    )


def _raw_event(fields: tuple[Any, ...]) -> RawEvent:
    (_, kind, change, reason, status, _, connection, following, node, lost) = fields[:10]
    record_id, record_type, peer, message, data, size, validation = fields[10:]
    return RawEvent(
        kind,
        change,
        reason,
        status,
        connection,
        following,
        node,
        lost,
        record_id,
        record_type,
        _text_at(peer) if peer else None,
        _text_at(message) if message else None,
        _bytes_at(data, size) if size else b"",
        validation,
    )


# -- arguments ---------------------------------------------------------------------------------------------------------


_PYTHON_NAMES: Final = {
    "properties.creator_id": "peer_id",
    "properties.presence_lifetime_s": "presence_lifetime in seconds",
    "database_name": "database",
}


def _in_python(message: str) -> str:
    """A message about an argument begins with its name in C; most names are the same here."""
    name, space, rest = message.partition(" ")
    name = _PYTHON_NAMES.get(name, name).removeprefix("options.").removeprefix("properties.").removeprefix("record.")
    return f"{name}{space}{rest}"


def _check(status: int) -> int:
    if status < 0:
        raise error_for(status, _in_python(last_error_message()))
    return status


def _encoded(text: str | None) -> bytes | CData:
    """Text as C reads it. C would stop at a NUL, and never see that the rest was meant."""
    if text is None:
        return ffi.NULL
    if not isinstance(text, str):
        raise TypeError(f"text must be str, not {type(text).__name__}: {text!r}")
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError:
        raise error_for(E_INVALIDARG, f"{text!r} is not Unicode text") from None
    if b"\0" in encoded:
        raise error_for(E_INVALIDARG, f"{text!r} contains a NUL")
    return encoded


def _char_pointer(text: str | None) -> CData:
    """Text for a field of a struct; it must be kept alive until the call is over."""
    encoded = _encoded(text)
    return ffi.new("char[]", encoded) if isinstance(encoded, bytes) else encoded


def _guid(value: bytes | None) -> CData:
    if value is None:
        return ffi.NULL
    guid = ffi.new("peer_guid *")
    ffi.memmove(guid, value, ID_SIZE)
    return guid


def _guids(values: Sequence[bytes]) -> CData:
    if not values:
        return ffi.NULL
    guids = ffi.new(f"peer_guid[{len(values)}]")
    ffi.memmove(guids, b"".join(values), ID_SIZE * len(values))
    return guids


def _id_of(guid: CData) -> bytes:
    return bytes(ffi.buffer(guid, ID_SIZE))


def bounded_time(time_us: int) -> int:
    """The nearest time that 64 bits hold."""
    return min(max(time_us, _INT64_MIN), _INT64_MAX)


# -- the library itself ------------------------------------------------------------------------------------------------


def version() -> str:
    """peer_version."""
    return ffi.string(lib.peer_version()).decode()


def last_error_message() -> str:
    """peer_last_error_message, of the calling thread."""
    return ffi.string(lib.peer_last_error_message()).decode("utf-8", "replace")


def status_name(status: int) -> str:
    """peer_status_name."""
    return ffi.string(lib.peer_status_name(status)).decode()


def status_text(status: int) -> str:
    """peer_status_text."""
    return ffi.string(lib.peer_status_text(status)).decode()


# -- runtime -----------------------------------------------------------------------------------------------------------


def startup(data_directory: str | None, version: int = PEER_GRAPH_VERSION) -> tuple[Handle, int, int]:
    """peer_startup: the runtime, the version to use, the highest known one."""
    directory = _char_pointer(data_directory)
    options = ffi.new(
        "peer_startup_input *",
        {"struct_size": ffi.sizeof("peer_startup_input"), "data_directory": directory},
    )
    data = ffi.new("peer_version_data *")
    out = ffi.new("peer_runtime **")
    _check(lib.peer_startup(version, options, data, out))
    return out[0], data.version, data.highest_version


def shutdown(runtime: Handle) -> None:
    """peer_shutdown."""
    _check(lib.peer_shutdown(runtime))


def free_data(data: CData) -> None:
    """peer_free_data."""
    lib.peer_free_data(data)


def retain_data(data: CData) -> None:
    """peer_retain_data."""
    _check(lib.peer_retain_data(data))


# -- graphs ------------------------------------------------------------------------------------------------------------


def _graph_options(options: RawOptions) -> CData:
    return ffi.new("peer_graph_options_input *", (ffi.sizeof("peer_graph_options_input"), *options))


def _properties_view(properties: RawProperties) -> tuple[CData, list[CData]]:
    """The struct, and the texts that must outlive it."""
    texts = [
        _char_pointer(text)
        for text in (properties.graph_id, properties.creator_id, properties.friendly_name, properties.comment)
    ]
    size = ffi.sizeof("peer_graph_properties_view")
    return ffi.new("peer_graph_properties_view *", (size, *properties[:5], *texts)), texts


def graph_create(runtime: Handle, properties: RawProperties, database_name: str | None, options: RawOptions) -> Handle:
    """peer_graph_create."""
    given, _texts = _properties_view(properties)
    out = ffi.new("peer_graph **")
    _check(lib.peer_graph_create(runtime, given, _encoded(database_name), _graph_options(options), out))
    handle: Handle = out[0]
    return handle


def graph_open(
    runtime: Handle,
    graph_id: str,
    peer_id: str,
    database_name: str | None,
    options: RawOptions,
    precedence: Sequence[bytes],
) -> tuple[Handle, bool]:
    """peer_graph_open; with whether the database is new."""
    out = ffi.new("peer_graph **")
    status = _check(
        lib.peer_graph_open(
            runtime,
            _encoded(graph_id),
            _encoded(peer_id),
            _encoded(database_name),
            _graph_options(options),
            len(precedence),
            _guids(precedence),
            out,
        )
    )
    return out[0], status == PEER_S_GRAPH_DATA_CREATED


def graph_listen(graph: Handle, scope: int, scope_id: int, port: int) -> None:
    """peer_graph_listen."""
    _check(lib.peer_graph_listen(graph, scope, scope_id, port))


def graph_connect(graph: Handle, peer_id: str | None, address: str) -> int:
    """peer_graph_connect."""
    out = ffi.new("uint64_t *")
    _check(lib.peer_graph_connect(graph, _encoded(peer_id), _encoded(address), out))
    return int(out[0])


def graph_close(graph: Handle) -> None:
    """peer_graph_close."""
    _check(lib.peer_graph_close(graph))


def graph_delete(runtime: Handle, graph_id: str, peer_id: str, database_name: str | None) -> None:
    """peer_graph_delete."""
    _check(lib.peer_graph_delete(runtime, _encoded(graph_id), _encoded(peer_id), _encoded(database_name)))


def graph_get_status(graph: Handle) -> int:
    """peer_graph_get_status."""
    out = ffi.new("uint32_t *")
    _check(lib.peer_graph_get_status(graph, out))
    return int(out[0])


def graph_get_properties(graph: Handle) -> RawProperties:
    """peer_graph_get_properties and peer_graph_properties_get_view."""
    out = ffi.new("peer_graph_properties **")
    _check(lib.peer_graph_get_properties(graph, out))
    try:
        view = ffi.new("peer_graph_properties_view *")
        _check(lib.peer_graph_properties_get_view(out[0], ffi.sizeof("peer_graph_properties_view"), view))
        return RawProperties(
            view.flags,
            view.scope,
            view.max_record_size,
            view.presence_lifetime_s,
            view.presence_max,
            _text(view.graph_id) or "",
            _text(view.creator_id) or "",
            _text(view.friendly_name),
            _text(view.comment),
        )
    finally:
        lib.peer_free_data(out[0])


def graph_set_properties(graph: Handle, properties: RawProperties) -> None:
    """peer_graph_set_properties."""
    given, _texts = _properties_view(properties)
    _check(lib.peer_graph_set_properties(graph, given))


def graph_peer_time_to_universal_time(graph: Handle, time_us: int) -> int:
    """peer_graph_peer_time_to_universal_time."""
    out = ffi.new("int64_t *")
    _check(lib.peer_graph_peer_time_to_universal_time(graph, bounded_time(time_us), out))
    return int(out[0])


def graph_universal_time_to_peer_time(graph: Handle, time_utc_us: int) -> int:
    """peer_graph_universal_time_to_peer_time."""
    out = ffi.new("int64_t *")
    _check(lib.peer_graph_universal_time_to_peer_time(graph, bounded_time(time_utc_us), out))
    return int(out[0])


# -- records -----------------------------------------------------------------------------------------------------------


class RecordInput:
    """A peer_record_input, and what its pointers point to."""

    __slots__ = ("_attributes", "_data", "_security", "view")

    def __init__(
        self,
        record_type: bytes,
        data: Buffer,
        attributes: str | None,
        expires_us: int,
        record_id: bytes | None = None,
        security_data: Buffer = b"",
        flags: int = 0,
    ) -> None:
        self._data = ffi.from_buffer(data)
        self._security = ffi.from_buffer(security_data)
        self._attributes = _char_pointer(attributes)
        size = ffi.sizeof("peer_record_view")
        self.view = ffi.new("peer_record_view *")
        self.view.struct_size = size
        ffi.buffer(self.view, size)[_TYPE_AT : _TYPE_AT + ID_SIZE] = record_type
        if record_id is not None:
            ffi.buffer(self.view, size)[_ID_AT : _ID_AT + ID_SIZE] = record_id
        self.view.flags = flags
        self.view.expires_us = bounded_time(expires_us)
        self.view.attributes = self._attributes
        self.view.data = self._data
        self.view.size = len(ffi.buffer(self._data))
        self.view.security_data = self._security
        self.view.security_data_size = len(ffi.buffer(self._security))


def graph_add_record(graph: Handle, record: RecordInput) -> bytes:
    """peer_graph_add_record."""
    out = ffi.new("peer_guid *")
    _check(lib.peer_graph_add_record(graph, record.view, out))
    return _id_of(out)


def graph_update_record(graph: Handle, record: RecordInput) -> None:
    """peer_graph_update_record."""
    _check(lib.peer_graph_update_record(graph, record.view))


def graph_delete_record(graph: Handle, record_id: bytes, local: int = 0) -> None:
    """peer_graph_delete_record."""
    _check(lib.peer_graph_delete_record(graph, _guid(record_id), local))


def graph_delete_secured_record(graph: Handle, record: RecordInput) -> None:
    """peer_graph_delete_secured_record."""
    _check(lib.peer_graph_delete_secured_record(graph, record.view))


def graph_get_deferred_record(graph: Handle, validation_id: int) -> RawRecord:
    """peer_graph_get_deferred_record and peer_record_get_view."""
    out = ffi.new("peer_record **")
    _check(lib.peer_graph_get_deferred_record(graph, validation_id, out))
    try:
        return record_get_view(out[0])
    finally:
        lib.peer_free_data(out[0])


def graph_judge_record(graph: Handle, validation_id: int, verdict: int) -> None:
    """peer_graph_judge_record."""
    _check(lib.peer_graph_judge_record(graph, validation_id, verdict))


def graph_validate_deferred_records(graph: Handle, record_ids: Sequence[bytes]) -> None:
    """peer_graph_validate_deferred_records; no ids mean all."""
    _check(lib.peer_graph_validate_deferred_records(graph, len(record_ids), _guids(record_ids)))


def graph_get_record(graph: Handle, record_id: bytes) -> RawRecord:
    """peer_graph_get_record and peer_record_get_view."""
    out = ffi.new("peer_record **")
    _check(lib.peer_graph_get_record(graph, _guid(record_id), out))
    try:
        return record_get_view(out[0])
    finally:
        lib.peer_free_data(out[0])


def record_get_view(record: CData) -> RawRecord:
    """peer_record_get_view."""
    view = ffi.new("peer_record_view *")
    _check(lib.peer_record_get_view(record, _RECORD.size, view))
    return _raw_record(_RECORD.unpack(ffi.buffer(view, _RECORD.size)))


# -- batches -----------------------------------------------------------------------------------------------------------


def graph_begin_batch(graph: Handle) -> Handle:
    """peer_graph_begin_batch."""
    out = ffi.new("peer_batch **")
    _check(lib.peer_graph_begin_batch(graph, out))
    handle: Handle = out[0]
    return handle


def batch_add_record(batch: Handle, record: RecordInput) -> bytes:
    """peer_batch_add_record."""
    out = ffi.new("peer_guid *")
    _check(lib.peer_batch_add_record(batch, record.view, out))
    return _id_of(out)


def batch_update_record(batch: Handle, record: RecordInput) -> None:
    """peer_batch_update_record."""
    _check(lib.peer_batch_update_record(batch, record.view))


def batch_delete_record(batch: Handle, record_id: bytes) -> None:
    """peer_batch_delete_record."""
    _check(lib.peer_batch_delete_record(batch, _guid(record_id)))


def batch_delete_secured_record(batch: Handle, record: RecordInput) -> None:
    """peer_batch_delete_secured_record."""
    _check(lib.peer_batch_delete_secured_record(batch, record.view))


def batch_commit(batch: Handle) -> None:
    """peer_batch_commit."""
    _check(lib.peer_batch_commit(batch))


def batch_abort(batch: Handle) -> None:
    """peer_batch_abort."""
    _check(lib.peer_batch_abort(batch))


# -- enumerations ------------------------------------------------------------------------------------------------------


def graph_enum_records(graph: Handle, record_type: bytes | None, creator_id: str | None) -> Handle:
    """peer_graph_enum_records."""
    out = ffi.new("peer_enum **")
    _check(lib.peer_graph_enum_records(graph, _guid(record_type), _encoded(creator_id), out))
    handle: Handle = out[0]
    return handle


def get_item_count(enumeration: Handle) -> int:
    """peer_get_item_count."""
    out = ffi.new("uint32_t *")
    _check(lib.peer_get_item_count(enumeration, out))
    return int(out[0])


def get_next_item(enumeration: Handle, count_max: int) -> list[RawRecord]:
    """peer_get_next_item, and peer_record_get_view for each. get_item_views is the faster way."""
    count = ffi.new("uint32_t *")
    items = ffi.new("const void *const **")
    _check(lib.peer_get_next_item(enumeration, count_max, count, items))
    try:
        return [record_get_view(ffi.cast("const peer_record *", items[0][index])) for index in range(count[0])]
    finally:
        lib.peer_free_data(items[0])


def get_item_views(enumeration: Handle, count_max: int) -> list[RawRecord]:
    """peer_get_item_views of an enumeration of records; an empty list is the end."""
    count = ffi.new("uint32_t *")
    views = ffi.new("const void **")
    _check(lib.peer_get_item_views(enumeration, count_max, _RECORD.size, count, views))
    if not count[0]:
        return []
    try:
        memory = bytes(ffi.buffer(views[0], count[0] * _RECORD.size))
        return [_raw_record(fields) for fields in _RECORD.iter_unpack(memory)]
    finally:
        lib.peer_free_data(views[0])


def end_enumeration(enumeration: Handle) -> None:
    """peer_end_enumeration."""
    _check(lib.peer_end_enumeration(enumeration))


# -- events ------------------------------------------------------------------------------------------------------------


def graph_register_event(graph: Handle, registrations: Sequence[tuple[int, bytes | None]]) -> Handle:
    """peer_graph_register_event; an empty sequence asks for every event."""
    out = ffi.new("peer_event_queue **")
    guids = [_guid(record_type) for _, record_type in registrations]
    given: CData = ffi.NULL
    if registrations:
        given = ffi.new(
            "peer_event_registration[]",
            [(kind, 0, guid) for (kind, _), guid in zip(registrations, guids, strict=True)],
        )
    _check(lib.peer_graph_register_event(graph, len(registrations), given, out))
    handle: Handle = out[0]
    return handle


def event_queue_get_descriptor(queue: Handle) -> int:
    """peer_event_queue_get_descriptor."""
    out = ffi.new("int64_t *")
    _check(lib.peer_event_queue_get_descriptor(queue, out))
    return int(out[0])


def event_queue_wait(queue: Handle, timeout_ms: int) -> bool:
    """peer_event_queue_wait; whether the queue holds something."""
    return _check(lib.peer_event_queue_wait(queue, timeout_ms)) != PEER_S_NO_EVENT_DATA


def get_event_data(queue: Handle) -> RawEvent | None:
    """peer_get_event_data and peer_event_get_view; None if the queue is empty."""
    out = ffi.new("peer_event **")
    if _check(lib.peer_get_event_data(queue, out)) == PEER_S_NO_EVENT_DATA:
        return None
    try:
        return event_get_view(out[0])
    finally:
        lib.peer_free_data(out[0])


def event_get_view(event: CData) -> RawEvent:
    """peer_event_get_view."""
    view = ffi.new("peer_event_view *")
    _check(lib.peer_event_get_view(event, _EVENT.size, view))
    return _raw_event(_EVENT.unpack(ffi.buffer(view, _EVENT.size)))


def get_event_batch(queue: Handle, count_max: int) -> list[RawEvent]:
    """peer_get_event_batch; an empty list if the queue is empty."""
    count = ffi.new("uint32_t *")
    views = ffi.new("const peer_event_view **")
    if _check(lib.peer_get_event_batch(queue, count_max, _EVENT.size, count, views)) == PEER_S_NO_EVENT_DATA:
        return []
    try:
        memory = bytes(ffi.buffer(views[0], count[0] * _EVENT.size))
        return [_raw_event(fields) for fields in _EVENT.iter_unpack(memory)]
    finally:
        lib.peer_free_data(views[0])


def unregister_event(queue: Handle) -> None:
    """peer_unregister_event."""
    _check(lib.peer_unregister_event(queue))


# -- attributes --------------------------------------------------------------------------------------------------------


class AttributeBuilder:
    """A peer_attributes object that is being built."""

    __slots__ = ("_object",)

    def __init__(self) -> None:
        """peer_attributes_create."""
        out = ffi.new("peer_attributes **")
        self._object: CData = ffi.NULL
        _check(lib.peer_attributes_create(out))
        self._object = out[0]

    def __del__(self) -> None:
        if self._object:
            lib.peer_free_data(self._object)

    def add(self, name: str, kind: int, value: str) -> None:
        """peer_attributes_add."""
        _check(lib.peer_attributes_add(self._object, _encoded(name), kind, _encoded(value)))

    def add_int(self, name: str, value: int) -> None:
        """peer_attributes_add_int."""
        _check(lib.peer_attributes_add_int(self._object, _encoded(name), value))

    def add_date(self, name: str, time_utc_us: int) -> None:
        """peer_attributes_add_date."""
        _check(lib.peer_attributes_add_date(self._object, _encoded(name), time_utc_us))

    def xml(self) -> str:
        """peer_attributes_get_xml."""
        out = ffi.new("const char **")
        _check(lib.peer_attributes_get_xml(self._object, out))
        return _text(out[0]) or ""


class RawAttribute(NamedTuple):
    """One attribute as its text."""

    name: str
    type: int
    text: str


class AttributeReader:
    """A peer_attributes object that was parsed."""

    __slots__ = ("_object",)

    def __init__(self, xml: str) -> None:
        """peer_attributes_parse."""
        out = ffi.new("peer_attributes **")
        self._object: CData = ffi.NULL
        _check(lib.peer_attributes_parse(_encoded(xml), out))
        self._object = out[0]

    def __del__(self) -> None:
        if self._object:
            lib.peer_free_data(self._object)

    def __len__(self) -> int:
        """peer_attributes_get_count."""
        out = ffi.new("uint32_t *")
        _check(lib.peer_attributes_get_count(self._object, out))
        return int(out[0])

    def get(self, index: int) -> RawAttribute:
        """peer_attributes_get."""
        name = ffi.new("const char **")
        kind = ffi.new("int32_t *")
        value = ffi.new("const char **")
        _check(lib.peer_attributes_get(self._object, index, name, kind, value))
        return RawAttribute(_text(name[0]) or "", kind[0], _text(value[0]) or "")

    def get_int(self, index: int) -> int:
        """peer_attributes_get_int."""
        out = ffi.new("int64_t *")
        _check(lib.peer_attributes_get_int(self._object, index, out))
        return int(out[0])

    def get_date(self, index: int) -> int:
        """peer_attributes_get_date."""
        out = ffi.new("int64_t *")
        _check(lib.peer_attributes_get_date(self._object, index, out))
        return int(out[0])
