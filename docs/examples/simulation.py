import asyncio
import random
from datetime import timedelta

import peergraph.aio as peergraph
from peergraph.sim import (
    HostCrashed,
    Interception,
    Message,
    MessageState,
    MessageType,
    Network,
    NotConverged,
    NotSimulated,
    Picture,
    SimulationError,
    SimulationIdle,
)
from scene import HOUR, NOTE


async def main(name, *addresses):
    async with peergraph.open_runtime() as runtime:
        opening = runtime.open_graph if addresses else runtime.create_graph
        async with opening("film club", peer_id=name) as graph:
            for address in addresses:
                await graph.connect(address)
            await graph.synchronized()
            graph.listen(5000)
            await asyncio.Event().wait()


# example: peer_sim_open
with Network(seed=1) as network:  # another seed, another run
    host = network.add_host("alice")
    graph = host.runtime.create_graph("film club", peer_id="alice")
# end

network = Network(seed=2)
# example: programs
alice, bob = network.add_hosts("alice", "bob")
alice.start(main, "alice")
bob.start(main, "bob", "alice:5000")
network.run_for(60)
# end

# example: peer_sim_run_for
network.run_for(timedelta(minutes=1))  # in no time
print(network.now)  # 120.0
# end

# example: peer_sim_step
while network.now < 125:
    network.step()  # to the next moment at which something happens
# end

# example: peer_sim_run_until
network.run_until(lambda: bob.graphs and bob.graphs[0].status, timeout=60)
# end


# example: programs that end
async def count(name: str) -> int:
    await asyncio.sleep(3600)
    await network.until(lambda: network.converged())
    await network.until_converged()
    return len(bob.records(NOTE))


print(bob.run(count, "bob"))
print(network.run(count, "nobody"))
# end

# example: what a host has
host = network.host("bob")
print(host.graphs, len(host.records(NOTE)))
print(host.run(asyncio.sleep, 1, "a program's result"))
# end

# example: peer_sim_set_address
host.move("192.0.2.7")
host.disk_full = True
host.set_clock(offset=-30, drift_ppm=50)  # half a minute late, and too fast
print(host.name, host.address, host.clock, host.clock_offset, host.drift_ppm, host.disk_full)
# end
host.disk_full = False
network.run_for(600)

# example: peer_sim_crash
host.crash()
network.run_for(60)
host.restart()  # on what its disk holds
host.start(main, "bob", "alice:5000")
# end
network.run_for(60)

# example: peer_sim_set_link
network.link(alice, bob, latency=0.080, loss=0.02, bandwidth=1_000_000, both_ways=False)
# end

# example: peer_sim_partition
network.partition([alice], [bob])  # both ways
network.mend([alice], [bob])  # only from bob to alice now
network.cut([alice], [bob])
print(network.is_cut(alice, bob), network.parts())
network.run_for(10)
network.heal()
network.run_until_converged()
# end

# example: peer_sim_get_connections
print(network.graph())  # {"alice": {"bob": …}, …}
for host in network.hosts:
    print(host.number, host.is_up, host.neighbours, host.network is network)
host.reset_connections()
# end
network.run_for(60)

# example: picture
picture = network.plot("network.svg")
# end

# example: networkx
print(network.networkx().number_of_edges())
# end

# example: peer_sim_get_message_count
print(network.message_count(MessageType.FLOOD), "records were on their way")
# end

graph = alice.graphs[0]
# example: peer_sim_set_interception
with network.intercept(type=MessageType.FLOOD, dst=bob) as caught:
    graph.add_record(type=NOTE, data=b"held", lifetime=HOUR)
    network.run_until(lambda: caught.held)
    for message in network.messages(MessageType.FLOOD):
        if message.state == MessageState.HELD:
            message.duplicate(delay=1)  # a copy, in a second
            message.edit(message.data)  # other bytes would do
            message.drop()
# end

# example: types of what is seen
caught: Interception = network.intercept(lambda message: message.record is not None, do=Message.drop, times=1)
caught.stop()
picture: Picture = network.plot()
# end

network.run_for(600)
# example: replicas
print(network.converged(), network.differences())
network.assert_converged()
# end

# example: peer_sim_keep_trace
network.note("now it begins")
network.run_for(1)
print(network.trace[-1])
print(network.trace_hash, network.seed)  # equal for equal runs
# end

# example: peer_sim_set_trace_file
network.trace_to("trace.jsonl")
network.run_for(random.randrange(60))  # in a test, chance comes from the seed too
network.trace_to(None)  # it is complete
# end

# example: what may be raised
try:
    network.run_until_converged(timeout=60)
    bob.run(count, "bob")
except NotConverged as error:  # an AssertionError, which says in what the replicas differ
    print(error)
except (SimulationIdle, HostCrashed) as error:  # nothing will ever happen; the host of the program is down
    print(error)
except (NotSimulated, SimulationError) as error:  # the program wants sockets, say; the network was closed
    print(error)
# end

# example: closing
network.raise_failures()  # whatever lets time pass does so by itself
network.close()
print(network.closed, network.loop.is_closed())
# end
