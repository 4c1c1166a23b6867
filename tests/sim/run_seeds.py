"""Runs the simulated scenarios over many seeds; ./dev sim is its door.

run_seeds.py --programs FOLDER                     200 seeds, spread over the small scenarios, at least five for each
run_seeds.py --programs FOLDER --seeds 10000       the same with so many seeds, for a night
run_seeds.py --programs FOLDER --full              also one seed of each large scenario, for minutes
run_seeds.py --programs FOLDER --seed 17 NAME      one scenario with one seed, to look at a failure
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
SEEDS_EACH_MIN = 5
# So many scenarios share a number of seeds: 200 seeds are five for each.
SHARE = 40
LARGE = {"PEER_SIM_LARGE": "1", "PEER_SIM_HUGE": "1"}


@dataclass(frozen=True)
class Scenario:
    """One scenario, and the program it is in."""

    name: str
    program: str
    is_large: bool


@dataclass(frozen=True)
class Job:
    """A scenario with a few seeds in a row."""

    scenario: Scenario
    first: int
    count: int

    def environment(self) -> dict[str, str]:
        chosen = {"PEER_SIM_ONLY": self.scenario.name, "PEER_SIM_SEED": str(self.first)}
        seeds = LARGE if self.scenario.is_large else {"PEER_SIM_SEEDS": str(self.count)}
        return os.environ | chosen | seeds


def read_scenarios(source: Path) -> Iterator[Scenario]:
    """What stands in the list of tests of a program."""
    text = source.read_text(encoding="utf-8")
    large = set(re.findall(r"(?:LARGE_SCENARIO\(|HUGE_SCENARIO\(|scenario_run_large\(|scenario_run_huge\()(\w+)", text))
    for name in re.findall(r"SCENARIO_TEST\((\w+)\)|\{\"(\w+)\", run_", text):
        known = "".join(name)
        yield Scenario(known, f"sim_{source.stem}", known in large)


def all_scenarios() -> list[Scenario]:
    return [scenario for source in sorted(SOURCES.glob("test_*.c")) for scenario in read_scenarios(source)]


def small_jobs(scenarios: list[Scenario], seeds: int) -> list[Job]:
    """Seeds 1 to `seeds`, dealt out in turn, so that each of them is used somewhere."""
    count = max(SEEDS_EACH_MIN, -(-seeds // SHARE))
    small = [scenario for scenario in scenarios if not scenario.is_large]
    return [Job(scenario, count * index % seeds + 1, count) for index, scenario in enumerate(small)]


def run(programs: Path, job: Job) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [programs / job.scenario.program],
        env=job.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )


def first_bad_seed(programs: Path, job: Job, output: str) -> int:
    """The scenario says its seed, unless the program broke down altogether."""
    told = re.search(r"^SEED (\d+):", output, re.MULTILINE)
    if told:
        return int(told.group(1))
    for seed in range(job.first, job.first + job.count):
        if run(programs, Job(job.scenario, seed, 1)).returncode:
            return seed
    return job.first


def run_jobs(programs: Path, jobs: list[Job]) -> int:
    failures = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for job, result in zip(jobs, pool.map(lambda job: run(programs, job), jobs), strict=True):
            if result.returncode:
                print(result.stdout, flush=True)
                failures.append((job.scenario.name, first_bad_seed(programs, job, result.stdout)))
    for name, seed in failures:
        print(f"{name} fails with seed {seed}; replay: ./dev sim --seed {seed} {name}")
    return 1 if failures else 0


def replay(programs: Path, scenarios: list[Scenario], seed: int, name: str) -> int:
    for scenario in scenarios:
        if scenario.name == name:
            job = Job(scenario, seed, 1)
            return subprocess.run([programs / scenario.program], env=job.environment(), check=False).returncode
    sys.exit(f"there is no scenario {name!r}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev sim", description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true", help="also one seed of each large scenario")
    parser.add_argument("--seeds", type=int, default=200, metavar="N", help="seeds over the small scenarios (200)")
    parser.add_argument("--seed", type=int, metavar="N", help="replay one seed of the scenario NAME")
    parser.add_argument("name", nargs="?", metavar="NAME")
    options = parser.parse_args()
    if (options.seed is None) != (options.name is None) or options.seeds < 1:
        parser.error("--seed needs a scenario's name, and a name needs --seed; --seeds is at least 1")
    scenarios = all_scenarios()
    if options.seed is not None:
        return replay(options.programs, scenarios, options.seed, options.name)
    large = [Job(scenario, 1, 1) for scenario in scenarios if scenario.is_large] if options.full else []
    jobs = large + small_jobs(scenarios, options.seeds)  # what takes longest begins first
    began = time.monotonic()
    code = run_jobs(options.programs, jobs)
    runs = sum(job.count for job in jobs)
    print(f"{len(jobs)} scenarios, {runs} runs, {time.monotonic() - began:.0f} s")
    return code


if __name__ == "__main__":
    sys.exit(main())
