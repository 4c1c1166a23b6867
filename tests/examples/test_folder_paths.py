"""Names that peers send, and what the file system may do meanwhile: nothing outside of the folder is ever touched."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from beneath import ChangedMeanwhile, Folder, FolderGone, InTheWay
from hypothesis import given
from hypothesis import strategies as st
from paths import NAME_BYTES_MAX, BadPath, ancestors, check_path, conflict_path, printable

HOSTILE = [
    "",
    "/",
    "/etc/passwd",
    "//etc/passwd",
    ".",
    "..",
    "../x",
    "a/../x",
    "a/..",
    "a/./b",
    "./a",
    "a//b",
    "a/",
    "a\0b",
    "a\nb",
    "a\rb",
    "a\tb",
    "a\x1b[2Jb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\\b",
    "..\\x",
    "C:\\x",
    "a\udc80b",
    "a\ufffeb",
    "a\uffffb",
    "a\U0001fffeb",
    ".peergraph",
    ".peergraph/database/x",
    ".PeerGraph/x",
    "a/.peergraph/x",
    ".peer\u200cgraph/x",
    "x" * 256,
    "\u00e9" * 128,
    "a/" * 200 + "a",
    "/".join(["x" * 250] * 9),
]


@pytest.fixture
def folder(tmp_path):
    opened = Folder(tmp_path / "folder")
    yield opened
    opened.close()


@pytest.fixture
def outside(tmp_path):
    """Something that must stay as it is."""
    directory = tmp_path / "outside"
    directory.mkdir()
    (directory / "secret").write_text("secret")
    yield directory
    assert [each.name for each in directory.iterdir()] == ["secret"]
    assert (directory / "secret").read_text() == "secret"


def write(folder, path, data=b"data", expected=None, **options):
    return folder.write(path, [data], mtime_ns=10**18, **{"executable": False, **options}, expected=expected)


@pytest.mark.parametrize("path", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_paths_are_refused_before_anything_is_touched(folder, path):
    with pytest.raises(BadPath):
        check_path(path)
    before = sorted(Path(folder.root).rglob("*"))
    with pytest.raises(BadPath):
        write(folder, path)
    assert sorted(Path(folder.root).rglob("*")) == before


@pytest.mark.parametrize("path", [None, 7, b"a", ["a"]])
def test_a_path_is_text(path):
    with pytest.raises(BadPath):
        check_path(path)


@pytest.mark.parametrize(
    "path",
    ["a", "a/b/c", "...", "..a", "a..", " ", "-rf", "~", "a:b", "\U0001f600", "\u00e9" * 127, "x" * 255, ".git/x"],
)
def test_unusual_but_harmless_names_are_files_like_others(folder, path):
    write(folder, path, b"unusual")
    assert (Path(folder.root) / path).read_bytes() == b"unusual"
    assert path in folder.scan().files


@given(st.text(alphabet=st.sampled_from("a./\\\0\n~\u200c\u2028\udc80"), max_size=12))
def test_what_is_accepted_stays_beneath(path):
    try:
        names = check_path(path)
    except BadPath:
        return
    assert "/".join(names) == path
    assert os.path.normpath("/root/" + path) == "/root/" + path
    assert not {"", ".", "..", ".peergraph"} & set(names)


def test_empty_directories_give_way_to_a_file(folder):
    root = Path(folder.root)
    for below in ("a/b/c", "a/d"):
        (root / below).mkdir(parents=True)
    write(folder, "a")
    assert (root / "a").read_bytes() == b"data"

    (root / "e/f").mkdir(parents=True)
    (root / "e/f/link").symlink_to("anything")
    with pytest.raises(InTheWay):
        write(folder, "e")
    assert (root / "e/f/link").is_symlink()


def test_a_file_is_written_whole_or_not_at_all(folder):
    def chunks():
        yield b"some bytes"
        raise RuntimeError("the rest never comes")

    with pytest.raises(RuntimeError):
        folder.write("a", chunks(), mtime_ns=0, executable=False, expected=None)
    assert folder.scan().files == {}
    assert list(Path(folder.private_path("incoming")).iterdir()) == []


def test_what_was_on_its_way_in_at_a_kill_is_removed(folder):
    Path(folder.private_path("incoming"), "leftover").write_bytes(b"half a file")
    Folder(folder.root).close()
    assert list(Path(folder.private_path("incoming")).iterdir()) == []


def test_mode_time_and_content_arrive(folder):
    signature = write(folder, "bin/tool", b"#!/bin/sh\n", executable=True)
    found = (Path(folder.root) / "bin/tool").stat()
    assert found.st_mtime_ns == signature.mtime_ns == 10**18
    assert found.st_mode & stat.S_IXUSR
    assert not found.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH)


def test_a_file_that_changed_meanwhile_is_not_overwritten(folder):
    signature = write(folder, "a", b"old")
    (Path(folder.root) / "a").write_bytes(b"edited by the user")
    with pytest.raises(ChangedMeanwhile):
        write(folder, "a", b"new", expected=signature)
    with pytest.raises(ChangedMeanwhile):
        write(folder, "a", b"new", expected=None)
    with pytest.raises(ChangedMeanwhile):
        folder.discard("a", signature)
    assert (Path(folder.root) / "a").read_bytes() == b"edited by the user"


def test_a_link_in_the_place_of_a_file_is_not_written_through(folder, outside):
    (Path(folder.root) / "a").symlink_to(outside / "secret")
    with pytest.raises(InTheWay):
        write(folder, "a")
    with pytest.raises(OSError, match="symbolic links"), folder.open("a"):
        pass
    assert (Path(folder.root) / "a").is_symlink()


@pytest.mark.parametrize("path", ["link/a", "link/deep/a", "real/link/a"])
def test_a_link_in_the_place_of_a_directory_is_not_followed(folder, outside, path):
    (Path(folder.root) / "real").mkdir()
    (Path(folder.root) / path[: path.index("link") + 4]).symlink_to(outside)
    with pytest.raises(InTheWay):
        write(folder, path)
    with pytest.raises(InTheWay), folder.open(path):
        pass
    with pytest.raises(InTheWay):
        folder.signature(path)


def test_a_directory_swapped_for_a_link_while_a_file_is_written(folder, outside):
    """The swap happens after the directory was looked at, and before the file gets its name."""
    inner = Path(folder.root) / "dir"
    write(folder, "dir/old")

    def chunks():
        inner.rename(Path(folder.root) / "moved")
        inner.symlink_to(outside)
        yield b"bytes of a peer"

    with pytest.raises(InTheWay):
        folder.write("dir/new", chunks(), mtime_ns=0, executable=False, expected=None)
    with pytest.raises(InTheWay):
        folder.discard("dir/secret", write(folder, "other"))


def test_a_directory_swapped_between_opening_and_renaming(folder, outside, monkeypatch):
    """The narrowest moment: the descriptor is open, then the name becomes a link. The descriptor decides."""
    inner = Path(folder.root) / "dir"
    write(folder, "dir/old")
    make_room = Folder._make_room

    def swap_then_make_room(self, directory, name, expected):
        inner.rename(Path(folder.root) / "moved")
        inner.symlink_to(outside)
        make_room(self, directory, name, expected)

    monkeypatch.setattr(Folder, "_make_room", swap_then_make_room)
    write(folder, "dir/new", b"bytes of a peer")
    assert (Path(folder.root) / "moved" / "new").read_bytes() == b"bytes of a peer"


def test_the_trash_is_not_reached_through_a_link(folder, outside):
    signature = write(folder, "dir/a")
    trash = Path(folder.private_path("trash"))
    trash.mkdir()
    (trash / "dir").symlink_to(outside)
    with pytest.raises(InTheWay):
        folder.discard("dir/a", signature)
    assert (Path(folder.root) / "dir/a").exists()


def test_a_private_directory_that_is_a_link_is_refused(tmp_path, outside):
    root = tmp_path / "folder"
    root.mkdir()
    (root / ".peergraph").symlink_to(outside)
    with pytest.raises(OSError, match="Not a directory"):
        Folder(root)


def test_the_trash_keeps_the_name_and_empty_directories_go(folder):
    signature = write(folder, "a/b/c", b"precious")
    place = folder.discard("a/b/c", signature)
    assert place.startswith(".peergraph/trash/a/b/c.")
    assert (Path(folder.root) / place).read_bytes() == b"precious"
    assert not (Path(folder.root) / "a").exists()
    longest = "x" * NAME_BYTES_MAX
    assert (Path(folder.root) / folder.discard(longest, write(folder, longest))).exists()


def test_an_empty_directory_makes_room_and_a_full_one_does_not(folder):
    (Path(folder.root) / "empty").mkdir()
    write(folder, "empty")
    write(folder, "full/a")
    with pytest.raises(InTheWay):
        write(folder, "full")
    with pytest.raises(InTheWay):
        write(folder, "full/a/b")


def test_only_files_are_seen(folder, outside, tmp_path):
    root = Path(folder.root)
    write(folder, "file")
    (root / "link").symlink_to(outside)
    (root / "dangling").symlink_to("nowhere")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    (root / "line\nfeed").write_bytes(b"")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe")).write_bytes(b"")
    scan = folder.scan()
    assert set(scan.files) == {"file"}
    assert {"link", "dangling", "pipe", "socket"} <= scan.unknown
    assert len(scan.skipped) == 6
    assert not any("\n" in printable(path) or not printable(path).isascii() for path in scan.skipped)


def test_what_cannot_be_looked_at_is_not_taken_for_deleted(folder):
    (Path(folder.root) / "was-a-directory").symlink_to("elsewhere")
    scan = folder.scan()
    assert not scan.is_absent("was-a-directory/file")
    assert not scan.is_absent("was-a-directory")
    assert scan.is_absent("file")


def test_a_folder_that_disappears_is_not_a_folder_without_files(folder):
    write(folder, "a")
    Path(folder.root).rename(folder.root + "-moved")
    with pytest.raises(FolderGone):
        folder.scan()
    Path(folder.root).mkdir()
    with pytest.raises(FolderGone):
        folder.scan()


def test_names_of_copies_that_lost():
    assert conflict_path("a/b.txt", "bob") == "a/b.txt.conflict-bob"
    assert conflict_path("b", "../../etc/x y") == "b.conflict-______etc_x_y"
    assert conflict_path("b", "") == "b.conflict-_"
    for name in ("x" * 255, "\u00e9" * 127):
        for peer in ("bob", "p" * 255, "\u00e9"):
            check_path(conflict_path(name, peer, "0" * 32))
    assert conflict_path("x" * 254 + "a", "bob") != conflict_path("x" * 254 + "b", "bob")
    assert ancestors("a/b/c") == ["a", "a/b"]
