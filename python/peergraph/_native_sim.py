"""_native.py for sim.h: one function for each C function of the simulated network.

Hosts are numbers from 1, times are integers in microseconds. Every function raises the PeerError that errors.py has
for the code; the header says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ._codes import PEER_S_NO_EVENT_DATA
from ._native import Handle, _char_pointer, _check, _encoded, _text
from ._peergraph import ffi, lib

if TYPE_CHECKING:
    from ._peergraph import CData

EPOCH_UTC_US: Final[int] = lib.PEER_SIM_EPOCH_UTC_US
ANY_HOST: Final[int] = lib.PEER_SIM_ANY_HOST
OPTION_UNTRACED: Final[int] = lib.PEER_SIM_OPTION_UNTRACED
HOST_UP: Final[int] = lib.PEER_SIM_HOST_UP
HOST_DISK_FULL: Final[int] = lib.PEER_SIM_HOST_DISK_FULL
CRASH_PROCESS: Final[int] = lib.PEER_SIM_CRASH_PROCESS
CRASH_MACHINE: Final[int] = lib.PEER_SIM_CRASH_MACHINE
UNTIL_READY: Final[int] = lib.PEER_SIM_UNTIL_READY
UNTIL_HELD: Final[int] = lib.PEER_SIM_UNTIL_HELD
UNTIL_IDLE: Final[int] = lib.PEER_SIM_UNTIL_IDLE
EXHAUSTED: Final[int] = lib.PEER_SIM_EXHAUSTED
CONNECTION_NEIGHBOR: Final[int] = lib.PEER_SIM_CONNECTION_NEIGHBOR
CONNECTION_CUT: Final[int] = lib.PEER_SIM_CONNECTION_CUT
MESSAGE_TRAVELLING: Final[int] = lib.PEER_SIM_MESSAGE_TRAVELLING
MESSAGE_HELD: Final[int] = lib.PEER_SIM_MESSAGE_HELD
MESSAGE_RELEASED: Final[int] = lib.PEER_SIM_MESSAGE_RELEASED
NO_DEADLINE: Final = (1 << 63) - 1


class RawHost(NamedTuple):
    """A host as C has it."""

    flags: int
    drift_ppm: int
    clock_utc_us: int
    name: str
    address: str


class RawLink(NamedTuple):
    """A peer_sim_link_input, in its order."""

    loss_ppm: int
    stall_ppm: int
    reset_ppm: int
    stall_us: int
    latency_us: int
    jitter_us: int
    bandwidth: int


class RawConnection(NamedTuple):
    """An established connection as C has it."""

    flags: int
    connection_id: int
    src: int
    dst: int
    since_us: int


class RawFilter(NamedTuple):
    """A peer_sim_filter_input, in its order; 0 speaks of all."""

    type: int = 0
    src: int = 0
    dst: int = 0
    connection_id: int = 0


class RawMessage(NamedTuple):
    """A message under way as C has it."""

    state: int
    message_id: int
    connection_id: int
    type: int
    src: int
    dst: int
    moment_us: int
    data: bytes


# -- the network itself ------------------------------------------------------------------------------------------------


def sim_open(seed: int, flags: int, connect_timeout_us: int, reset_after_us: int) -> Handle:
    """peer_sim_open."""
    size = ffi.sizeof("peer_sim_options_input")
    options = ffi.new("peer_sim_options_input *", (size, flags, connect_timeout_us, reset_after_us))
    out = ffi.new("peer_sim **")
    _check(lib.peer_sim_open(seed, options, out))
    handle: Handle = out[0]
    return handle


def sim_close(sim: Handle) -> None:
    """peer_sim_close."""
    _check(lib.peer_sim_close(sim))


# -- hosts -------------------------------------------------------------------------------------------------------------


def sim_add_host(
    sim: Handle,
    name: str | None,
    address: str | None,
    data_directory: str | None,
    clock_offset_us: int,
    drift_ppm: int,
) -> int:
    """peer_sim_add_host."""
    texts = [_char_pointer(text) for text in (name, address, data_directory)]
    size = ffi.sizeof("peer_sim_host_input")
    host = ffi.new("peer_sim_host_input *", (size, drift_ppm, clock_offset_us, *texts))
    out = ffi.new("uint32_t *")
    _check(lib.peer_sim_add_host(sim, host, out))
    return int(out[0])


def sim_get_runtime(sim: Handle, host: int) -> Handle:
    """peer_sim_get_runtime."""
    out = ffi.new("peer_runtime **")
    _check(lib.peer_sim_get_runtime(sim, host, out))
    handle: Handle = out[0]
    return handle


def sim_get_host_view(sim: Handle, host: int) -> RawHost:
    """peer_sim_get_host_view."""
    view = ffi.new("peer_sim_host_view *")
    _check(lib.peer_sim_get_host_view(sim, host, ffi.sizeof("peer_sim_host_view"), view))
    name, address = _text(view.name) or "", _text(view.address) or ""
    return RawHost(view.flags, view.drift_ppm, view.clock_utc_us, name, address)


def sim_crash(sim: Handle, host: int, how: int) -> None:
    """peer_sim_crash."""
    _check(lib.peer_sim_crash(sim, host, how))


def sim_restart(sim: Handle, host: int) -> None:
    """peer_sim_restart."""
    _check(lib.peer_sim_restart(sim, host))


def sim_set_disk_full(sim: Handle, host: int, is_full: bool) -> None:
    """peer_sim_set_disk_full."""
    _check(lib.peer_sim_set_disk_full(sim, host, int(is_full)))


def sim_set_address(sim: Handle, host: int, address: str) -> None:
    """peer_sim_set_address."""
    _check(lib.peer_sim_set_address(sim, host, _encoded(address)))


def sim_set_clock(sim: Handle, host: int, clock_offset_us: int, drift_ppm: int) -> None:
    """peer_sim_set_clock."""
    _check(lib.peer_sim_set_clock(sim, host, clock_offset_us, drift_ppm))


# -- time --------------------------------------------------------------------------------------------------------------


def sim_get_time(sim: Handle) -> int:
    """peer_sim_get_time."""
    out = ffi.new("int64_t *")
    _check(lib.peer_sim_get_time(sim, out))
    return int(out[0])


def sim_step(sim: Handle) -> bool:
    """peer_sim_step; whether something happened."""
    out = ffi.new("uint32_t *")
    _check(lib.peer_sim_step(sim, out))
    return bool(out[0])


def sim_get_next_time(sim: Handle) -> int | None:
    """peer_sim_get_next_time: when something will happen next; None: nothing ever will."""
    out = ffi.new("int64_t *")
    _check(lib.peer_sim_get_next_time(sim, out))
    return None if out[0] == NO_DEADLINE else int(out[0])


def sim_run_for(sim: Handle, duration_us: int) -> None:
    """peer_sim_run_for."""
    _check(lib.peer_sim_run_for(sim, duration_us))


def sim_run_until(sim: Handle, conditions: int, deadline_us: int) -> int:
    """peer_sim_run_until; which conditions hold, or EXHAUSTED, or 0 for the deadline."""
    out = ffi.new("uint32_t *")
    _check(lib.peer_sim_run_until(sim, conditions, deadline_us, out))
    return int(out[0])


def sim_next_ready(sim: Handle) -> int:
    """peer_sim_next_ready: the key of a queue (queue_key), or 0."""
    out = ffi.new("peer_event_queue **")
    if _check(lib.peer_sim_next_ready(sim, out)) == PEER_S_NO_EVENT_DATA:
        return 0
    return queue_key(out[0])


def queue_key(queue: Handle) -> int:
    """What tells a queue from all others."""
    return int(ffi.cast("uintptr_t", queue))


# -- links -------------------------------------------------------------------------------------------------------------


def sim_set_link(sim: Handle, src: int, dst: int, link: RawLink | None) -> None:
    """peer_sim_set_link."""
    given: CData = ffi.NULL
    if link is not None:
        given = ffi.new("peer_sim_link_input *", (ffi.sizeof("peer_sim_link_input"), *link))
    _check(lib.peer_sim_set_link(sim, src, dst, given))


def _numbers(hosts: Sequence[int]) -> CData:
    return ffi.new("uint32_t[]", list(hosts))


def sim_cut(sim: Handle, src: Sequence[int], dst: Sequence[int]) -> None:
    """peer_sim_cut."""
    _check(lib.peer_sim_cut(sim, len(src), _numbers(src), len(dst), _numbers(dst)))


def sim_partition(sim: Handle, left: Sequence[int], right: Sequence[int]) -> None:
    """peer_sim_partition."""
    _check(lib.peer_sim_partition(sim, len(left), _numbers(left), len(right), _numbers(right)))


def sim_mend(sim: Handle, src: Sequence[int], dst: Sequence[int]) -> None:
    """peer_sim_mend."""
    _check(lib.peer_sim_mend(sim, len(src), _numbers(src), len(dst), _numbers(dst)))


def sim_heal(sim: Handle) -> None:
    """peer_sim_heal."""
    _check(lib.peer_sim_heal(sim))


def sim_reset_connections(sim: Handle, a: int, b: int) -> int:
    """peer_sim_reset_connections; how many."""
    out = ffi.new("uint32_t *")
    _check(lib.peer_sim_reset_connections(sim, a, b, out))
    return int(out[0])


def sim_get_connections(sim: Handle) -> list[RawConnection]:
    """peer_sim_get_connections."""
    count = ffi.new("uint32_t *")
    views = ffi.new("const peer_sim_connection_view **")
    size = ffi.sizeof("peer_sim_connection_view")
    if _check(lib.peer_sim_get_connections(sim, size, count, views)) == PEER_S_NO_EVENT_DATA:
        return []
    try:
        found = (views[0][index] for index in range(count[0]))
        return [
            RawConnection(view.flags, view.connection_id, getattr(view, "from"), view.to, view.since_us)
            for view in found
        ]
    finally:
        lib.peer_free_data(views[0])


# -- messages ----------------------------------------------------------------------------------------------------------


def _filters(filters: Sequence[RawFilter]) -> CData:
    size = ffi.sizeof("peer_sim_filter_input")
    return ffi.new("peer_sim_filter_input[]", [(size, *each) for each in filters])


def sim_get_message_count(sim: Handle, host: int, type: int) -> tuple[int, int]:
    """peer_sim_get_message_count: sent and received."""
    sent = ffi.new("uint64_t *")
    received = ffi.new("uint64_t *")
    _check(lib.peer_sim_get_message_count(sim, host, type, sent, received))
    return int(sent[0]), int(received[0])


def sim_get_messages(sim: Handle, wanted: RawFilter) -> list[RawMessage]:
    """peer_sim_get_messages."""
    count = ffi.new("uint32_t *")
    views = ffi.new("const peer_sim_message_view **")
    size = ffi.sizeof("peer_sim_message_view")
    if _check(lib.peer_sim_get_messages(sim, _filters([wanted]), size, count, views)) == PEER_S_NO_EVENT_DATA:
        return []
    try:
        return [_raw_message(views[0][index]) for index in range(count[0])]
    finally:
        lib.peer_free_data(views[0])


def _raw_message(view: CData) -> RawMessage:
    return RawMessage(
        view.state,
        view.message_id,
        view.connection_id,
        view.type,
        getattr(view, "from"),
        view.to,
        view.moment_us,
        bytes(ffi.buffer(view.data, view.size)),
    )


def sim_set_interception(sim: Handle, filters: Sequence[RawFilter]) -> None:
    """peer_sim_set_interception."""
    _check(lib.peer_sim_set_interception(sim, len(filters), _filters(filters) if filters else ffi.NULL))


def sim_release_message(sim: Handle, message_id: int, delay_us: int) -> None:
    """peer_sim_release_message."""
    _check(lib.peer_sim_release_message(sim, message_id, delay_us))


def sim_duplicate_message(sim: Handle, message_id: int, delay_us: int) -> None:
    """peer_sim_duplicate_message."""
    _check(lib.peer_sim_duplicate_message(sim, message_id, delay_us))


def sim_drop_message(sim: Handle, message_id: int) -> None:
    """peer_sim_drop_message."""
    _check(lib.peer_sim_drop_message(sim, message_id))


def sim_edit_message(sim: Handle, message_id: int, data: bytes) -> None:
    """peer_sim_edit_message."""
    _check(lib.peer_sim_edit_message(sim, message_id, data, len(data)))


# -- trace -------------------------------------------------------------------------------------------------------------


def sim_keep_trace(sim: Handle, size_max: int) -> None:
    """peer_sim_keep_trace."""
    _check(lib.peer_sim_keep_trace(sim, size_max))


def sim_take_trace(sim: Handle) -> tuple[str, int]:
    """peer_sim_take_trace: the lines, and how many were lost."""
    text = ffi.new("const char **")
    size = ffi.new("size_t *")
    lost = ffi.new("uint64_t *")
    if _check(lib.peer_sim_take_trace(sim, text, size, lost)) == PEER_S_NO_EVENT_DATA:
        return "", int(lost[0])
    try:
        return bytes(ffi.buffer(text[0], size[0])).decode("utf-8", "replace"), int(lost[0])
    finally:
        lib.peer_free_data(text[0])


def sim_set_trace_file(sim: Handle, path: str | None) -> None:
    """peer_sim_set_trace_file."""
    _check(lib.peer_sim_set_trace_file(sim, _encoded(path)))


def sim_add_note(sim: Handle, text: str) -> None:
    """peer_sim_add_note."""
    _check(lib.peer_sim_add_note(sim, _encoded(text)))


def sim_get_trace_hash(sim: Handle) -> int:
    """peer_sim_get_trace_hash."""
    out = ffi.new("uint64_t *")
    _check(lib.peer_sim_get_trace_hash(sim, out))
    return int(out[0])


def sim_draw(sim: Handle, bound: int) -> int:
    """peer_sim_draw."""
    out = ffi.new("uint64_t *")
    _check(lib.peer_sim_draw(sim, bound, out))
    return int(out[0])
