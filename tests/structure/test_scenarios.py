"""What tests/sim/README.md says of the scenarios is true: each that it names stands where it says, and is run."""

from __future__ import annotations

import re

import pytest
from sim import run_seeds
from structure.checks import ROOT

SOURCES = ROOT / "tests" / "sim"
PAGE = (SOURCES / "README.md").read_text(encoding="utf-8")
SCENARIOS = run_seeds.all_scenarios()


def named() -> list[tuple[str, str]]:
    """Pairs of a file and a scenario, in the order of the page: the names after a file are looked for in it."""
    pairs = []
    for line in PAGE.splitlines():
        source = ""
        for name in re.findall(r"`(\w+(?:\.c)?)`", line):
            if name.startswith("test_"):
                source = name
            elif source:
                pairs.append((source, name))
    return pairs


def test_the_page_names_scenarios():
    assert len(named()) > 30


@pytest.mark.parametrize(("source", "name"), named(), ids=[name for _, name in named()])
def test_scenario_exists(source, name):
    assert (name, f"sim_{source.removesuffix('.c')}") in {(known.name, known.program) for known in SCENARIOS}


def test_no_two_scenarios_have_one_name():
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(names) == sorted(set(names)), "a name alone replays a scenario"


@pytest.mark.parametrize("source", sorted(SOURCES.glob("test_*.c")), ids=lambda source: source.stem)
def test_what_is_defined_is_run(source):
    text = source.read_text(encoding="utf-8")
    defined = set(re.findall(r"^(?:LARGE_|HUGE_)?SCENARIO\((\w+)\)", text, re.MULTILINE))
    assert defined <= {scenario.name for scenario in run_seeds.read_scenarios(source)}


def test_small_scenarios_have_five_seeds_each():
    jobs = run_seeds.small_jobs(SCENARIOS, 200)
    assert {job.scenario for job in jobs} == {scenario for scenario in SCENARIOS if not scenario.is_large}
    assert min(job.count for job in jobs) >= 5
    assert max(job.first + job.count for job in jobs) >= 200
