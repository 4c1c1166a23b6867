"""What is on the disk: names and signatures by looking, contents by reading what has changed since the last look."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from beneath import Folder, Scan, Signature
from records import Content
from state import State

RESTLESS_NS: Final = 50_000_000
"""A file that was touched so recently may be touched again without a trace: it is read at the next look."""

Progress = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file whose content is known."""

    content: Content
    signature: Signature


class Watch:
    """The files of the folder with their contents, as of the last look."""

    def __init__(self, folder: Folder, state: State) -> None:
        self._folder, self._state = folder, state
        self.files: dict[str, OnDisk] = {}
        self.skipped: dict[str, str] = {}
        self._scan = Scan()
        self.seconds = 0.0
        """How long the last look took."""
        self.restless = 0
        """How many files are to be read at the next look."""

    def content(self, path: str) -> Content | None:
        found = self.files.get(path)
        return None if found is None else found.content

    def is_known(self, path: str) -> bool:
        """Whether anything can be said about a name."""
        return path in self.files or self._scan.is_absent(path)

    def look(self, progress: Progress) -> set[str]:
        """Looks at the folder, in a thread while nothing else writes there; gives the names that were touched."""
        began = time.monotonic()
        scan = self._folder.scan()
        self.seconds = time.monotonic() - began
        self._scan, self.skipped = scan, scan.skipped
        changed = {path for path in self.files if scan.is_absent(path)}
        for path in changed:
            del self.files[path]
        new = [path for path, signature in scan.files.items() if self._is_news(path, signature)]
        now_ns, self.restless, size = time.time_ns(), 0, 0
        for done, path in enumerate(new):
            if 0 <= now_ns - scan.files[path].ctime_ns < RESTLESS_NS:
                self.restless += 1
                continue
            found = self._read(path)
            if found is None:
                self.restless += 1
                continue
            size += found.signature.size
            self.files[path] = found
            changed.add(path)
            if done % 64 == 0:
                progress(done, len(new), size)
        return changed

    def _is_news(self, path: str, signature: Signature) -> bool:
        known = self.files.get(path)
        return known is None or known.signature != signature

    def _read(self, path: str) -> OnDisk | None:
        """The content of a file, by its signature if that is what was last agreed; None if it changes while we read."""
        try:
            with self._folder.open(path) as (file, signature):
                agreed = self._state[path]
                if agreed is not None and agreed.signature == signature:
                    return OnDisk(agreed.content, signature)
                total = hashlib.sha256()
                while chunk := file.read(1 << 20):
                    total.update(chunk)
            if self._folder.signature(path) != signature:
                return None
            return OnDisk(Content(total.hexdigest(), signature.executable), signature)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._scan.unknown.add(path)
            self.skipped[path] = error.strerror or type(error).__name__
            self.files.pop(path, None)
            return None
