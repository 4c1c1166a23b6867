"""What docs/simulator.md shows works."""

from __future__ import annotations

import re
from pathlib import Path

import peergraph.sim
import pytest

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_the_programs_of_the_page_pass(pytester):
    pytester.makepyfile(test_page="\n\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)))
    pytester.makeini("[pytest]\nfilterwarnings = error")
    options = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:timeout", "--peer-seeds", "3")
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=12)


@pytest.mark.parametrize("owner", ["network", "host"])
def test_the_names_of_the_page_exist(owner):
    network = peergraph.sim.Network()
    known = {"network": network, "host": network.add_host()}[owner]
    names = set(re.findall(rf"`{owner}\.(\w+)", PAGE))
    assert len(names) >= 8
    assert {name for name in names if not hasattr(known, name)} == set()
    network.close()
