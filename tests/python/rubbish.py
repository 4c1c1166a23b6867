"""Strangers on the port of a node: arguments PORT GRAPH COUNT. Opens COUNT connections that say nothing and a fifth as
many that say rubbish, a thousand a second, from twenty addresses of this machine.

Says as lines of JSON {"opened": N} when all have been opened, then for each line that it is given how many of them the
node has not closed yet: {"silent": N, "rubbish": N, "longest_s": seconds that any of them lived}.
"""

from __future__ import annotations

import errno
import json
import random
import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterator

ADDRESSES = [f"127.0.0.{number}" for number in range(2, 22)]
PER_SECOND = 1000


def framed(message: bytes) -> bytes:
    pieces = [message[at : at + 16379] for at in range(0, len(message), 16379)]
    return b"".join(struct.pack(">H", len(piece)) + piece for piece in pieces)


def message(kind: int, body: bytes, size: int | None = None) -> bytes:
    return struct.pack(">IBBH", 8 + len(body) if size is None else size, 0x10, kind, 0) + body


def auth_info(graph: str) -> bytes:
    graph_id, source = graph.encode() + b"\0", b"mallory\0"
    ends = 16 + len(graph_id), 16 + len(graph_id) + len(source)
    return message(1, struct.pack(">BBHHH", 1, 0, 16, *ends) + graph_id + source)


def connect(node_id: int) -> bytes:
    return message(2, struct.pack(">BBHHHQ", 1, 0, 24, 24, 0, node_id))


def rubbish(graph: str, chance: random.Random) -> Iterator[bytes]:
    """What is said on a connection, for ever, one kind after the other."""
    while True:
        introduced = framed(auth_info(graph)) + framed(connect(chance.getrandbits(63) + 1))
        noise = chance.randbytes(chance.randrange(1, 65536))
        four_gib = framed(message(0x0B, bytes(1000), 0xFFFFFFFF))
        yield noise
        yield introduced[: chance.randrange(1, len(introduced) - 1)]
        yield four_gib
        yield introduced + four_gib
        yield introduced + noise
        yield introduced + framed(noise)
        yield introduced + framed(message(0x0B, noise, 10_000_000))  # a part of a record


class Strangers:
    def __init__(self, port: int) -> None:
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.open: dict[str, int] = {"silent": 0, "rubbish": 0}
        self.longest = 0.0

    def dial(self, number: int, kind: str, words: bytes) -> None:
        stranger = socket.socket()
        stranger.setblocking(False)
        stranger.bind((ADDRESSES[number % len(ADDRESSES)], 0))
        if stranger.connect_ex(("127.0.0.1", self.port)) not in (0, errno.EINPROGRESS):
            raise SystemExit("a connection cannot be made")
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if words else 0)
        self.selector.register(stranger, wanted, [kind, words, time.monotonic()])
        self.open[kind] += 1

    def attend(self, seconds: float) -> None:
        for key, events in self.selector.select(max(seconds, 0)):
            try:
                if events & selectors.EVENT_WRITE:
                    self.speak(key)
                if events & selectors.EVENT_READ and key.fileobj.recv(65536) == b"":
                    self.forget(key)
            except BlockingIOError:
                pass
            except OSError:
                self.forget(key)

    def speak(self, key: selectors.SelectorKey) -> None:
        sent = key.fileobj.send(key.data[1])
        key.data[1] = key.data[1][sent:]
        if not key.data[1]:
            self.selector.modify(key.fileobj, selectors.EVENT_READ, key.data)

    def forget(self, key: selectors.SelectorKey) -> None:
        self.selector.unregister(key.fileobj)
        key.fileobj.close()
        self.open[key.data[0]] -= 1
        self.longest = max(self.longest, time.monotonic() - key.data[2])

    def lived(self) -> float:
        oldest = min((key.data[2] for key in self.selector.get_map().values()), default=time.monotonic())
        return max(self.longest, time.monotonic() - oldest)


def open_all(strangers: Strangers, graph: str, count: int) -> None:
    words = rubbish(graph, random.Random(20210625))
    for number in range(count):
        due = time.monotonic() + 1 / PER_SECOND
        strangers.dial(number, "silent", b"")
        if number % 5 == 0:
            strangers.dial(number, "rubbish", next(words))
        while (left := due - time.monotonic()) > 0:
            strangers.attend(left)
    print(json.dumps({"opened": count + (count + 4) // 5}), flush=True)


def answer_questions(strangers: Strangers) -> None:
    questions = selectors.DefaultSelector()
    questions.register(sys.stdin, selectors.EVENT_READ)
    while True:
        strangers.attend(0.05)
        if not questions.select(0):
            continue
        if not sys.stdin.readline():
            return
        print(json.dumps(strangers.open | {"longest_s": strangers.lived()}), flush=True)


def main() -> None:
    strangers = Strangers(int(sys.argv[1]))
    open_all(strangers, sys.argv[2], int(sys.argv[3]))
    answer_questions(strangers)


if __name__ == "__main__":
    main()
