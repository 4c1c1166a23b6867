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
    DISCARD = "the file goes into the trash"
    ADD = "the file becomes a new record"
    UPDATE = "the file's content goes into the record"
    DELETE = "the record is deleted"


def decide(disk: Content | None, agreed: Agreed | None, shown: Version | None, expired: bool = False) -> Action:
    """The three-way comparison. Nothing that only one side has is ever thrown away.

    expired  whether the record of `agreed` vanished because its time was over
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
    if disk is None:
        return Action.DELETE if last == shown.content else Action.WRITE
    if last == shown.content:  # edited here, perhaps back to what the record was made from
        return Action.UPDATE
    if disk == last or shown.is_made_from(disk):
        lost = agreed is not None and agreed.mine and agreed.record_id == shown.record_id
        return Action.KEEP_AND_WRITE if lost and not shown.is_made_from(disk) else Action.WRITE
    return Action.ADD  # changed on both sides: a second record for the path, and the later one has the name
