"""Which record has which name, and what is done about a name: without network, without disk."""

from __future__ import annotations

import itertools
import random
from uuid import UUID

import pytest
from beneath import Signature
from decide import Action, Agreed, decide
from hypothesis import given
from hypothesis import strategies as st
from records import Content, Version, digest_of
from view import View


def content(text: str) -> Content:
    return Content(f"{sum(map(ord, text)):04x}" + text.encode().hex().ljust(60, "0")[:60])


def mark(text: str, changed: int = 0) -> str:
    return f"{content(text).mark}-{changed:x}"


def version(number, path="a", text="text", changed=0, peer="bob", before=(), parts=()):
    return Version(
        record_id=UUID(int=number),
        path=path,
        content=content(text),
        size=1,
        mtime_us=0,
        changed_us=changed,
        before=tuple(map(mark, before)),
        parts=parts,
        peer=peer,
        creator=peer,
        expires_us=1,
    )


def agreed(text="old", number=1, mine=False):
    return Agreed(UUID(int=number), content(text), mark(text), Signature(0, 0, 0, 0, False), 1, mine)


def made(disk, last, shown, **more):
    """What is decided if the record that was agreed upon says what is shown, unless that is another one."""
    if last is not None and shown is not None and last.record_id == shown.record_id:
        more["former"] = shown
    return decide(disk, last, shown, **more)


def names(view):
    return {path: view.at(path).record_id.int for path in view.paths()}


def test_the_later_has_the_name_and_the_loser_is_kept():
    view = View()
    view.put(version(1, text="early", changed=5, peer="ann"))
    assert view.put(version(2, text="late", changed=6, peer="bob")) == {"a", "a.conflict-ann"}
    assert names(view) == {"a": 2, "a.conflict-ann": 1}


def test_at_the_same_time_the_higher_id_has_the_name():
    view = View()
    view.put(version(2, text="two", peer="ann"))
    view.put(version(1, text="one", peer="bob"))
    assert names(view) == {"a": 2, "a.conflict-bob": 1}


def test_losers_of_one_peer_have_names_of_their_own():
    view = View()
    for number in (1, 2, 3):
        view.put(version(number, text=str(number), changed=number))
    assert names(view) == {"a": 3, "a.conflict-bob": 2, "a.conflict-bob-00000000": 1}


@pytest.mark.parametrize("loser", [version(1, text="same"), version(1, text="older")])
def test_what_the_winner_has_or_was_made_from_is_no_conflict(loser):
    view = View()
    winner = version(2, text="same", changed=9, before=["older"])
    view.put(loser)
    view.put(winner)
    assert names(view) == {"a": 2}
    assert view.hidden() == view.hidden_behind("a") == [loser]
    assert not view.is_shown(loser.record_id)
    view.remove(winner.record_id)
    assert names(view) == {"a": 1}


def test_a_file_gives_way_to_a_directory_and_comes_back():
    view = View()
    view.put(version(1, path="a"))
    assert view.put(version(2, path="a/b/c")) == {"a", "a/b/c", "a.conflict-bob"}
    assert names(view) == {"a.conflict-bob": 1, "a/b/c": 2}
    view.remove(UUID(int=2))
    assert names(view) == {"a": 1}


def test_a_real_file_has_its_name_before_a_copy_that_lost():
    view = View()
    view.put(version(1, text="one", changed=1))
    view.put(version(2, text="two", changed=2))
    view.put(version(3, path="a.conflict-bob", text="three"))
    assert names(view) == {"a": 2, "a.conflict-bob": 3, "a.conflict-bob-00000000": 1}
    view.remove(UUID(int=3))
    assert names(view) == {"a": 2, "a.conflict-bob": 1}


PATHS = ["a", "a/b", "a/b/c", "a.conflict-bob", "a.conflict-ann", "a.conflict-bob/x", "b"]
VERSIONS = st.builds(
    version,
    st.integers(1, 6),
    path=st.sampled_from(PATHS),
    text=st.sampled_from(["x", "y", "z"]),
    changed=st.integers(0, 2),
    peer=st.sampled_from(["ann", "bob"]),
    before=st.lists(st.sampled_from(["x", "y", "z"]), max_size=1),
)


@given(st.lists(st.one_of(VERSIONS, st.integers(1, 6)), max_size=16), st.randoms(use_true_random=False))
def test_the_names_depend_on_the_records_alone(steps, chance: random.Random):
    """Whatever happened in whatever order: the same records have the same names, and what has changed is told."""
    view, shown = View(), {}
    for step in steps:
        changed = view.put(step) if isinstance(step, Version) else view.remove(UUID(int=step))
        now = {path: view.at(path) for path in view.paths()}
        different = {path for path in {*now, *shown} if now.get(path) != shown.get(path)}
        assert different <= changed
        shown = now
    other = View()
    versions = list(view.versions.values())
    chance.shuffle(versions)
    for each in versions:
        other.put(each)
    assert names(view) == names(other)
    for path in view.paths():  # no name is a file and a directory at once
        assert not any(longer.startswith(path + "/") for longer in view.paths())


CASES = [
    # disk, agreed, record -> what to do
    (None, None, None, Action.FORGET),
    (None, "old", None, Action.FORGET),
    ("new", None, None, Action.ADD),
    (None, None, "new", Action.WRITE),
    ("same", None, "same", Action.AGREE),
    ("same", "old", "same", Action.AGREE),
    ("old", "old", None, Action.DISCARD),  # deleted there
    ("new", "old", None, Action.ADD),  # edited here, deleted there: the edit stays
    (None, "old", "old", Action.DELETE),  # deleted here
    (None, "old", "new", Action.WRITE),  # deleted here, edited there: the edit stays
    ("old", "old", "new", Action.WRITE),
    ("new", "old", "old", Action.UPDATE),
    ("ours", "old", "theirs", Action.ADD),  # edited on both sides: both stay
    ("ours", None, "theirs", Action.ADD),
]


@pytest.mark.parametrize(("disk", "last", "record", "action"), CASES)
def test_the_three_way_comparison(disk, last, record, action):
    assert made(disk and content(disk), last and agreed(last), record and version(1, text=record)) is action


def test_a_file_whose_record_expired_stays():
    assert made(content("old"), agreed("old"), None, expired=True) is Action.ADD
    assert made(None, agreed("old"), None, expired=True) is Action.FORGET
    assert made(content("old"), agreed("old"), version(2, text="another"), expired=True) is Action.ADD


def test_a_record_that_was_deleted_and_made_anew():
    """Its content goes into the trash, as if there were no other; and nobody here has deleted the new one."""
    assert made(content("old"), agreed("old"), version(2, text="new")) is Action.DISCARD
    assert made(content("old"), agreed("old"), version(2, text="new", before=["old"])) is Action.WRITE
    assert made(None, agreed("old"), version(2, text="old")) is Action.WRITE
    twin = version(1, text="old")
    assert made(None, agreed("old"), version(2, text="old"), former=twin) is Action.DELETE


def test_our_own_edit_that_lost_is_kept_unless_the_winner_was_made_from_it():
    ours = agreed("ours", mine=True)
    assert made(content("ours"), ours, version(1, text="theirs")) is Action.KEEP_AND_WRITE
    assert made(content("ours"), ours, version(1, text="theirs", before=["ours"])) is Action.WRITE
    assert made(content("ours"), agreed("ours", mine=False), version(1, text="theirs")) is Action.WRITE


@pytest.mark.parametrize(
    ("former", "action"),
    [
        (version(1, text="ours"), Action.WRITE),  # ours has a record of its own
        (version(1, text="theirs"), Action.KEEP_AND_WRITE),  # not any more
        (version(1, text="theirs", before=["ours"]), Action.WRITE),
    ],
)
def test_our_own_edit_that_lost_while_a_third_one_has_the_name(former, action):
    ours = agreed("ours", mine=True)
    assert made(content("ours"), ours, version(2, text="a third"), former=former) is action


def test_an_old_copy_is_no_edit():
    """After a loss of power the journal may be behind the disk."""
    shown = version(1, text="new", before=["middle", "old"])
    assert made(content("middle"), agreed("old"), shown) is Action.DISCARD
    assert made(content("middle"), None, shown) is Action.DISCARD


def test_an_edit_that_is_undone_is_an_edit():
    """The former content is back, of which the record knows that it was made from it."""
    assert made(content("old"), agreed("new"), version(1, text="new", before=["old"])) is Action.UPDATE
    assert made(content("old"), agreed("new", mine=True), version(1, text="new", before=["old"])) is Action.UPDATE
    newer = version(1, text="newer", before=["new", "old"])  # while they went on, so both stay
    assert made(content("old"), agreed("new"), newer) is Action.ADD
    assert made(content("old"), agreed("unknown"), newer) is Action.ADD


def test_a_file_that_somebody_touched_goes_into_the_trash():
    """With the content that was agreed, as far as we know: but the journal may be behind, and this an edit undone."""
    assert made(content("old"), agreed("old"), version(1, text="new"), touched=True) is Action.DISCARD
    assert made(content("old"), agreed("old"), version(1, text="old"), touched=True) is Action.AGREE
    ours = agreed("ours", mine=True)
    assert made(content("ours"), ours, version(1, text="theirs"), touched=True) is Action.KEEP_AND_WRITE


def test_an_undone_edit_is_told_from_the_first_of_that_content():
    view = View()
    view.put(version(1, text="newer", changed=9, before=["new", "old"], peer="ann"))
    view.put(version(2, text="old", changed=5))
    assert names(view) == {"a": 1, "a.conflict-bob": 2}


@pytest.mark.parametrize(("disk", "last", "record"), list(itertools.product([None, "x", "y", "z"], repeat=3)))
def test_content_that_is_nowhere_else_is_never_thrown_away(disk, last, record):
    """Writing and discarding need that what is on the disk was agreed, and so is, or was, in the graph."""
    action = made(disk and content(disk), last and agreed(last), record and version(1, text=record))
    if disk is not None and action in (Action.WRITE, Action.DISCARD):
        assert disk == last


def test_a_changed_bit_changes_the_hash():
    plain, executable = Content("0" * 64), Content("0" * 64, True)
    assert plain.mark != executable.mark
    assert digest_of([("a", plain)]) != digest_of([("a", executable)]) != digest_of([("b", executable)])
    assert digest_of([("a", plain), ("b", executable)]) == digest_of([("b", executable), ("a", plain)])
