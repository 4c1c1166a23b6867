"""A network that falls in two and comes together again: real sockets, each process in a network of its own.

The members p1 and p2 are at one switch, p3 and p4 at another, and a cable joins the switches. Whoever pulls it tells
nobody. Where connections have to end at once and not after 100 s of silence, the switches take the addresses of those
whom they cannot reach, and answer in their place that they know of no connection.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys

import pytest
from python.members import Process, digest, write, write_and_compare

pytestmark = pytest.mark.processes

NAMES = ("p1", "p2", "p3", "p4")
SIDE = {"p1": "left", "p2": "left", "p3": "right", "p4": "right"}
SIDES = ("left", "right")
ADDRESS = {name: f"10.9.9.{number}/24" for number, name in enumerate(NAMES, 1)}


IP = shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") or ""


def ip(*words: str) -> None:
    result = subprocess.run([IP, *words], capture_output=True, text=True, check=False)
    if result.returncode:
        raise OSError(f"ip {' '.join(words)}: {result.stderr.strip()}")


class Net:
    """The networks of the members, and one for each switch."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.prefix = f"peergraph{os.getpid()}"
        for name in (*SIDES, *NAMES):
            ip("netns", "add", self.of(name))
            stack.callback(ip, "netns", "delete", self.of(name))
        for side in SIDES:
            self.at(side, "link", "add", "switch", "type", "bridge")
            self.at(side, "link", "set", "switch", "up")
        self.at("left", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.of("right"))
        for side in SIDES:
            self.plug_in("cable", side)
        for name in NAMES:
            self.add_member(name)

    def of(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def at(self, name: str, *words: str) -> None:
        ip("-n", self.of(name), *words)

    def plug_in(self, end: str, side: str) -> None:
        self.at(side, "link", "set", end, "master", "switch")
        self.at(side, "link", "set", end, "up")

    def add_member(self, name: str) -> None:
        self.at(SIDE[name], "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", self.of(name))
        self.plug_in(name, SIDE[name])
        self.at(name, "address", "add", ADDRESS[name], "dev", "eth0")
        self.at(name, "link", "set", "eth0", "up")

    def enter(self, name: str) -> list[str]:
        """What a command begins with that is run there."""
        return [IP, "netns", "exec", self.of(name)]

    def pull_the_cable(self) -> None:
        self.at("left", "link", "set", "cable", "down")

    def put_it_back(self) -> None:
        self.at("left", "link", "set", "cable", "up")

    def stand_in(self) -> None:
        """The switches take the addresses of the members at the other one."""
        for name in NAMES:
            (other,) = set(SIDES) - {SIDE[name]}
            self.at(other, "address", "add", ADDRESS[name], "dev", "switch")
        self.forget_who_is_where()

    def stand_back(self) -> None:
        for side in SIDES:
            self.at(side, "address", "flush", "dev", "switch")
        self.forget_who_is_where()

    def forget_who_is_where(self) -> None:
        for name in NAMES:
            self.at(name, "neighbour", "flush", "dev", "eth0")


@pytest.fixture
def net():
    if sys.platform != "linux" or not IP or os.geteuid() != 0:
        pytest.skip("networks of its own need Linux, the program ip (iproute2), and root")
    with contextlib.ExitStack() as stack:
        try:
            net = Net(stack)
        except OSError as error:
            pytest.skip(f"no networks of its own: {error}")
        yield net


@pytest.fixture
def members(net, tmp_path):
    with contextlib.ExitStack() as stack:
        yield [Process(stack, tmp_path, name, "automatic", "GLOBAL", net.enter(name)) for name in NAMES]


def join(members):
    """Each over the one before, so that each side holds together."""
    address = members[0].do(create="g")
    for member in members[1:]:
        address = member.do(join="g", address=address)


def falls_apart(net, members):
    """Both sides write, and have only what they wrote themselves."""
    net.pull_the_cable()
    write(members)
    assert digest(members[:2], 12) != digest(members[2:], 12)


def test_sides_that_lost_each_other_find_together(net, members):
    join(members)
    write_and_compare(members, 8)
    falls_apart(net, members)
    net.stand_in()
    for member, other in zip(members, ("p2", "p1", "p4", "p3"), strict=True):
        assert member.do(neighbours="g", peers=[other])
    net.stand_back()
    net.put_it_back()
    digest(members, 16)


def connections(members):
    return [set(json.loads(member.do(connections="g"))) for member in members]


def test_a_short_cut_costs_no_connection(net, members):
    join(members)
    write_and_compare(members, 8)
    before = connections(members)
    falls_apart(net, members)
    net.put_it_back()
    digest(members, 16)
    assert all(old and old <= new for old, new in zip(before, connections(members), strict=True))
