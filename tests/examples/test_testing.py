"""examples/testing: its tests pass, and they find out a protocol that does not work."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "testing"
OPTIONS = ("-p", "no:cacheprovider", "-p", "no:timeout", "-p", "no:asyncio", "-q")


@pytest.fixture
def run(pytester):
    """Runs the tests of the example, with another protocol if one is given."""

    def run(*options, replace=("", "")):
        text = (EXAMPLE / "duty.py").read_text(encoding="utf-8")
        assert replace[0] in text
        (pytester.path / "duty.py").write_text(text.replace(*replace), encoding="utf-8")
        (pytester.path / "test_duty.py").write_bytes((EXAMPLE / "test_duty.py").read_bytes())
        pytester.makeini("[pytest]\nfilterwarnings = error")
        return pytester.runpytest_subprocess(*OPTIONS, *options)

    return run


def test_the_example_passes(run):
    run("--peer-seeds", "3").assert_outcomes(passed=15)


def test_a_claim_that_is_not_renewed_in_time_is_found_out(run):
    result = run(replace=("LEASE / 3", "LEASE * 2"))
    assert result.parseoutcomes()["failed"] >= 3
    result.stdout.fnmatch_lines(
        ["*- peer_network -*", "replay: pytest test_duty.py::*", "the last 30 lines of the trace:"]
    )


def test_a_rule_by_which_nobody_stays_on_duty_is_found_out(run):
    result = run(replace=("claim.created_us", "claim.modified_us"))
    assert result.parseoutcomes()["failed"] >= 2
