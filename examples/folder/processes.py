"""The demo's processes: started, listened to, killed; and one line that shows how far they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from paths import printable
from records import Content, digest_of

LOG_LINES: Final = 25
FOLDER_PROGRAM: Final = Path(__file__).resolve().parent / "folder.py"


class Failure(Exception):
    """The demo cannot go on."""


class Stage:
    """What the demo shows: lines with the time, and below them how far each process is."""

    def __init__(self, timeout: float) -> None:
        self._began = time.monotonic()
        self._timeout = timeout
        self._tty = sys.stdout.isatty()
        self._counts: dict[str, str] = {}
        self._shown = ""
        self._last = 0.0

    @property
    def left(self) -> float:
        return self._began + self._timeout - time.monotonic()

    def say(self, text: str) -> None:
        self.done()
        print(f"[{time.monotonic() - self._began:5.1f} s] {text}", flush=True)

    def count(self, name: str, text: str) -> None:
        """How far a process is."""
        self._counts[name] = text
        now = time.monotonic()
        if now - self._last < (0.1 if self._tty else 2.0):
            return
        self._last = now
        line = "    ".join(f"{each}: {self._counts[each]}" for each in sorted(self._counts))
        if self._tty:
            width = os.get_terminal_size().columns
            self._shown = f"          {line}"[: max(0, width - 1)]
            print(f"\r\x1b[K{self._shown}", end="", flush=True)
        else:
            print(f"          {line}", flush=True)

    def done(self) -> None:
        """Ends the line of counts."""
        if self._shown:
            print("\r\x1b[K", end="", flush=True)
        self._shown = ""
        self._counts.clear()


class Peer:
    """One process of folder.py."""

    def __init__(self, name: str, folder: Path, stage: Stage) -> None:
        self.name, self.folder = name, folder
        self.address = ""
        self.options: tuple[str, ...] = ()
        """More options for the command."""
        self.rest: dict[str, Any] = {}
        """The last thing that it said about its folder as a whole."""
        self.seconds = 0.0
        self._stage = stage
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._news = asyncio.Condition()
        self._started = 0.0
        self._is_listening = False
        self._ended = True
        folder.mkdir(exist_ok=True)

    def since_start(self) -> float:
        return float(self.rest.get("at", time.monotonic())) - self._started

    async def start(self, command: str, *addresses: str) -> None:
        """Starts the process; the second time on the port of the first."""
        port = self.address.rpartition(":")[2] or "0"
        options = ("--name", self.name, "--graph", "demo", "--listen", port, "--json", *self.options)
        self.rest, self._is_listening, self._ended = {}, False, False
        self._started = time.monotonic()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(FOLDER_PROGRAM),
            command,
            *options,
            str(self.folder),
            *addresses,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the demo, which passes it on
            limit=1 << 24,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            asyncio.ensure_future(self._read(self._process.stdout, True)),
            asyncio.ensure_future(self._read(self._process.stderr, False)),
        ]
        await self.listens() if command == "create" else None

    async def _read(self, stream: asyncio.StreamReader, is_output: bool) -> None:
        while line := await stream.readline():
            text = line.decode(errors="replace").rstrip("\n")
            self._log.append(text)
            if is_output:
                await self._take(json.loads(text))
        if is_output:
            self._ended = True
            async with self._news:
                self._news.notify_all()

    async def _take(self, said: dict[str, Any]) -> None:
        if said["event"] == "progress":
            total = said["total"]
            done = f"{said['done']:,}"
            text = f"{done} of {total:,}" if total is not None else f"{done} record{'s' * (done != '1')}"
            self._stage.count(self.name, f"{said['what']} {text}")
        elif said["event"] == "listening":
            self.address, self._is_listening = said["address"], True
        elif said["event"] == "rest":
            self.rest = {**said, "at": time.monotonic()}
            self._stage.count(self.name, f"{said['files']:,} files in order")
        async with self._news:
            self._news.notify_all()

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Waits until something holds. Raises Failure if the process ends before, or the time is over."""

        def decided() -> bool:
            return holds() or self._ended

        try:
            async with self._news:
                await asyncio.wait_for(self._news.wait_for(decided), max(0.0, self._stage.left))
        except asyncio.TimeoutError:
            raise Failure(f"{self.name} {what}: not within the time") from None
        if not holds():
            raise Failure(f"{self.name} has ended before it {what}")

    async def listens(self) -> None:
        await self.until("listens", lambda: self._is_listening)

    async def has(self, digest: str) -> None:
        await self.until("has what it should", lambda: self.rest.get("hash") == digest)

    async def rests_with(self, manifest: Callable[[Path], dict[str, Content]]) -> None:
        """Waits until it has noticed everything that was done in its own folder."""
        digest = digest_of((await asyncio.to_thread(manifest, self.folder)).items())
        await self.until("has noticed the changes", lambda: self.rest.get("hash") == digest)

    async def leave(self) -> int:
        """As Ctrl-C does; gives the exit status."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        try:
            status = await asyncio.wait_for(self._process.wait(), max(0.0, self._stage.left))
        except asyncio.TimeoutError:
            raise Failure(f"{self.name} leaves: not within the time") from None
        await asyncio.gather(*self._readers)
        return status

    async def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            await asyncio.gather(*self._readers, return_exceptions=True)

    def show_log(self) -> None:
        state = "did not start" if self._process is None else f"status {self._process.returncode}"
        print(f"--- {self.name} ({'runs' if not self._ended else state}), its last lines")
        for line in self._log:
            print(f"    {printable(line)[:300]}")
