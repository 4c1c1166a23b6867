#!/usr/bin/env python3
"""Three processes of folder.py on this machine keep a folder the same, through changes and a crash.

A has the files. B joins A. C joins B and knows nobody else. Then files are changed, added and deleted while all three
run; B is killed, more happens while it is down, and B comes back. At the end all three folders are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from paths import PRIVATE, BadPath, check_path
from processes import Failure, Peer, Stage
from records import Content, digest_of
from report import files, readable

BYTES_MAX = 700_000_000


def manifest(folder: Path) -> dict[str, Content]:
    """What is in a folder, read from the disk by nobody's account but our own."""
    found = {}
    for path in walk(folder):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[path.relative_to(folder).as_posix()] = Content(digest, bool(path.stat().st_mode & 0o100))
    return found


def walk(folder: Path) -> Iterator[Path]:
    for directory, names, file_names in os.walk(folder):
        if PRIVATE in names:
            names.remove(PRIVATE)
        for name in file_names:
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                yield path


def copy_folder(source: Path, target: Path) -> tuple[int, int]:
    """Copies the regular files that we may read; gives their number and bytes."""
    count = size = 0
    for path in walk(source):
        relative = path.relative_to(source)
        with contextlib.suppress(BadPath, PermissionError):
            check_path(relative.as_posix())
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target / relative)
            count, size = count + 1, size + path.stat().st_size
            if size > BYTES_MAX:
                raise Failure(f"{source} has more than {readable(BYTES_MAX)}; choose a smaller folder")
    return count, size


class Demo:
    """The three peers, and what the folder should hold."""

    def __init__(self, home: Path, stage: Stage) -> None:
        self.home, self.stage = home, stage
        self.expected: dict[str, Content] = {}
        self.a, self.b, self.c = (Peer(name, home / name, stage) for name in "ABC")
        self._used: set[str] = set()

    def write(self, peer: Peer, path: str, data: bytes) -> None:
        target = peer.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self.expected[path] = Content(hashlib.sha256(data).hexdigest(), bool(target.stat().st_mode & 0o100))

    def change(self, peer: Peer, count: int) -> int:
        chosen = self._choose(count)
        for path in chosen:
            self.write(peer, path, (peer.folder / path).read_bytes() + f"/* changed by {peer.name} */\n".encode())
        return len(chosen)

    def delete(self, peer: Peer, count: int) -> int:
        chosen = self._choose(count)
        for path in chosen:
            (peer.folder / path).unlink()
            del self.expected[path]
        return len(chosen)

    def _choose(self, count: int) -> list[str]:
        """Some files that nothing has happened to yet."""
        paths = sorted(path for path in self.expected if path not in self._used and not path.startswith("from-"))
        chosen = paths[:: max(1, len(paths) // 97)][:count]
        self._used.update(chosen)
        return chosen

    async def all_equal(self, *peers: Peer) -> float:
        """Waits until the peers say that they have what they should; gives how long that took."""
        began = time.monotonic()
        digest = digest_of(self.expected.items())
        await asyncio.gather(*(peer.has(digest) for peer in peers))
        return time.monotonic() - began

    async def run(self, source: Path) -> bool:
        say = self.stage.say
        say(f"copying {source}")
        count, size = await asyncio.to_thread(copy_folder, source, self.a.folder)
        say(f"{files(count)}, {readable(size)}; reading them for the comparison")
        self.expected = await asyncio.to_thread(manifest, self.a.folder)

        say("A creates the graph and adds its files; B joins A; C joins B and is told of nobody else")
        await self.a.start("create")
        await self.a.has(digest_of(self.expected.items()))
        await self.b.start("join", self.a.address)
        await self.b.listens()
        await self.c.start("join", self.b.address)
        await self.all_equal(self.a, self.b, self.c)
        for peer in (self.a, self.b, self.c):
            peer.seconds = peer.since_start()
        self.stage.done()

        changed, deleted = self.change(self.a, 5), self.delete(self.c, 4)
        for number in range(3):
            self.write(self.b, f"from-b/new/{number}.txt", f"file {number} of B\n".encode())
        self.write(self.b, "from-b/empty", b"")
        say(f"all run: A changes {files(changed)}, B adds 4, C deletes {deleted}")
        seconds = await self.all_equal(self.a, self.b, self.c)
        say(f"the same everywhere after {seconds:.1f} s")

        await self.b.kill()
        say("B is killed (SIGKILL)")
        changed, deleted = self.change(self.a, 3), self.delete(self.a, 2)
        big = b"".join(hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(160_000))
        self.write(self.a, "from-a/big", big)
        self.write(self.c, "from-c/while-b-was-away.txt", b"C has found A\n")
        say(f"while B is down: A changes {files(changed)}, deletes {deleted}, adds {readable(len(big))}; C adds one")
        seconds = await self.all_equal(self.a, self.c)
        say(f"A and C, which was only told of B, had found each other: equal after {seconds:.1f} s")
        say("B starts again from its database")
        await self.b.start("join", self.a.address)
        seconds = await self.all_equal(self.a, self.b, self.c)
        say(f"the same everywhere after {seconds:.1f} s")

        say("Ctrl-C to all three")
        statuses = await asyncio.gather(*(peer.leave() for peer in (self.a, self.b, self.c)))
        if any(statuses):
            raise Failure(f"A, B, C ended with status {', '.join(map(str, statuses))} instead of 0")
        return await asyncio.to_thread(self.compare)

    def compare(self) -> bool:
        """The table: everything is read from the disk once more."""
        digest = digest_of(self.expected.items())
        print(f"\n  {'replica':8}{'files':>8}{'bytes':>14}{'seconds':>9}   {'hash':18}equal")
        equal = True
        for peer in (self.a, self.b, self.c):
            found = manifest(peer.folder)
            size = sum(path.stat().st_size for path in walk(peer.folder))
            same = found == self.expected and peer.rest.get("hash") == digest
            equal = equal and same
            short = digest_of(found.items())[:16]
            print(f"  {peer.name:8}{len(found):8,}{size:14,}{peer.seconds:9.1f}   {short:18}{'yes' if same else 'NO'}")
            for path in sorted(found.keys() ^ self.expected.keys())[:5]:
                print(f"          {'has' if path in found else 'lacks'} {path}")
        print("\n  seconds: from the start of the process until its folder was complete for the first time\n")
        return equal


async def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("folder", nargs="?", default="/usr/include", help="what to replicate; default: %(default)s")
    parser.add_argument("--keep", action="store_true", help="leave the three folders where they are")
    parser.add_argument("--timeout", type=float, default=300, metavar="SECONDS", help="default: %(default)s")
    options = parser.parse_args(argv)
    source = Path(options.folder)
    if not source.is_dir():
        print(f"./dev demo: {source} is not a folder", file=sys.stderr)
        return 2
    home = Path(tempfile.mkdtemp(prefix="peergraph-demo-"))
    stage = Stage(options.timeout)
    demo = Demo(home, stage)
    run = asyncio.ensure_future(demo.run(source))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, run.cancel)
    try:
        equal = await asyncio.wait_for(run, options.timeout)
    except asyncio.CancelledError:
        stage.done()
        return 130
    except (Failure, asyncio.TimeoutError, OSError) as error:
        stage.done()
        print(f"\nFAILED: {str(error) or f'not finished after {options.timeout:.0f} s'}\n", flush=True)
        for peer in (demo.a, demo.b, demo.c):
            peer.show_log()
        return 1
    finally:
        await asyncio.gather(*(peer.kill() for peer in (demo.a, demo.b, demo.c)))
        if options.keep:
            print(f"kept: {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)
    print("all equal" if equal else "NOT equal")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
