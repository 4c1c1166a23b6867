"""docs/architecture.md tells the truth: what it names exists, and a record goes the way that it describes.

Every name in backticks is looked up, and so is each line of the ways: the function is defined in that file, the one
above it calls it, and those below one function are called in this order. Each check is shown something false as well.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from structure.checks import ALLOWED, ROOT, SOURCE, code_only

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
SUFFIXES = "c h py pyi lua i md toml txt map cmake".split()

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FUNCTION = re.compile(r"^[A-Za-z_][^;{}=]*?\b(\w+)\([^;{}]*\)[^;{}()]*\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"( *)(\w+(?: > \w+)*)(?:, as (\w+)->(\w+))? {2,}([\w/]+\.c)(?: {2,}\S.*)?")


class Step(NamedTuple):
    """One line of a way: functions of one file, each called by the one before it, the first by the one above."""

    depth: int
    functions: list[str]
    member: str | None
    """Of the interface through which the first one is called."""
    file: str


# -- the sources -------------------------------------------------------------------------------------------------------


@functools.cache
def code(file: str) -> str:
    """A file below core/src, without comments and literals."""
    return code_only((SOURCE / file).read_text(encoding="utf-8"))


@functools.cache
def bodies(file: str) -> dict[str, str]:
    """The functions that a file defines."""
    return dict(FUNCTION.findall(code(file))) if (SOURCE / file).is_file() else {}


@functools.cache
def all_code() -> str:
    """All that could define a name: the library and its C tests, the Python package, the rules of the layers."""
    c = [path for top in ("core", "tests/unit", "tests/sim") for path in sorted((ROOT / top).rglob("*.[ch]"))]
    text = "\n".join(code_only(path.read_text(encoding="utf-8")) for path in c)
    python = [*sorted((ROOT / "python" / "peergraph").glob("*.py")), ROOT / "tests" / "structure" / "checks.py"]
    own = re.compile(r'""".*?"""|"[^"\n]*"|#[^\n]*', re.DOTALL)
    return "\n".join([text, *(own.sub("", path.read_text(encoding="utf-8")) for path in python)])


@functools.cache
def words() -> frozenset[str]:
    scenario = (ROOT / "tests" / "sim" / "scenario.c").read_text(encoding="utf-8")
    variables = re.findall(r'"(PEER_SIM_\w+)"', scenario)  # of the environment
    return frozenset([*re.findall(r"\w+", all_code()), *variables])


@functools.cache
def defined() -> frozenset[str]:
    """Functions that are declared or defined, and types."""
    functions = re.findall(r"^[A-Za-z_][^;{}=()]*?\b(\w+)\(", all_code(), re.MULTILINE)
    types = re.findall(r"^(?:typedef )?(?:struct|enum|union) (\w+)", all_code(), re.MULTILINE)
    return frozenset([*functions, *types])


# -- the page ----------------------------------------------------------------------------------------------------------


def fences(page: str, kind: str) -> list[str]:
    return [text for name, text in FENCE.findall(page) if name == kind]


def quoted(page: str) -> list[str]:
    """Everything in backticks, but not what stands in blocks."""
    return re.findall(r"`([^`]+)`", prose(page))


def prose(page: str) -> str:
    """The page without blocks, and with one space wherever there is some."""
    return re.sub(r"\s+", " ", FENCE.sub("", page))


def place_complaints(page: str) -> list[str]:
    """A file in parentheses behind a name, or several, is where they stand: `one`, `other` (`graph/file.c`)."""
    return [
        f"`{name}` does not stand in {file}"
        for names, file in re.findall(r"((?:`\w+`(?:, | and | or )?)+) \(`([\w/]+\.[ch])`\)", prose(page))
        for name in re.findall(r"\w+", re.sub(r"`, | and | or ", "` `", names))
        if not re.search(rf"\b{name}\b", code(file))
    ]


def is_path(name: str) -> bool:
    return "/" in name or name.rsplit(".", 1)[-1] in SUFFIXES


def name_complaint(name: str) -> str | None:
    """What is wrong with a name in backticks; None if it exists."""
    if is_path(name):
        found = any(any(top.glob(name.rstrip("/"))) for top in (ROOT, SOURCE))
        return None if found else f"`{name}`: there is no such file"
    kind, _, tag = name.partition(" ")
    if kind in ("struct", "enum") and re.fullmatch(r"\w+", tag):
        return None if re.search(rf"^{kind} {tag} \{{", all_code(), re.MULTILINE) else f"`{name}` is not defined"
    for part in name.split("."):
        if not re.fullmatch(r"\w+", part):
            return f"`{name}` is neither a file nor a name"
        known = defined() if re.match(r"peer__?[a-z]", part) else words()
        if part not in known and not any(word.startswith(part) for word in words() if part.endswith("_")):
            return f"`{name}`: nothing is called {part}"
    return None


def steps(way: str) -> Iterator[Step | str]:
    """The lines of a way; a line that cannot be read comes as it is."""
    for line in way.splitlines():
        match = STEP.fullmatch(line)
        if match is None or len(match.group(1)) % 2:
            yield line
            continue
        indent, functions, _, member, file = match.groups()
        yield Step(len(indent) // 2, functions.split(" > "), member, file)


def place_of_call(body: str, function: str, member: str | None, start: int) -> int:
    """Behind the first call of a function, or through a member, from `start` on; -1 if there is none."""
    pattern = rf"(?:->|\.){member}\(" if member else rf"(?<![\w.>]){function}\("
    match = re.compile(pattern).search(body, start)
    return match.end() if match else -1


def implements(function: str, member: str) -> bool:
    """Whether some table of an interface has the function as this member."""
    return re.search(rf"\.{member} = {function}\b", all_code()) is not None


def step_complaints(step: Step, caller: tuple[str, str] | None, start: int) -> tuple[list[str], int]:
    """The complaints about one line, and where in the caller's body the call stands."""
    name = " > ".join(step.functions)
    known = bodies(step.file)
    if missing := [function for function in step.functions if function not in known]:
        return [f"{name}: {step.file} does not define {', '.join(missing)}"], start
    complaints = [
        f"{name}: {one} does not call {other}"
        for one, other in zip(step.functions, step.functions[1:], strict=False)
        if place_of_call(known[one], other, None, 0) < 0
    ]
    first = step.functions[0]
    if step.member and not implements(first, step.member):
        complaints.append(f"{name}: it is not what {step.member} leads to")
    if caller is not None:
        place = place_of_call(bodies(caller[1]).get(caller[0], ""), first, step.member, start)
        if place < 0:
            complaints.append(f"{name}: {caller[0]} does not call it, or not at this place")
        start = max(place, start)
    return complaints, start


def way_complaints(way: str) -> list[str]:
    """Where a way is not the one that the sources go."""
    complaints: list[str] = []
    callers: list[tuple[str, str]] = []  # at each depth the last function, and its file
    starts: list[int] = []  # at each depth, how far in it the calls have been followed
    for step in steps(way):
        if isinstance(step, str) or step.depth > len(callers):
            complaints.append(f"this line cannot be read: {step}")
            continue
        del callers[step.depth :]
        del starts[step.depth :]
        start = starts[-1] if starts else 0
        found, place = step_complaints(step, callers[-1] if callers else None, start)
        complaints += found
        if starts:
            starts[-1] = place
        callers.append((step.functions[-1], step.file))
        starts.append(0)
    return complaints


def drawing_complaints(drawing: str) -> list[str]:
    """Whether every folder of core/src stands in the drawing, above all that it may include, and its files exist."""
    rows = [line.partition("|") for line in drawing.splitlines()]
    height = {layer: number for number, (row, _, _) in enumerate(reversed(rows)) for layer in row.split()}
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    complaints = [f"{layer} is not in the drawing" for layer in sorted(folders - set(height))]
    complaints += [f"there is no layer {layer}" for layer in sorted(set(height) - folders)]
    complaints += [
        f"{layer} stands no higher than {other}"
        for layer in sorted(folders & set(height))
        for other in sorted(ALLOWED[layer] & set(height))
        if height[layer] <= height[other]
    ]
    files = [file for _, _, text in rows for file in re.findall(r"\S+/\S+\.[ch]", text)]
    return complaints + [f"there is no {file}" for file in files if not (SOURCE / file).is_file()]


# -- the tests ---------------------------------------------------------------------------------------------------------


def test_every_name_exists():
    names = quoted(PAGE)
    assert len(names) > 100
    complaints = [complaint for name in names if (complaint := name_complaint(name))]
    assert not complaints, "\n  ".join(["", *complaints])


def test_every_name_stands_in_the_file_beside_it():
    assert len(re.findall(r"`\w+` \(`[\w/]+\.[ch]`\)", prose(PAGE))) > 4
    assert place_complaints(PAGE) == []


def test_the_record_goes_this_way():
    ways = fences(PAGE, "way")
    assert len(ways) == 4
    complaints = [complaint for way in ways for complaint in way_complaints(way)]
    assert not complaints, "\n  ".join(["", *complaints])


def test_the_drawing_shows_all_layers():
    (drawing,) = fences(PAGE, "layers")
    complaints = drawing_complaints(drawing)
    assert not complaints, "\n  ".join(["", *complaints])


def test_the_folders_of_the_engine_are_explained():
    (folders,) = fences(PAGE, "folders")
    rows = [line.partition("|") for line in folders.splitlines()]
    assert {name.strip() for name, _, _ in rows} == {
        path.name for path in (SOURCE / "graph").iterdir() if path.is_dir()
    }
    for name, _, text in rows:
        (file,) = re.findall(r"\S+\.[ch]$", text)
        assert file.startswith(f"graph/{name.strip()}/")
        assert (SOURCE / file).is_file()


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
    assert "](docs/architecture.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


# -- each check finds what it is there for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "graph/flud.c",
        "tests/sim/test_nothing.c",
        "tests/unit/nothing_*.c",
        "nothing/",
        "peer__graph_ad",
        "peer_graph_nothing",
        "struct grap",
        "struct peer__graph_add",
        "enum wire_extensions",
        "NEIGHBOURS_NONE",
        "RecordChanged.nothing_of_the_kind",
        "nothing_of_the_kind",
        "peer__graph_add()",
        "flood.c",  # a file is named with its folder
        "judged",  # in a comment only
    ],
)
def test_names_of_nothing_are_found(name):
    (found,) = quoted(f"text `{name}` text\n")
    assert name_complaint(found)


@pytest.mark.parametrize(
    "name",
    """core/src/graph/replication/flood.c graph/replication/flood.c graph/ tests/unit/test_*.c peer__graph_add
    peer_graph_add_record world_ RecordChanged.record EFFECT_ACK PEER_SIM_SEED""".split(),
)
def test_names_of_something_are_fine(name):
    assert name_complaint(name) is None
    assert "judged" in (SOURCE / "graph" / "replication" / "flood.c").read_text(encoding="utf-8")


def test_a_name_beside_another_file_is_found():
    true = "text `apply_stored`,\n`hold_back` and `maintain` (`graph/commit.c`) text"
    assert place_complaints(true) == []
    assert len(place_complaints(true.replace("maintain", "settle"))) == 1
    assert len(place_complaints(true.replace("commit.c", "replication/flood.c"))) == 3


GOOD = """\
peer__graph_add                         graph/records/change.c   why
  peer__graph_prepare_add               graph/records/change.c
  peer__graph_apply > carry_out_all     graph/records/change.c
    peer__graph_commit                  graph/commit.c
      peer__sqlite_commit, as operations->commit  store/sqlite_write.c
      apply                             graph/commit.c
"""


def test_a_true_way_is_fine():
    assert way_complaints(GOOD) == []


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("peer__graph_commit                  graph/commit.c", "peer__graph_commit  graph/replication/flood.c"),
        ("peer__graph_commit                  graph/commit.c", "peer__graph_commit  graph/no_file.c"),
        (
            "peer__graph_prepare_add               graph/records/change.c",
            "peer__graph_publish_info  graph/records/graph_info.c",
        ),
        ("peer__graph_apply > carry_out_all", "peer__graph_apply > carry_out"),
        ("peer__sqlite_commit, as operations->commit", "peer__sqlite_commit, as operations->put"),
        ("peer__sqlite_commit, as operations->commit", "peer__sqlite_put, as operations->commit"),
        ("  peer__graph_prepare_add   ", " peer__graph_prepare_add   "),
        ("      apply  ", "        apply  "),
        ("why", "why\nand then something happens"),
    ],
)
def test_a_false_step_is_found(true, false):
    assert true in GOOD
    assert way_complaints(GOOD.replace(true, false))


def test_a_wrong_order_is_found():
    first, prepare, *rest = GOOD.splitlines(keepends=True)
    assert way_complaints("".join([first, *rest, prepare]))


DRAWING = "api |\nruntime sim |\ntls store xml |\ngraph | graph/engine.h\nwire |\nevent |\nbase |\n"


@pytest.mark.parametrize(
    ("true", "false"),
    [
        ("event |\n", ""),
        ("api |", "api things |"),
        ("wire |\nevent |", "event |\nwire |"),
        ("runtime sim |\ntls", "runtime sim tls"),
        ("graph/engine.h", "graph/motor.h"),
    ],
)
def test_a_false_drawing_is_found(true, false):
    assert drawing_complaints(DRAWING) == []
    assert true in DRAWING
    assert drawing_complaints(DRAWING.replace(true, false))
