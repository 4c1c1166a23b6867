"""Which names may become files here. What a peer sends is hostile until it has been through `check_path`."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Final

PRIVATE: Final = ".peergraph"
"""The program's own directory in the folder: database, state, trash, files on their way in."""

PATH_BYTES_MAX: Final = 2048
NAME_BYTES_MAX: Final = 255
DEPTH_MAX: Final = 128

_FORBIDDEN: Final = {
    "Cc": "a control character",
    "Cs": "bytes that are not UTF-8",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}


class BadPath(ValueError):
    """The path is not one that this program writes; the message says why."""


def check_path(path: object) -> tuple[str, ...]:
    """The components of a relative path with "/" between them. Raises BadPath."""
    if not isinstance(path, str):
        raise BadPath("a path must be text")
    if not path:
        raise BadPath("the path is empty")
    for character in path:
        category = unicodedata.category(character)
        if category in _FORBIDDEN:
            raise BadPath(f"the path has {_FORBIDDEN[category]}")
        if character == "\\":
            raise BadPath("the path has a backslash")
        if ord(character) & 0xFFFE == 0xFFFE:
            raise BadPath("the path has a code point that is no character")
    if path.startswith("/"):
        raise BadPath("the path is absolute")
    if len(path.encode()) > PATH_BYTES_MAX:
        raise BadPath(f"the path is longer than {PATH_BYTES_MAX} bytes")
    names = tuple(path.split("/"))
    if len(names) > DEPTH_MAX:
        raise BadPath(f"the path is deeper than {DEPTH_MAX} directories")
    for name in names:
        _check_name(name)
    return names


def _check_name(name: str) -> None:
    if not name:
        raise BadPath("the path has an empty component")
    if name in (".", ".."):
        raise BadPath(f'the path has a "{name}"')
    if len(name.encode()) > NAME_BYTES_MAX:
        raise BadPath(f"a component of the path is longer than {NAME_BYTES_MAX} bytes")
    # Some file systems ignore case, and characters that cannot be seen.
    visible = "".join(character for character in name if unicodedata.category(character) != "Cf")
    if visible.casefold() == PRIVATE:
        raise BadPath(f"{PRIVATE} belongs to this program")


def ancestors(path: str) -> list[str]:
    """The directories that a path needs: "a/b/c" needs "a" and "a/b"."""
    names = path.split("/")
    return ["/".join(names[:count]) for count in range(1, len(names))]


def safe_peer(peer: str) -> str:
    """A peer id as a piece of a file name: letters, digits, "-" and "_", at most 40."""
    kept = "".join(character if character.isascii() and character.isalnum() else "_" for character in peer)
    return kept[:40] or "_"


def conflict_path(path: str, peer: str, mark: str = "") -> str:
    """Where the copy that lost is kept: "name.conflict-peer", with a mark if that alone would not be unique.

    A name that would become too long is cut, and a short hash of the whole keeps it unique.
    """
    directory, slash, name = path.rpartition("/")
    ending = f".conflict-{safe_peer(peer)}" + (f"-{mark}" if mark else "")
    room = min(NAME_BYTES_MAX, PATH_BYTES_MAX - len((directory + slash).encode())) - len(ending)
    if len(name.encode()) > room:
        short = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: max(0, room - 9)].decode(errors="ignore") + "~" + short
    return directory + slash + name + ending


def printable(path: str) -> str:
    """For a terminal: nothing that moves the cursor, and no bytes that are not UTF-8."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "backslashreplace").decode()
        for character in path
    )
