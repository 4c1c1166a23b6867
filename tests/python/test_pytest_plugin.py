"""What pytest gets from the package, alone and beside others who run coroutines."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from peergraph_pytest._failure import replay_command

pytestmark = pytest.mark.processes

COROUTINES = """
import asyncio
import time
import pytest
import peergraph.aio as peergraph

async def main():
    async with peergraph.open_runtime() as runtime, runtime.create_graph("g", peer_id="p") as graph:
        await asyncio.sleep(3600)
        return graph.now().hour

async def test_coroutine(peer_network):
    assert await peer_network.add_host().start(main) == 1
    await asyncio.sleep(1e5 - 3600 - 1e4)
    assert peer_network.now == 9e4

class TestMethods:
    async def test_method(self, peer_network):
        await asyncio.sleep(7200)
        assert peer_network.now == 7200

@pytest.mark.parametrize("hours", [1, 2])
async def test_with_parameters(hours, peer_network):
    await asyncio.sleep(3600 * hours)
    assert peer_network.now == 3600 * hours

def test_plain(peer_network):
    assert peer_network.add_host().run(main) == 1

def test_without():
    pass
"""


@pytest.fixture
def run(pytester):
    """Runs pytest in a process of its own, as a user does."""

    def run(source, *options, ini=""):
        pytester.makepyfile(test_it=source)
        pytester.makeini(f"[pytest]\nfilterwarnings = error\n{ini}")
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:timeout", *options)

    return run


NO_OTHERS = ("-p", "no:asyncio", "-p", "no:anyio", "-p", "no:xdist", "-p", "no:hypothesispytest")


def test_alone(run):
    run(COROUTINES, *NO_OTHERS).assert_outcomes(passed=6)


LOOP_SCOPE = "asyncio_default_fixture_loop_scope = function\n"


def test_beside_pytest_asyncio_strict(run):
    other = """
@pytest.mark.asyncio
async def test_marked(peer_network):
    await asyncio.sleep(3600)
    assert peer_network.now == 3600

@pytest.mark.asyncio
async def test_of_the_other():
    await asyncio.sleep(0)
    assert type(asyncio.get_running_loop()).__name__ != "VirtualLoop"
"""
    run(COROUTINES + other, ini=f"asyncio_mode = strict\n{LOOP_SCOPE}").assert_outcomes(passed=8)


def test_beside_pytest_asyncio_auto(run):
    other = """
async def test_of_the_other():
    await asyncio.sleep(0)
    assert type(asyncio.get_running_loop()).__name__ != "VirtualLoop"
"""
    run(COROUTINES + other, ini=f"asyncio_mode = auto\n{LOOP_SCOPE}").assert_outcomes(passed=7)


def test_beside_anyio(run):
    other = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"

async def test_of_the_other():
    await asyncio.sleep(0)
    assert type(asyncio.get_running_loop()).__name__ != "VirtualLoop"
"""
    run(COROUTINES + other, "-p", "no:asyncio").assert_outcomes(passed=7)


def test_beside_xdist(run):
    result = run(COROUTINES, "-n", "2", "--peer-seeds", "3", "-p", "no:asyncio")
    result.assert_outcomes(passed=16)


def test_a_random_seed_is_one_for_all_workers(run):
    source = """
def test_one(peer_seed):
    assert peer_seed == 0
def test_two(peer_seed):
    assert peer_seed == 0
"""
    result = run(source, "-n", "2", "--peer-seed", "random", "-p", "no:asyncio")
    result.assert_outcomes(failed=2)
    seeds = set(re.findall(r"^E +assert (\d+) == 0", result.stdout.str(), re.MULTILINE))
    assert len(seeds) == 1


def test_beside_hypothesis(run):
    source = """
import asyncio
from hypothesis import given, settings, strategies as st

networks = set()

@given(seconds=st.integers(0, 80000))
@settings(max_examples=20, deadline=None)
async def test_coroutine(peer_network, seconds):
    assert peer_network not in networks
    networks.add(peer_network)
    assert peer_network.now == 0
    await asyncio.sleep(seconds)
    assert peer_network.now == seconds

@given(count=st.integers(0, 20))
@settings(max_examples=20, deadline=None)
def test_plain(peer_network, count):
    peer_network.add_hosts(count)
    assert len(peer_network.hosts) == count

@given(seconds=st.integers(0, 1000))
@settings(deadline=None)
async def test_that_fails(peer_network, seconds):
    peer_network.note(f"slept {seconds}")
    assert seconds < 100
"""
    result = run(source, "--peer-seed", "9", "-p", "no:asyncio")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*seconds=100,*", "seed 9, 0 hosts, *", "replay: *", '*"note":"slept 100"*'])


def test_hypothesis_with_a_network_that_another_fixture_holds(run):
    source = """
import asyncio
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

@pytest.fixture
def host(peer_network):
    return peer_network.add_host("alice")

@given(number=st.integers())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_it(host, number):
    assert asyncio.get_running_loop() is host.network.loop
    await asyncio.sleep(1)
"""
    run(source, "-p", "no:asyncio").assert_outcomes(passed=1)


def test_an_example_that_calls_fail_shows_its_own_network(run):
    source = """
import pytest
from hypothesis import given, settings, strategies as st

@given(number=st.integers(0, 100))
@settings(deadline=None)
def test_it(peer_network, number):
    peer_network.add_hosts(2)
    if number > 20:
        pytest.fail("too much")
"""
    result = run(source, "-p", "no:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["seed 1, 2 hosts, *"])
    result.stdout.no_fnmatch_line("*peergraph_pytest*")


def test_hypothesis_still_speaks_of_other_fixtures(run):
    source = """
import pytest
from hypothesis import given, strategies as st

@pytest.fixture
def other():
    return 1

@given(number=st.integers())
def test_it(peer_network, other, number):
    pass
"""
    result = run(source, "-p", "no:asyncio")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*FailedHealthCheck*unction-scoped fixture*"])


# -- seeds and failures ------------------------------------------------------------------------------------------------

FAILING = """
def test_it(peer_network):
    alice = peer_network.add_host("alice")
    alice.runtime.create_graph("g", peer_id="p")
    peer_network.run_for(12.5)
    peer_network.note("almost there")
    assert peer_network.seed != 4
"""


def test_a_failure_comes_with_all_that_replays_it(run):
    result = run(FAILING, "--peer-seeds", "5", "--peer-trace", "2", *NO_OTHERS)
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        [
            "peergraph: seed 1 to 5",
            "*_ test_it?seed4? _*",
            "*- peer_network -*",
            "seed 4, 1 host, failed at 12.500000 virtual seconds",
            "replay: pytest test_it.py::test_it --peer-seed=4 --peer-seeds=1",
            "the last 2 lines of the trace:",
            '  {"t":12500000,"note":"almost there"}',
        ]
    )
    again = run(FAILING, "test_it.py::test_it", "--peer-seed=4", "--peer-seeds=1", *NO_OTHERS)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["peergraph: seed 4", "seed 4, 1 host, failed at 12.500000 virtual seconds"])


def test_the_replay_is_for_where_pytest_was_called(run, pytester, monkeypatch):
    pytester.mkdir("below")
    run(FAILING)
    (pytester.path / "below" / "test_it.py").write_bytes((pytester.path / "test_it.py").read_bytes())
    for called_in, named in ((pytester.path, "below/test_it.py"), (pytester.path / "below", "test_it.py")):
        monkeypatch.chdir(called_in)
        result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--peer-seed=4", named, *NO_OTHERS)
        result.stdout.fnmatch_lines([f"replay: pytest {named}::test_it --peer-seed=4 --peer-seeds=1"])


def test_a_failure_is_told_whatever_else_is_shown(run, pytester):
    source = """
import pytest

@pytest.fixture
def ends_badly(peer_network):
    yield
    assert not "at the end"

def test_in_the_end(ends_badly):
    pass

def test_without_traceback(peer_network):
    pytest.fail("so it is", pytrace=False)
"""
    result = run(source, "--peer-seed=7", *NO_OTHERS)
    result.assert_outcomes(passed=1, errors=1, failed=1)
    result.stdout.fnmatch_lines(["replay: * --peer-seed=7 *"] * 2)
    result = run(FAILING, "--peer-seed=4", "--show-capture=no", "--junit-xml=junit.xml", *NO_OTHERS)
    result.stdout.fnmatch_lines(["replay: * --peer-seed=4 *"])
    assert "replay: pytest test_it.py::test_it --peer-seed=4" in (pytester.path / "junit.xml").read_text()


def test_a_traceback_shows_the_test_and_the_program_only(run):
    source = """
import asyncio

async def fail():
    await asyncio.sleep(1)
    raise ValueError("so it is")

def test_it(peer_network):
    peer_network.add_host("alice").start(fail)
    peer_network.run_for(60)
"""
    result = run(source, *NO_OTHERS)
    places = re.findall(r"^(\S+):\d+: ", result.stdout.str(), re.MULTILINE)
    assert places == ["test_it.py", "test_it.py"]


@pytest.mark.parametrize(
    ("nodeid", "bare"),
    [
        ("test_it.py::test_it", "test_it.py::test_it"),
        ("test_it.py::test_it[seed17]", "test_it.py::test_it"),
        ("test_it.py::test_it[seed17-b]", "'test_it.py::test_it[b]'"),
        ("test_it.py::test_it[a-seed17]", "'test_it.py::test_it[a]'"),
        ("test_it.py::test_it[a-seed17-b]", "'test_it.py::test_it[a-b]'"),
        ("test_it.py::test_it[a-seed170-b]", "'test_it.py::test_it[a-seed170-b]'"),
    ],
)
def test_the_command_of_a_replay(nodeid, bare):
    assert replay_command(nodeid, 17) == f"pytest {bare} --peer-seed=17 --peer-seeds=1"


def test_a_program_that_fails_fails_its_test(run):
    source = """
import asyncio

async def fail():
    raise ValueError("so it is")

def test_seen_at_the_end(peer_network):
    peer_network.add_host("alice").start(fail)
    peer_network.loop.settle()

async def test_seen_while_time_passes(peer_network):
    peer_network.add_host("alice").start(fail)
    await asyncio.sleep(1)
"""
    result = run(source, *NO_OTHERS)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E * ValueError: so it is", "seed 1, 1 host, failed at *"])


def test_a_marker_says_how_often_and_with_what(run):
    source = """
import asyncio
import pytest

@pytest.mark.peer_network(seeds=3, seed=100)
def test_seeds(peer_network):
    assert peer_network.seed in (100, 101, 102)

@pytest.mark.peer_network(time_limit=60)
async def test_limit(peer_network):
    while True:
        await asyncio.sleep(1)
"""
    result = run(source, "--strict-markers", *NO_OTHERS)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["E * the network has run for its limit of 60.0 virtual seconds*"])
    run(source, "--peer-seed=101", "-k", "seeds", *NO_OTHERS).assert_outcomes(passed=1, deselected=1)
    run(source, "--peer-seed=1", "-k", "seeds", *NO_OTHERS).assert_outcomes(failed=1, deselected=1)


def test_a_test_that_waits_for_ever_ends(run):
    source = """
import asyncio

async def test_it(peer_network):
    await asyncio.Event().wait()
"""
    result = run(source, *NO_OTHERS)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*SimulationIdle: nothing will ever happen after 0.0 s*", "*test_it (test_it.py:4)*"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--peer-seed=x"], "--peer-seed is 'x', neither a number nor 'random'"),
        (["--peer-seed=-1"], "--peer-seed is -1, not from 0"),
        (["--peer-seeds=0"], "--peer-seeds is 0, not from 1"),
    ],
)
def test_options_that_make_no_sense(run, options, said):
    result = run(FAILING, *options, *NO_OTHERS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}*"])


def test_a_unittest_may_have_a_network_too(run):
    source = """
import unittest
import pytest

class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def network(self, peer_network):
        self.network = peer_network

    def setUp(self):
        self.host = self.network.add_host("alice")

    def test_it(self):
        self.assertEqual([self.host], list(self.network.hosts))
"""
    run(source, *NO_OTHERS).assert_outcomes(passed=1)


def test_who_does_not_use_it_does_not_pay(run):
    source = """
import sys

def test_it():
    assert "peergraph_pytest" in sys.modules
    assert "peergraph" not in sys.modules
    assert False
"""
    run(source, *NO_OTHERS, "-W", "error").stdout.fnmatch_lines(["E       assert False"])
    source = """
def test_it(request):
    assert not request.config.pluginmanager.has_plugin("peergraph")
"""
    run(source, "-p", "no:peergraph", *NO_OTHERS).assert_outcomes(passed=1)


def test_the_package_does_not_import_pytest():
    code = "import sys, peergraph, peergraph.aio, peergraph.sim; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
