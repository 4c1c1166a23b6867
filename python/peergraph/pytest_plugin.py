"""What pytest gets from this package: the fixture `peer_network`, and coroutine tests that run in virtual time.

    async def test_a_lock_is_free_again(peer_network):
        alice, bob = peer_network.add_hosts("alice", "bob")
        ...
        await asyncio.sleep(3600)

docs/simulator.md tells more. pytest loads this module by itself; nothing else imports it.
"""

from __future__ import annotations

import functools
import inspect
import re
import secrets
import shlex
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from .sim import Network

FIXTURE: Final = "peer_network"
DAY: Final = 86_400.0
"""How long a test may run, in virtual seconds, unless its marker says otherwise: a test that never ends is no test."""
LINES: Final = 30
SEEDS_MAX: Final = 1_000_000
MARKER: Final = (
    "peer_network(seeds=N, seed=S, **options): how often a test is repeated, with which seed it begins, "
    "and arguments for peergraph.sim.Network"
)

_network_of = pytest.StashKey["Network"]()
_told = pytest.StashKey[str]()


# -- options -----------------------------------------------------------------------------------------------------------


def _seed(text: str) -> int | None:
    """A seed as it was given; None: any."""
    if text == "random":
        return None
    try:
        seed = int(text, 0)
    except ValueError:
        raise pytest.UsageError(f"--peer-seed is {text!r}, neither a number nor 'random'") from None
    if not 0 <= seed < 1 << 64:
        raise pytest.UsageError(f"--peer-seed is {seed}, not from 0 to 2^64 - 1")
    return seed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the command line."""
    group = parser.getgroup("peergraph", "simulated networks of peers")
    group.addoption(
        "--peer-seed", metavar="SEED", default="1", help="the first seed of simulated networks, or 'random'. Default: 1"
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
    from_controller = getattr(config, "workerinput", {}).get("peer_seed")
    seed = _seed(from_controller or config.option.peer_seed)
    if seed is None:
        seed = secrets.randbits(32)
    config.option.peer_seed = str(seed)
    count = config.option.peer_seeds
    if count is not None and not 1 <= count <= SEEDS_MAX:
        raise pytest.UsageError(f"--peer-seeds is {count}, not from 1 to {SEEDS_MAX:,}")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker of pytest-xdist has the seed that was chosen here."""
    node.workerinput["peer_seed"] = node.config.option.peer_seed


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The seeds, if they are not the usual one."""
    first, count = int(config.option.peer_seed), config.option.peer_seeds or 1
    if (first, count) == (1, 1):
        return []
    return [f"peergraph: seed {first}" + (f" to {first + count - 1}" if count > 1 else "")]


def _marked(node: Any) -> dict[str, Any]:
    marker = node.get_closest_marker(FIXTURE)
    if marker is None:
        return {}
    if marker.args:
        raise pytest.UsageError(f"{node.nodeid}: the marker peer_network takes keywords only")
    return dict(marker.kwargs)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeats a test over seeds. A seed on the command line is meant alone unless their number is given too."""
    if FIXTURE not in metafunc.fixturenames:
        return
    option = metafunc.config.option
    marked = _marked(metafunc.definition)
    count = option.peer_seeds
    if count is None:
        count = marked.get("seeds", 1) if option.peer_seed == "1" else 1
    if count > 1:
        first = _first_seed(metafunc.config, marked)
        seeds = range(first, first + count)
        metafunc.parametrize("peer_seed", seeds, ids=[f"seed{seed}" for seed in seeds], indirect=True)


def _first_seed(config: pytest.Config, marked: dict[str, Any]) -> int:
    given = int(config.option.peer_seed)
    return int(marked.get("seed", given)) if given == 1 else given


# -- fixtures ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def peer_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this run of the test."""
    param = getattr(request, "param", None)
    return _first_seed(request.config, _marked(request.node)) if param is None else int(param)


@pytest.fixture
def peer_network(request: pytest.FixtureRequest, peer_seed: int) -> Iterator[Network]:
    """A simulated network of peers: a peergraph.sim.Network with the seed of this run."""
    network = _open(request.node, peer_seed)
    request.node.stash[_network_of] = network
    yield network
    network.close()


def _open(node: Any, seed: int) -> Network:
    from .sim import Network

    options = {"time_limit": DAY, **_marked(node)}
    for name in ("seed", "seeds"):
        options.pop(name, None)
    return Network(seed, **options)


# -- tests that are coroutines -----------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use the fixture are run here, whoever else would like to run coroutines."""
    for item in items:
        if isinstance(item, pytest.Function) and FIXTURE in item.fixturenames:
            item.runtest = functools.partial(_run_test, item)  # type: ignore[method-assign]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each example of hypothesis has a network of its own, so that the fixture may be used with it."""
    if isinstance(item, pytest.Function) and FIXTURE in item.fixturenames and hasattr(item.obj, "hypothesis"):
        _allow_hypothesis(item)


def _run_test(item: pytest.Function) -> None:
    """Runs a test as pytest.Function does, but a coroutine function in the loop of its network."""
    function = item.obj
    if hasattr(function, "hypothesis"):
        with _examples(item, function.hypothesis):
            pytest.Function.runtest(item)
        return
    network = item.stash[_network_of]

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        __tracebackhide__ = True
        _run_in(network, function, args, kwargs)

    item.obj = run
    try:
        pytest.Function.runtest(item)
    finally:
        item.obj = function


def _run_in(network: Network, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    __tracebackhide__ = True
    if inspect.iscoroutinefunction(function):
        network.run(functools.partial(function, *args, **kwargs))
    else:
        function(*args, **kwargs)
    network.raise_failures()


# -- hypothesis --------------------------------------------------------------------------------------------------------


class _examples:  # noqa: N801 (used as a function)
    """While a test of hypothesis runs, each example gets a network of its own."""

    def __init__(self, item: pytest.Function, handle: Any) -> None:
        self._item = item
        self._handle = handle
        self._inner = handle.inner_test

    def __enter__(self) -> None:
        item, inner = self._item, self._inner
        seed = item.stash[_network_of].seed

        def run(*args: Any, **kwargs: Any) -> None:
            __tracebackhide__ = True
            network = _open(item, seed)
            try:
                if FIXTURE in kwargs:
                    kwargs[FIXTURE] = network
                _run_in(network, inner, args, kwargs)
            except Exception:
                item.stash[_told] = _tell(item, network)
                raise
            finally:
                network.close()

        run.__name__, run.__qualname__, run.__doc__ = inner.__name__, inner.__qualname__, inner.__doc__
        self._handle.inner_test = run

    def __exit__(self, *exception: object) -> None:
        self._handle.inner_test = self._inner


def _allow_hypothesis(item: pytest.Function) -> None:
    """Hypothesis refuses fixtures that are not made anew for each example; ours is."""
    from hypothesis import HealthCheck, settings  # type: ignore[import-not-found, unused-ignore]

    ours = {FIXTURE, "peer_seed"}
    names = set(inspect.signature(item.function).parameters)
    known = item._fixtureinfo.name2fixturedefs
    if any(known[name][-1].scope == "function" for name in names - ours if name in known):
        return  # it has something to say about another fixture
    function = getattr(item.obj, "__func__", item.obj)
    given: Any = getattr(function, "_hypothesis_internal_use_settings", settings.default)
    function._hypothesis_internal_use_settings = settings(
        parent=given,
        suppress_health_check={HealthCheck.function_scoped_fixture} | set(given.suppress_health_check),
    )


# -- what is said of a failure -----------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure comes with the seed, the command that replays it, and the end of the trace."""
    report = yield
    network = item.stash.get(_network_of, None)
    if report.failed and network is not None:
        told = item.stash.get(_told, None) or ("" if network.closed else _tell(item, network))
        if told:
            report.sections.append(("peer_network", told))
    return report


def _tell(item: pytest.Item, network: Network) -> str:
    lines_max = max(0, item.config.option.peer_trace)
    trace = network.trace
    shown = trace[len(trace) - min(lines_max, len(trace)) :]
    lines = [
        f"seed {network.seed}, {len(network.hosts)} hosts, failed at {network.now:.6f} virtual seconds",
        f"replay: {replay_command(item.nodeid, network.seed)}",
    ]
    if shown:
        lines.append(f"the last {len(shown)} lines of the trace:")
    return "\n".join([*lines, *(f"  {line}" for line in shown)])


def replay_command(nodeid: str, seed: int) -> str:
    """The command that runs one test with one seed."""
    bare = re.sub(rf"(?<=\[)seed{seed}-|-seed{seed}(?=[-\]])|\[seed{seed}\]", "", nodeid, count=1)
    return f"pytest {shlex.quote(bare)} --peer-seed={seed} --peer-seeds=1"
