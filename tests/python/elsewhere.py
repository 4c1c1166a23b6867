"""A machine whose addresses change: a network of its own, with one interface. Arguments: a data directory,
and the scope in which a graph listens.

Says as lines of JSON the addresses of a graph that listens: at first, when the interface has got a second address, when
it has lost the first, when it has been down and got a third. Each time waits until a raw neighbour has heard of it in
CONNECT, and for the event of this node's presence. {"skipped": WHY} if the machine allows no such network.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import sys

import peergraph
from peergraph import NodeChange, NodeChanged, Scope
from python.rubbish import auth_info, connect, framed
from python.scene import PATIENCE, wait_for

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCSIFFLAGS, SIOCSIFADDR = 0x8914, 0x8916
IFF_UP, IFF_RUNNING = 0x1, 0x40
CONNECT_FLAG_UPDATE = 0x08


class Interface:
    """The loopback interface of a new network, which takes other addresses as well."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
            print(json.dumps({"skipped": f"no network of its own: {os.strerror(ctypes.get_errno())}"}), flush=True)
            raise SystemExit
        self.control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def set_address(self, name: str, address: str) -> None:
        request = struct.pack("16sHH4s8x", name.encode(), socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(self.control, SIOCSIFADDR, request)

    def set_up(self, name: str, up: bool) -> None:
        fcntl.ioctl(self.control, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), (IFF_UP | IFF_RUNNING) * up))


class Neighbour:
    """Knows of the protocol only how to become a neighbour, and what CONNECT looks like."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.sendall(framed(auth_info("g")) + framed(connect(1)))

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            assert piece, "the node has hung up"
            data += piece
        return data

    def hear_of_addresses(self) -> None:
        while True:
            message = self.exactly(struct.unpack(">H", self.exactly(2))[0])
            if message[5] == 2 and message[8] & CONNECT_FLAG_UPDATE:
                return


def main() -> None:
    interface = Interface()
    interface.set_up("lo", True)
    interface.set_address("lo:1", "10.9.9.1")
    with peergraph.open_runtime(sys.argv[1]) as runtime:
        graph = runtime.create_graph("g", peer_id="p")
        with graph.events(NodeChanged) as events:
            scope = Scope[sys.argv[2]]
            graph.listen(scope=scope, scope_id=0 if scope == Scope.GLOBAL else socket.if_nametoindex("lo"))
            port = int(graph.address.rpartition(":")[2])
            neighbour = Neighbour(("10.9.9.1", port))

            def say() -> None:
                addresses = [address.rpartition(":")[0] for address in graph.node.addresses]
                print(json.dumps(addresses), flush=True)

            def is_told() -> None:
                neighbour.hear_of_addresses()
                wait_for(events, lambda event: event.node_id == 0 and event.change == NodeChange.UPDATED)
                say()

            say()
            interface.set_address("lo:2", "192.168.9.2")
            is_told()
            neighbour.socket.close()
            neighbour = Neighbour(("192.168.9.2", port))
            interface.set_up("lo:1", False)  # which takes the address away
            is_told()
            interface.set_up("lo", False)
            interface.set_up("lo", True)
            interface.set_address("lo:3", "172.16.9.3")
            neighbour.hear_of_addresses()
            say()


main()
