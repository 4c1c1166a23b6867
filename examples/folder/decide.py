"""What to do about one name, given what is on the disk, what was there when both sides last agreed, and the record."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from uuid import UUID

from beneath import Signature
from records import Content, Version


@dataclass(frozen=True, slots=True)
class Agreed:
    """What folder and graph had in common under a name when they last agreed."""

    record_id: UUID
    content: Content
    mark: str
    """Of the version."""
    signature: Signature
    expires_us: int
    mine: bool
    """Whether this content was made here, and nobody is known to have built on it."""


class Action(enum.Enum):
    """What is to be done."""

    FORGET = "nothing is there, nothing should be"
    AGREE = "folder and record are the same"
    WRITE = "the record's content goes into the folder"
    KEEP_AND_WRITE = "the same, after our own losing content has got a record and a name of its own"
    DISCARD = "the file goes into the trash; what the record has, if there is one, comes after it"
    ADD = "the file becomes a new record"
    UPDATE = "the file's content goes into the record"
    DELETE = "the record is deleted"


def decide(
    disk: Content | None,
    agreed: Agreed | None,
    shown: Version | None,
    *,
    former: Version | None = None,
    expired: bool = False,
    touched: bool = False,
) -> Action:
    """The three-way comparison. Nothing that only one side has is ever thrown away.

    former   what the record of `agreed` says now, if there still is that record
    expired  whether the record of `agreed` vanished because its time was over
    touched  whether the file is not the one of `agreed`, whatever is in it
    """
    last = None if agreed is None else agreed.content
    if shown is None:
        if disk is None:
            return Action.FORGET
        if last == disk and not expired:
            return Action.DISCARD
        return Action.ADD  # new here; or edited here and deleted there; or still here after its record expired
    if disk == shown.content:
        return Action.AGREE
    if disk is None:  # deleted here; unless it was deleted there, and made anew
        return Action.DELETE if last == shown.content and former is not None else Action.WRITE
    if last == shown.content:  # edited here, perhaps back to what the record was made from
        return Action.UPDATE
    if agreed is not None and disk == last:
        action = _give_way(agreed, shown, former, expired)
        # A crash may have come before the journal, and somebody who has seen more than it knows may have gone back.
        return Action.DISCARD if touched and action is Action.WRITE else action
    if shown.had(disk, since=None if agreed is None else agreed.mark):
        return Action.DISCARD  # an old copy, since the journal is behind the disk
    return Action.ADD  # changed on both sides: a second record for the path, and the later one has the name


def _give_way(agreed: Agreed, shown: Version, former: Version | None, expired: bool) -> Action:
    """Nothing was changed here, but there is something else in the graph."""
    if shown.is_made_from(agreed.mark):
        return Action.WRITE
    if former is None:  # deleted there, and made anew
        return Action.ADD if expired else Action.DISCARD
    lost = agreed.mine and former.content != agreed.content and not former.is_made_from(agreed.mark)
    return Action.KEEP_AND_WRITE if lost else Action.WRITE
