"""What pytest gets from peergraph: the fixture `peer_network`, and coroutine tests that run in virtual time.

    async def test_a_lock_is_free_again(peer_network):
        alice, bob = peer_network.add_hosts("alice", "bob")
        ...
        await asyncio.sleep(3600)

docs/simulator.md tells more. pytest loads this by itself in every project, so it stands beside peergraph, not in it:
nothing of peergraph is imported before a test asks for a network.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from peergraph.sim import Network

FIXTURE: Final = "peer_network"
network_of: Final = pytest.StashKey["Network"]()
FIRST: Final = 1
"""The seed, if none is given."""
LINES: Final = 30
SEEDS_MAX: Final = 1_000_000
MARKER: Final = (
    "peer_network(seeds=N, seed=S, **options): how often a test is repeated, with which seed it begins, "
    "and arguments for peergraph.sim.Network"
)


# -- options -----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("peergraph", "simulated networks of peers")
    group.addoption(
        "--peer-seed",
        metavar="SEED",
        default=None,
        help=f"the first seed of simulated networks, or 'random'. Default: {FIRST}",
    )
    group.addoption(
        "--peer-seeds",
        metavar="N",
        type=int,
        default=None,
        help="repeat each test that uses peer_network with so many seeds, one after the other. Default: 1",
    )
    group.addoption(
        "--peer-trace",
        metavar="LINES",
        type=int,
        default=LINES,
        help="how many of the last lines of the trace are shown when a test fails. Default: %(default)s",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Checks the options, and chooses a seed if any will do."""
    config.addinivalue_line("markers", MARKER)
    option = config.option
    option.peer_seed = getattr(config, "workerinput", {}).get("peer_seed", option.peer_seed)
    if option.peer_seed is not None:
        option.peer_seed = _seed(option.peer_seed)
    if option.peer_seeds is not None and not 1 <= option.peer_seeds <= SEEDS_MAX:
        raise pytest.UsageError(f"--peer-seeds is {option.peer_seeds}, not from 1 to {SEEDS_MAX:,}")


def _seed(text: str | int) -> int:
    """A seed as it was given, or any."""
    if text == "random":
        import secrets

        return secrets.randbits(32)
    try:
        seed = int(str(text), 0)
    except ValueError:
        raise pytest.UsageError(f"--peer-seed is {text!r}, neither a number nor 'random'") from None
    if not 0 <= seed < 1 << 64:
        raise pytest.UsageError(f"--peer-seed is {seed}, not from 0 to 2^64 - 1")
    return seed


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist has the seed that was chosen here."""
    node.workerinput["peer_seed"] = node.config.option.peer_seed


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The seeds, if they were chosen."""
    first, count = config.option.peer_seed, config.option.peer_seeds or 1
    if first is None and count == 1:
        return []
    first = FIRST if first is None else first
    return [f"peergraph: seed {first}" + (f" to {first + count - 1}" if count > 1 else "")]


# -- seeds -------------------------------------------------------------------------------------------------------------


def _marked(node: Any) -> dict[str, Any]:
    marker = node.get_closest_marker(FIXTURE)
    if marker is None:
        return {}
    if marker.args:
        raise pytest.UsageError(f"{node.nodeid}: the marker peer_network takes keywords only")
    return dict(marker.kwargs)


def _first_seed(config: pytest.Config, marked: dict[str, Any]) -> int:
    given: int | None = config.option.peer_seed
    return int(marked.get("seed", FIRST)) if given is None else given


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeats a test over seeds. A seed on the command line is meant alone unless their number is given too."""
    if FIXTURE not in metafunc.fixturenames:
        return
    option = metafunc.config.option
    marked = _marked(metafunc.definition)
    count = option.peer_seeds
    if count is None:
        count = marked.get("seeds", 1) if option.peer_seed is None else 1
    if count > 1:
        first = _first_seed(metafunc.config, marked)
        seeds = range(first, first + count)
        metafunc.parametrize("peer_seed", seeds, ids=[f"seed{seed}" for seed in seeds], indirect=True)


# -- fixtures ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def peer_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run of the test."""
    param = getattr(request, "param", None)
    return _first_seed(request.config, _marked(request.node)) if param is None else int(param)


@pytest.fixture
def peer_network(request: pytest.FixtureRequest, peer_seed: int) -> Iterator[Network]:
    """A simulated network of peers: a peergraph.sim.Network with the seed of this run."""
    from . import _running

    options = _marked(request.node)
    for name in ("seed", "seeds"):
        options.pop(name, None)
    yield from _running.provide(request.node, peer_seed, options)


# -- running and reporting ---------------------------------------------------------------------------------------------


def _uses_network(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and FIXTURE in item.fixturenames


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use the fixture are run here, whoever else would like to run coroutines."""
    users = [item for item in items if _uses_network(item)]
    if users:
        from . import _running

        for item in users:
            _running.take_over(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each example of hypothesis has a network of its own, so that the fixture may be used with it."""
    if _uses_network(item) and hasattr(getattr(item, "obj", None), "hypothesis"):
        from . import _examples

        _examples.allow(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure comes with the seed, the command that replays it, and the end of the trace."""
    report = yield
    if report.failed and network_of in item.stash:
        from . import _failure

        _failure.add_to(report, item)
    return report
