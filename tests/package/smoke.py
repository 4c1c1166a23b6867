"""What a fresh installation must do: two runtimes in one graph, with Python's own OpenSSL in the process or without.

python smoke.py FOLDER MODULE...    uses peergraph or ssl, in the order of the arguments
"""

import contextlib
import hashlib
import importlib
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

PATIENCE = 20.0
NOTE = UUID("5f0e6c1a-92d7-4c2e-8a41-3f6f0c9f7b11")


def use_peergraph(folder: Path) -> None:
    """A record goes from one runtime to the other."""
    import peergraph

    with (
        peergraph.open_runtime(folder / "one") as one,
        peergraph.open_runtime(folder / "two") as two,
        one.create_graph("film club", peer_id="alice") as alice,
        two.open_graph("film club", peer_id="bob") as bob,
    ):
        alice.listen(scope=peergraph.Scope.LOOPBACK)
        bob.connect(alice.address)
        bob.synchronized(PATIENCE)
        with bob.events(peergraph.RecordChanged) as events:
            alice.add_record(type=NOTE, data=bytes(range(256)), lifetime=timedelta(hours=1))
            record = events.get(PATIENCE).record
            assert (record.data, record.creator_id) == (bytes(range(256)), "alice")


def use_ssl(_folder: Path) -> None:
    """A TLS connection from memory to memory; it needs no certificate."""
    import ssl

    ends = []
    for server_side in (False, True):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("aNULL:@SECLEVEL=0")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends.append((context.wrap_bio(incoming, outgoing, server_side=server_side), incoming, outgoing))
    (client, to_client, from_client), (server, to_server, from_server) = ends
    for _ in range(4):
        for end in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
            to_server.write(from_client.read())
            to_client.write(from_server.read())
    client.write(b"hello")
    to_server.write(from_client.read())
    assert server.read() == b"hello"
    assert hashlib.scrypt(b"a", salt=b"b", n=2, r=1, p=1)


def loaded(library: str) -> list[str]:
    """Where the shared libraries of this name, that the process has loaded, come from."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    paths = {Path(line.split(maxsplit=5)[5]) for line in lines if "/" in line}
    return sorted(
        str(path) for path in paths if path.name.startswith(f"{library}.") or path.name.startswith(f"{library}-")
    )


def main(folder: str, *modules: str) -> None:
    for module in modules:
        importlib.import_module(module)
    for turn in ("first", "second"):
        for module in modules:
            {"peergraph": use_peergraph, "ssl": use_ssl}[module](Path(folder) / turn)
    for library in ("libuv", "libcrypto", "libsqlite3", "libexpat"):
        print(library, *loaded(library))


main(*sys.argv[1:])
