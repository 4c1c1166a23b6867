"""What each argument of a C function is: what its comment says, and what holds for every one of that name or type."""

from __future__ import annotations

import re

from sphinx.util import logging

from . import prose
from .headers import Function

logger = logging.getLogger(__name__)

# Where the comment says nothing particular. Names of one function only are its own matter, and stand in its comment.
KNOWN = {
    "a": "a host",
    "attributes": "a set of attributes that is being built, or was read",
    "batch": "an open batch",
    "bound": "how many numbers there are to draw from",
    "compare": "``PEER_COMPARE_…``, with the record's value on its left side",
    "connection_id": "the connection, as the event or the enumeration gives it",
    "count_max": "at most so many; at least 1",
    "count_out": "how many items there are",
    "data": "the bytes; they are copied",
    "database_name": 'tells apart several databases of one graph and peer; NULL: "default"',
    "enumeration": "an open enumeration",
    "from": "the hosts, or the one, from which the way leads",
    "graph": "an open graph",
    "graph_id": "the id of the graph, as its creator gave it",
    "guid": "the id or the type",
    "host": "the number of the host",
    "index": "which attribute, from 0",
    "is_full": "1 or 0",
    "left": "the hosts of one side",
    "message_id": "the message, as :c:func:`peer_sim_get_messages` gives it",
    "name": "the name, 1 … 40 of 0-9 a-z A-Z, none of the six reserved names",
    "options": "NULL for defaults",
    "path": "the file, in UTF-8",
    "paused": "1 or 0",
    "peer_id": "the peer, 1 … 255 UTF-16 units",
    "present": "1 or 0",
    "query": "a query that is being built",
    "queue": "a registered queue",
    "record": "as for :c:func:`peer_graph_add_record` and its relatives",
    "record_id": "the id of the record",
    "right": "the hosts of the other side",
    "runtime": "an open runtime",
    "sim": "an open network",
    "size": "how many bytes",
    "status": "what a function returned or an event has",
    "to": "the hosts, or the one, to which the way leads",
    "validation_id": "as :c:macro:`PEER_EVENT_VALIDATION` gave it",
    "value": "a number",
    "view_size": "the size of the view that the caller was compiled with",
    "xml": "attributes as a record has them",
}
# Who gets what a function makes, by the type of the out-parameter.
OWNED = {
    "peer_runtime **": "a new runtime; end it with :c:func:`peer_shutdown`",
    "peer_graph **": "the open graph; end it with :c:func:`peer_graph_close`",
    "peer_event_queue **": "the queue; end it with :c:func:`peer_unregister_event`",
    "peer_enum **": "an enumeration; end it with :c:func:`peer_end_enumeration`",
    "peer_batch **": "a batch; end it with :c:func:`peer_batch_commit` or :c:func:`peer_batch_abort`",
    "peer_sim **": "the network; end it with :c:func:`peer_sim_close`",
}
GIVES_WHAT_EXISTS = ("peer_sim_next_ready", "peer_sim_get_runtime")
UNITS = {
    "_utc_us": "microseconds since 1970-01-01 UTC, by this machine's clock",
    "_us": "microseconds since 1970-01-01 UTC, peer time",
    "_ms": "milliseconds",
    "_ppm": "millionths",
}


def unit_of(name: str, in_sim: bool) -> str:
    for ending, unit in UNITS.items():
        if name.removesuffix("_out").endswith(ending):
            return "microseconds" if in_sim and ending == "_us" else unit
    return ""


def made(function: Function, type: str, name: str) -> str:
    """What an out-parameter gets."""
    if type in OWNED and function.name not in GIVES_WHAT_EXISTS:
        return OWNED[type]
    if re.fullmatch(r"peer_\w+ \*\*", type) and type not in OWNED:
        return "an object of yours; release it with :c:func:`peer_free_data`"
    return ""


def default(name: str, type: str) -> str:
    if name.endswith("_count"):
        return f"how many there are in ``{name.removesuffix('_count')}``"
    if re.fullmatch(r"const peer_\w+ \*", type) and name not in KNOWN:
        return "the object"
    if type == "const peer_record *":
        return "the object"
    return KNOWN.get(name, "")


def explanation(function: Function, type: str, name: str) -> str:
    said = {tag.name: tag.text for tag in function.comment.params}.get(name, "")
    parts = [prose.inline(said), made(function, type, name)]
    if not any(parts):
        parts.append(default(name, type))
    if not any(parts) and name.endswith("_out"):
        parts.append("set by the call")
    unit = unit_of(name, function.name.startswith("peer_sim_"))
    if unit and unit not in "; ".join(parts):
        parts.append(unit)
    if not any(parts):
        logger.warning("%s: nothing says what the argument `%s` is", function.name, name)
    return "; ".join(filter(None, parts))
