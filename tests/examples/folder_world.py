"""Hosts with folders on a simulated network, and users who do to them whatever chance says; what they wrote is counted.

Every text that somebody writes is the only one of its kind, so that it can be looked for at the end. It may go only if
somebody who saw it wrote something else in its place, or deleted it.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import folder
from demo import manifest, walk
from peergraph._context import current_world
from peergraph._virtual_loop import VirtualLoop
from peergraph.sim import Network
from state import State

PATHS = ("a", "a/b", "a/b/c", "d", "e/f")
LARGE = 20_000
"""Of this size a file is in parts, with the limit that the graph has."""
SETTLE = 900.0
NAMES = "abc"


class World:
    """Three hosts; every step is a call that chance has chosen."""

    def __init__(self, seed: int, root: Path, delay: float) -> None:
        self.chance = random.Random(seed)
        self.root, self.delay = root, delay
        self.network = Network(seed, untraced=True)
        self.hosts = self.network.add_hosts(*NAMES)
        self.programs: dict[str, asyncio.Task[int]] = {}
        self.alive: dict[str, str] = {}
        """What must not get lost, by text: who wrote it where."""
        self.former: list[str] = []
        self.count = 0
        self.log: list[str] = []
        for name in NAMES:
            (root / name).mkdir(parents=True)
        self.start("a")
        self.start("b")
        self.start("c")

    def start(self, name: str) -> None:
        others = [f"{other}:5000" for other in NAMES if other != name]
        command = ["join", *others]
        if name == "a":
            command = ["create", "--record-limit", "16384", *(f"--connect={other}" for other in others)]
        listen = ("--name", name, "--listen", "5000", "--listen-everywhere", "--json")
        arguments = [command[0], str(self.root / name), *command[1:], *listen]
        self.programs[name] = self.network.host(name).start(folder.main, arguments)

    # -- users ---------------------------------------------------------------------------------------------------------

    def note(self, text: str) -> None:
        self.log.append(f"{self.network.now:10.3f} {text}")

    def see(self, path: Path) -> None:
        """A user does away with a file, and has seen it."""
        for each in [path, *path.rglob("*")] if path.is_dir() else [path]:
            if each.is_file():
                self.alive.pop(each.read_text().strip(), None)

    def remove(self, path: Path) -> None:
        self.see(path)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def put(self, name: str, path: str, text: str) -> None:
        place = self.root / name / path
        if place.is_file() and place.read_text().strip() == text:
            return  # who writes what is there changes nothing
        for above in list(place.parents)[::-1]:
            if above.is_file():
                self.remove(above)
        if place.is_dir():
            self.remove(place)
        self.see(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        new = self.root / "new"
        self.count += 1
        new.write_text(text + " " * (LARGE if text.startswith("L") else 0))
        when = self.network.host(name).clock.timestamp()
        os.utime(new, ns=(int(when), int(when * 1e9) + self.count))
        new.replace(place)
        self.alive[text] = f"{name}/{path}"
        self.note(f"{name}: {path} = {text}")

    def files(self, name: str) -> list[str]:
        return sorted(each.relative_to(self.root / name).as_posix() for each in walk(self.root / name))

    def write(self, name: str) -> None:
        have = self.files(name)
        path = self.chance.choice(have) if have and self.chance.random() < 0.5 else self.chance.choice(PATHS)
        text = f"{'L' if self.chance.random() < 0.15 else 'w'}{len(self.former)}"
        self.former.append(text)
        self.put(name, path, text)

    def undo(self, name: str) -> None:
        have = self.files(name)
        if have and self.former:
            self.put(name, self.chance.choice(have), self.chance.choice(self.former[-6:]))

    def delete(self, name: str) -> None:
        have = self.files(name)
        if have:
            path = self.chance.choice(have)
            self.note(f"{name}: delete {path}")
            self.remove(self.root / name / path)

    def rename(self, name: str) -> None:
        have = self.files(name)
        path = self.chance.choice(PATHS)
        if have and not (self.root / name / path).is_dir():
            old = self.chance.choice(have)
            text = (self.root / name / old).read_text().strip()
            if not path.startswith(old + "/") and old != path:
                self.note(f"{name}: {old} is renamed {path}")
                self.remove(self.root / name / old)
                self.put(name, path, text)

    def chmod(self, name: str) -> None:
        have = self.files(name)
        if have:
            path = self.chance.choice(have)
            self.note(f"{name}: chmod {path}")
            place = self.root / name / path
            place.chmod(place.stat().st_mode ^ 0o111)

    # -- misfortunes ---------------------------------------------------------------------------------------------------

    def cut(self, name: str) -> None:
        self.note(f"{name} is alone")
        self.network.heal()
        host = self.network.host(name)
        self.network.partition([host], [each for each in self.hosts if each is not host])

    def heal(self, _name: str) -> None:
        self.note("healed")
        self.network.heal()

    def kill(self, name: str) -> None:
        host = self.network.host(name)
        if host.is_up:
            self.note(f"{name} is killed")
            host.crash(machine=self.chance.random() < 0.5)
        else:
            self.revive(name)

    def revive(self, name: str) -> None:
        host = self.network.host(name)
        if not host.is_up:
            self.note(f"{name} starts again")
            host.restart()
            self.start(name)
        elif self.programs[name].done():
            self.note(f"{name}'s program has ended with {self.programs[name].result()}, and starts again")
            self.start(name)

    def fill(self, name: str) -> None:
        host = self.network.host(name)
        if host.is_up:
            host.disk_full = not host.disk_full
            self.note(f"{name}: disk {'full' if host.disk_full else 'has room'}")

    def wait(self, _name: str) -> None:
        self.network.run_for(self.chance.choice([2, 10, 30, 120]))

    # -- the whole -----------------------------------------------------------------------------------------------------

    def go(self, steps: int) -> None:
        kinds: list[Callable[[str], None]] = [self.write] * 8 + [self.undo, self.rename, self.chmod, self.kill]
        kinds += [self.delete, self.delete, self.wait, self.wait, self.cut, self.heal, self.heal, self.fill]
        self.network.run_for(self.chance.choice([0, 1, 30]))
        for _ in range(steps):
            self.chance.choice(kinds)(self.chance.choice(NAMES))
            self.network.run_for(self.chance.choice([0, 0.1, 0.7, self.chance.random() * 5]))
        self.network.heal()
        self.note("the end begins")
        for host in self.hosts:
            host.disk_full = False
        for _ in range(2):  # a program may just be ending because of a disk that was full
            for host in self.hosts:
                self.revive(host.name)
            self.network.run_for(30)
        self.delay = 0
        try:
            self.network.run_until(self.are_equal, every=5, timeout=SETTLE)
        except TimeoutError:
            raise AssertionError(f"folders stay different: {self.folders()}") from None
        lost = self.lost()
        assert not lost, f"lost: {lost}, of {self.folders()[0]}"

    def folders(self) -> list[dict[str, str]]:
        return [{path: (self.root / name / path).read_text().strip() for path in self.files(name)} for name in NAMES]

    def are_equal(self) -> bool:
        first = manifest(self.root / "a")
        return all(manifest(self.root / name) == first for name in "bc") and self.network.converged()

    def lost(self) -> dict[str, str]:
        kept = {each.read_text().strip() for name in NAMES for each in walk(self.root / name)}
        for name in NAMES:
            for each in (self.root / name / ".peergraph/trash").rglob("*"):
                if each.is_file():
                    kept.add(each.read_text().strip())
        return {text: where for text, where in self.alive.items() if text not in kept}


def killable(commit):
    """As kill -9 has it: who is dead writes nothing down, whatever his exception handlers are for."""

    def commit_if_alive(self: State) -> None:
        world = current_world.get()
        if not getattr(world, "is_over", False):
            commit(self)

    return commit_if_alive


def slow(world: World):
    """Threads take time, before they begin and after they have ended, so that anything may happen meanwhile."""

    def run_in_executor(self: VirtualLoop, _executor, function, *args):
        outer, inner = self.create_future(), self.create_future()

        def pause() -> float:
            return world.chance.random() * world.delay if world.chance.random() < 0.5 else 0.0

        def finish() -> None:
            if outer.cancelled():
                inner.exception()
            elif inner.exception() is not None:
                outer.set_exception(inner.exception())
            else:
                outer.set_result(inner.result())

        inner.add_done_callback(lambda _: self.call_later(pause(), finish))
        self.call_later(pause(), self._run_inline, inner, function, args)
        return outer

    return run_in_executor
