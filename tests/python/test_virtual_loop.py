"""The event loop in virtual time: what a program finds there, and what it is refused."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid

import pytest
from peergraph.sim import Network, NotSimulated, SimulationError, SimulationIdle


@pytest.fixture
def network():
    with Network(1) as network:
        yield network


@pytest.fixture
def host(network):
    return network.add_host("alice")


def test_sleeping_takes_no_time(network):
    async def main():
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(1e6)
        return loop.time() - began

    assert network.run(main) == 1e6
    assert network.now == 1e6


def test_timers_fire_in_order_and_at_their_moment(network):
    async def main():
        fired = []
        loop = asyncio.get_running_loop()
        for seconds in (0.3, 0.1, 0.2, 86400 * 30, 0.1):
            loop.call_later(seconds, lambda seconds=seconds: fired.append((seconds, loop.time())))
        loop.call_later(0.15, loop.call_later(0.25, fired.append, "cancelled").cancel)
        await asyncio.sleep(86400 * 31)
        return fired

    expected = [0.1, 0.1, 0.2, 0.3, 86400 * 30]
    assert network.run(main) == [(seconds, pytest.approx(seconds, abs=1e-6)) for seconds in expected]


def test_time_outs(network):
    async def main():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 5)
        return await asyncio.wait_for(asyncio.sleep(4, "in time"), 5)

    assert network.run(main) == "in time"
    assert network.now == pytest.approx(9)


def test_synchronization_between_tasks(network):
    async def main():
        queue = asyncio.Queue(2)
        log = []

        async def producer():
            for number in range(5):
                await queue.put(number)
                await asyncio.sleep(1)
            await queue.put(None)

        async def consumer():
            while (item := await queue.get()) is not None:
                log.append((asyncio.get_running_loop().time(), item))

        await asyncio.gather(producer(), consumer())
        return log

    assert network.run(main) == [(float(number), number) for number in range(5)]


def test_executors_run_inline(network):
    async def main():
        assert await asyncio.to_thread(threading.get_ident) == threading.get_ident()
        loop = asyncio.get_running_loop()
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(None, lambda: 1 // 0)
        assert await loop.run_in_executor(None, lambda: asyncio._get_running_loop()) is None
        called = []
        await asyncio.to_thread(lambda: loop.call_soon_threadsafe(called.append, 1))
        await asyncio.sleep(0)
        return called

    assert network.run(main) == [1]
    assert network.now == 0


def test_what_nobody_waits_for_any_more_is_not_run(network):
    async def main():
        called = []
        asyncio.get_running_loop().run_in_executor(None, called.append, 1).cancel()
        await asyncio.sleep(1)
        return called

    assert network.run(main) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda: asyncio.create_subprocess_exec(sys.executable, "-c", ""),
        lambda: asyncio.create_subprocess_shell("true"),
    ],
)
def test_subprocesses_are_refused(network, use):
    async def main():
        with pytest.raises(NotSimulated, match=r"subprocess_\w+\(\): a simulated host has no subprocesses"):
            await use()

    network.run(main)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda: socket.socket(), r"socket\(\): a simulated host has no sockets"),
        (lambda: socket.create_connection(("localhost", 80)), r"getaddrinfo\(\): a simulated host has no sockets"),
        (lambda: subprocess.run([sys.executable]), r"Popen\(\): a simulated host has no subprocesses"),
        (lambda: os.system("true"), r"system\(\): a simulated host has no subprocesses"),
        (lambda: os.fork(), r"fork\(\): a simulated host has no subprocesses"),
    ],
)
def test_a_host_refuses_them_also_where_no_loop_is_asked(host, network, use, said):
    async def main():
        with pytest.raises(NotSimulated, match=said):
            use()
        with pytest.raises(NotSimulated, match=said):
            await asyncio.to_thread(use)

    host.run(main)

    async def on_no_host():
        socket.socket().close()

    network.run(on_no_host)
    assert subprocess.run([sys.executable, "-c", ""]).returncode == 0


def test_sockets_are_refused(network):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.socket() as one:
            for use in (
                lambda: asyncio.open_connection("localhost", 80),
                lambda: asyncio.start_server(lambda *_: None, "localhost", 0),
                lambda: loop.sock_recv(one, 1),
                lambda: loop.create_datagram_endpoint(asyncio.DatagramProtocol, ("localhost", 0)),
                lambda: loop.getaddrinfo("localhost", 80),
                lambda: loop.getnameinfo(("::1", 80)),
            ):
                with pytest.raises(NotSimulated, match="a simulated host has no sockets"):
                    await use()
            with pytest.raises(NotSimulated, match=r"add_reader\(\)"):
                loop.add_reader(one, print)

    network.run(main)


def test_signals_are_refused_as_programs_expect(network):
    async def main():
        loop = asyncio.get_running_loop()
        with pytest.raises(NotImplementedError, match="no signals"):
            loop.add_signal_handler(signal.SIGTERM, print)

    network.run(main)


def test_who_waits_for_nothing_is_named(network):
    async def wait_for_nothing():
        await asyncio.Event().wait()

    with pytest.raises(
        SimulationIdle, match=r"nothing will ever happen after 0\.0 s(?s:.*)wait_for_nothing \(test_virtual_loop"
    ):
        network.run(wait_for_nothing)


def test_an_idle_network_with_graphs_is_found_out_too():
    async def main():
        import peergraph.aio as peergraph

        async with peergraph.open_runtime() as runtime, runtime.create_graph("g", peer_id="p") as graph:
            graph.listen()
            await asyncio.Event().wait()

    with (
        Network(1, idle_after=600) as network,
        pytest.raises(SimulationIdle, match=r"main on h1: main \(test_virtual_loop.py:\d+\) > wait \(locks.py:\d+\)"),
    ):
        network.add_host().run(main)


def test_a_task_that_lets_no_time_pass_is_found_out(network, monkeypatch):
    monkeypatch.setattr("peergraph._virtual_loop.TURNS_MAX", 1000)

    async def spin():
        while True:
            await asyncio.sleep(0)

    said = r"sleep\(0\) in a loop waits for ever.*\n.*spin: spin \(test_virtual_loop\.py:\d+\)"
    with pytest.raises(SimulationError, match=said):
        network.run(spin)


def test_programs_on_hosts_see_virtual_clocks_and_chance(host):
    async def main():
        first = [time.time(), time.monotonic(), time.perf_counter(), time.time_ns(), time.monotonic_ns()]
        await asyncio.sleep(60)
        second = [time.time(), time.monotonic(), time.perf_counter(), time.time_ns(), time.monotonic_ns()]
        passed = [after - before for before, after in zip(first, second, strict=True)]
        chance = random.random(), uuid.uuid4(), os.urandom(4), secrets.token_hex(4), random.SystemRandom().random()
        return time.gmtime(first[0])[:6], passed, *chance

    date, passed, *chance = host.run(main)
    assert date == (2026, 1, 1, 0, 0, 0)
    assert passed == pytest.approx([60, 60, 60, 60e9, 60e9])
    with Network(1) as again:
        assert again.add_host("alice").run(main)[2:] == tuple(chance)
    with Network(2) as other:
        others = other.add_host("alice").run(main)[2:]
        assert all(one != another for one, another in zip(others, chance, strict=True))


def test_outside_of_hosts_the_clocks_are_real(network):
    before, state = time.time(), random.getstate()

    async def main():
        await asyncio.sleep(3600)
        random.random()
        return time.time()

    assert 0 <= network.run(main) - before < 3600
    assert random.getstate() == state


def test_a_network_may_leave_the_clocks_alone():
    async def main():
        await asyncio.sleep(1e9)
        return time.time()

    before = time.time()
    with Network(1, patch=False) as network:
        assert 0 <= network.add_host().run(main) - before < 1e9


def test_a_clock_that_is_wrong_is_wrong_for_programs(network):
    async def main():
        before = time.time()
        await asyncio.sleep(1000)
        return before, time.time() - before

    host = network.add_host(clock_offset=90, drift_ppm=1000)
    before, passed = host.run(main)
    assert before == pytest.approx(1767225600 + 90)
    assert passed == pytest.approx(1001, abs=0.01)


def test_in_the_loop_nothing_else_lets_time_pass(network, host):
    async def main():
        for use in (lambda: network.run_for(1), lambda: network.run(main), lambda: network.step(), network.close):
            with pytest.raises(SimulationError, match="coroutine"):
                use()

    network.run(main)


def test_steps_stop_at_every_timer(network):
    async def main():
        await asyncio.sleep(1)
        await asyncio.sleep(2)

    network.add_host().start(main)
    moments = []
    while network.step():
        moments.append(network.now)
    assert moments == pytest.approx([1, 3])
