"""Which record is shown under which name: a function of the set of records alone, so every peer has the same answer.

* Of several records for one path the latest (changed, id) has the name; the others are shown as "name.conflict-peer".
* One whose content the winner has, or that it was made from, is not a conflict and is not shown.
* A file gives way to a directory of the same name, since that has more to lose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from paths import ancestors, conflict_path
from records import Version


class View:
    """The records as a folder."""

    def __init__(self) -> None:
        self.versions: dict[UUID, Version] = {}
        self._by_path: dict[str, set[UUID]] = {}
        self._directories: Counter[str] = Counter()
        self._shown: dict[str, UUID] = {}
        self._names: dict[str, dict[UUID, str]] = {}  # by path of the records
        self._contested: set[str] = set()
        self._part_users: dict[str, set[UUID]] = {}

    def at(self, path: str) -> Version | None:
        """What is shown under a name."""
        record_id = self._shown.get(path)
        return None if record_id is None else self.versions[record_id]

    def paths(self) -> Iterable[str]:
        """Every name that is shown."""
        return self._shown.keys()

    def is_shown(self, record_id: UUID) -> bool:
        version = self.versions.get(record_id)
        return version is not None and record_id in self._names.get(version.path, ())

    def is_free(self, path: str) -> bool:
        """Whether no record stands in the way of a file of this name."""
        return path not in self._shown and path not in self._by_path and path not in self._directories

    def users_of(self, part: str) -> frozenset[UUID]:
        """The records that need a part."""
        return frozenset(self._part_users.get(part, ()))

    def hidden_behind(self, path: str) -> list[Version]:
        """Records for the same path that are not shown, because what is shown there has, or had, their content."""
        shown = self.at(path)
        if shown is None or shown.path != path:
            return []
        names = self._names.get(path, {})
        return [self.versions[each] for each in self._by_path[path] if each not in names]

    def hidden(self) -> list[Version]:
        """All records that are not shown."""
        return [
            self.versions[each]
            for path, group in self._by_path.items()
            if len(group) > 1
            for each in group
            if each not in self._names.get(path, ())
        ]

    def names_of(self, record_ids: Iterable[UUID]) -> set[str]:
        """The names under which records are shown."""
        names = set()
        for record_id in record_ids:
            version = self.versions.get(record_id)
            if version is not None:
                name = self._names.get(version.path, {}).get(record_id)
                if name is not None:
                    names.add(name)
        return names

    def put(self, version: Version) -> set[str]:
        """Takes a new or changed record; gives the names under which something else is shown now."""
        old = self.versions.get(version.record_id)
        if old == version:
            return set()
        changed = set() if old is None or old.path == version.path else self.remove(version.record_id)
        if old is not None and not changed:
            self._forget_parts(old)
        self.versions[version.record_id] = version
        for part in version.parts:
            self._part_users.setdefault(part, set()).add(version.record_id)
        touched = {version.path}
        if version.path not in self._by_path:
            touched |= self._count(version.path, 1)
        self._by_path.setdefault(version.path, set()).add(version.record_id)
        return changed | self._show(touched)

    def remove(self, record_id: UUID) -> set[str]:
        """Takes a record away; gives the names under which something else, or nothing, is shown now."""
        version = self.versions.pop(record_id, None)
        if version is None:
            return set()
        self._forget_parts(version)
        touched = {version.path}
        group = self._by_path[version.path]
        group.discard(record_id)
        if not group:
            del self._by_path[version.path]
            touched |= self._count(version.path, -1)
        return self._show(touched)

    def _forget_parts(self, version: Version) -> None:
        for part in version.parts:
            users = self._part_users.get(part, set())
            users.discard(version.record_id)
            if not users:
                self._part_users.pop(part, None)

    def _count(self, path: str, step: int) -> set[str]:
        """Counts the directories that a path needs; gives those that came or went."""
        touched = set()
        for directory in ancestors(path):
            before = self._directories[directory]
            self._directories[directory] += step
            if not before or not self._directories[directory]:
                touched.add(directory)
            if not self._directories[directory]:
                del self._directories[directory]
        return touched

    def _show(self, touched: set[str]) -> set[str]:
        if any(".conflict-" in path for path in touched):
            touched = touched | self._contested  # a name of the losers may have been taken, or may be free again
        changed = set()
        taken_away = {path: self._names.pop(path, {}) for path in touched}
        before = {}
        for names in taken_away.values():
            for record_id, name in names.items():
                before[name] = record_id
                del self._shown[name]
                changed.add(name)
        for path in touched:
            self._contested.discard(path)
            names = self._arrange(path)
            if names:
                self._names[path] = names
            for record_id, name in names.items():
                self._shown[name] = record_id
                changed.add(name)
                if name != path:
                    self._contested.add(path)
        return changed

    def _arrange(self, path: str) -> dict[UUID, str]:
        """The names of the records for one path."""
        ranked = sorted((self.versions[each] for each in self._by_path.get(path, ())), key=lambda each: each.rank)
        names: dict[UUID, str] = {}
        kept: list[Version] = []
        for version in reversed(ranked):
            if any(other.content == version.content or other.is_made_from(version.mark) for other in kept):
                continue
            name = path if not kept and path not in self._directories else self._name_of_loser(version, names)
            kept.append(version)
            names[version.record_id] = name
        return names

    def _name_of_loser(self, version: Version, names: dict[UUID, str]) -> str:
        taken = set(names.values())
        for mark in ("", version.record_id.hex[:8]):
            name = conflict_path(version.path, version.peer, mark)
            if name not in self._by_path and name not in self._directories and name not in taken:
                return name
        return conflict_path(version.path, version.peer, version.record_id.hex)
