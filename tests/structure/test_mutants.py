"""The broken engines of tests/mutants still fit the sources: whether they are noticed, ./dev mutants finds out."""

from __future__ import annotations

import re
import subprocess

import pytest
from mutants import mutants
from structure.checks import ROOT

MUTANTS = mutants.all_mutants()


def test_there_are_mutants():
    assert len(MUTANTS) >= 10


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_applies(mutant):
    command = ["git", "apply", "--check", str(mutant.path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"make tests/mutants/{mutant.path.name} anew: {result.stderr}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_names_programs_that_exist(mutant):
    assert re.fullmatch(r"[A-Z].*\.", mutant.what), "the first line says in a sentence what is broken"
    for program in mutant.programs:
        assert (ROOT / "tests" / "sim" / f"{program}.c").is_file(), program
