"""What folder and graph had in common when they last agreed, kept over restarts.

A journal of JSON lines: each change is appended, the first commit writes it anew. A line that a crash has cut off is
ignored; what it would have said is found again by comparing contents.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from beneath import Signature
from decide import Agreed
from records import Content


class WrongGraph(ValueError):
    """The folder belongs to another graph, or to another peer of it."""


class State:
    """By path, what was last agreed; and a few settings."""

    def __init__(self, path: str, graph_id: str, peer_id: str) -> None:
        self._path = Path(path)
        self._entries: dict[str, Agreed] = {}
        self._lines: list[str] = []
        self.port = 0
        """The port that others know us by."""
        self._graph_id, self._peer_id = graph_id, peer_id
        self._load()
        self._file: BinaryIO | None = None
        """Opened by the first commit: until the graph is open, another program may be at work here."""

    def _load(self) -> None:
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    self._read(json.loads(line))
                except WrongGraph:
                    raise
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue

    def _read(self, item: dict[str, Any]) -> None:
        if "graph" in item:
            if (item["graph"], item["peer"]) != (self._graph_id, self._peer_id):
                raise WrongGraph(
                    f"the folder belongs to graph {item['graph']!r} as peer {item['peer']!r},"
                    f" not to graph {self._graph_id!r} as peer {self._peer_id!r}"
                )
            self.port = int(item["port"])
        elif "record" in item:
            self._entries[item["path"]] = Agreed(
                record_id=UUID(item["record"]),
                content=Content(item["sha256"], item["signature"][4]),
                mark=item["mark"],
                signature=Signature(*item["signature"]),
                expires_us=int(item["expires"]),
                mine=bool(item["mine"]),
            )
        else:
            self._entries.pop(item["path"], None)

    def _rewrite(self) -> None:
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(self._header())
            file.writelines(map(_line, self._entries, self._entries.values()))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)

    def _header(self) -> str:
        return json.dumps({"graph": self._graph_id, "peer": self._peer_id, "port": self.port}) + "\n"

    def __getitem__(self, path: str) -> Agreed | None:
        return self._entries.get(path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def put(self, path: str, agreed: Agreed) -> None:
        if self._entries.get(path) != agreed:
            self._entries[path] = agreed
            self._lines.append(_line(path, agreed))

    def forget(self, path: str) -> None:
        if self._entries.pop(path, None) is not None:
            self._lines.append(json.dumps({"path": path}) + "\n")

    def forget_all(self) -> None:
        """For a database that is new: nothing was agreed with it."""
        for path in list(self._entries):
            self.forget(path)

    def remember_port(self, port: int) -> None:
        if port != self.port:
            self.port = port
            self._lines.append(self._header())

    def commit(self) -> None:
        """Writes down what has changed since the last time. On a full disk it stays for the next time.

        The first time everything is written anew; raises OSError then.
        """
        if self._file is None:
            self._rewrite()
            self._file = self._path.open("ab", buffering=0)
            self._lines.clear()
        text = "".join(self._lines).encode()
        try:
            while text:
                text = text[self._file.write(text) :]
        except OSError:
            self._lines.insert(0, "\n")  # ends what was written in part
        else:
            self._lines.clear()

    def close(self) -> None:
        if self._file is not None:
            self.commit()
            self._file.close()


def _line(path: str, agreed: Agreed) -> str:
    return (
        json.dumps(
            {
                "path": path,
                "record": str(agreed.record_id),
                "sha256": agreed.content.sha256,
                "mark": agreed.mark,
                "signature": list(agreed.signature),
                "expires": agreed.expires_us,
                "mine": agreed.mine,
            }
        )
        + "\n"
    )
