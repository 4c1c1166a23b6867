"""What the program says: lines and a progress bar for people, lines of JSON for programs."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Final, TextIO

from paths import printable

BAR: Final = 30
EVERY: Final = 0.1
EVERY_LINE: Final = 2.0


class Report:
    """Says things to whoever listens."""

    def __init__(self, as_json: bool, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._json = as_json
        self._tty = not as_json and self._stream.isatty()
        self._bar_is_shown = False
        self._last = 0.0

    def say(self, event: str, text: str, **fields: Any) -> None:
        """One line: the text for people, the event with its fields for programs."""
        if self._json:
            self._write(json.dumps({"event": event, "text": text, **fields}) + "\n")
        else:
            self._erase()
            self._write(printable(text) + "\n")

    def progress(self, what: str, done: int, total: int | None, size: int = 0) -> None:
        """How far something is; often called, rarely written. Ends by itself at the next line."""
        now = time.monotonic()
        finished = total is not None and done >= total
        if now - self._last < (EVERY if self._tty or self._json else EVERY_LINE) and not finished:
            return
        self._last = now
        if self._json:
            self._write(json.dumps({"event": "progress", "what": what, "done": done, "total": total}) + "\n")
            return
        if total is None:
            text = f"{done:,} record{'s' * (done != 1)}"
        else:
            text = f"{done:,} of {total:,} files, {readable(size)}"
        if not self._tty:
            self._write(f"{what}: {text}\n")
            return
        bar = ""
        if total:
            filled = BAR * min(done, total) // total
            bar = f"[{'#' * filled}{'.' * (BAR - filled)}] {100 * min(done, total) // total:3} %  "
        self._write(f"\r\x1b[K{what}: {bar}{text}")
        self._bar_is_shown = True
        if finished:
            self._write("\n")
            self._bar_is_shown = False

    def _erase(self) -> None:
        if self._bar_is_shown:
            self._write("\r\x1b[K")
            self._bar_is_shown = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            pass  # nobody listens; the folder is kept all the same


def readable(size: int) -> str:
    """A number of bytes for people."""
    if size < 1000:
        return "1 byte" if size == 1 else f"{size} bytes"
    return f"{size / 1000:.1f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def files(count: int) -> str:
    """A number of files for people."""
    return "1 file" if count == 1 else f"{count:,} files"
