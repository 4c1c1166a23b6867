import asyncio
from datetime import timedelta
from uuid import UUID

import peergraph.aio as peergraph

NOTE = UUID("5f0e6c1a-92d7-4c2e-8a41-3f6f0c9f7b11")
HOUR = timedelta(hours=1)


async def create(directory: str) -> str:
    # example: aio create
    async with peergraph.open_runtime(directory) as runtime:
        graph = await runtime.create_graph("film club", peer_id="alice")
        graph.listen(5000, scope=peergraph.Scope.LOOPBACK)
        graph.add_record(type=NOTE, data=b"hello", lifetime=HOUR)
        # end
        async with graph.direct() as direct:
            server = asyncio.create_task(answer(direct))
            await join(directory + "2", graph.address)
            await server
        # example: aio close
        await graph.close()
        await runtime.delete_graph("film club", peer_id="alice")
        await runtime.close()
        # end
    return directory


async def answer(direct: peergraph.Direct) -> None:
    async with await direct.accept() as channel:
        await channel.write((await channel.read()).upper())


async def join(directory: str, address: str) -> None:
    # example: aio join
    async with peergraph.open_runtime(directory) as runtime:
        graph = await runtime.open_graph("film club", peer_id="bob")
        await graph.connect(address, timeout=30)
        await graph.synchronized()
        async for record in graph.records(NOTE):
            print(record.data)
        # end

        # example: aio batch
        async with graph.batch() as batch:
            batch.add_record(type=NOTE, data=b"one", lifetime=HOUR)
            batch.add_record(type=NOTE, data=b"two", lifetime=HOUR)
        # end

        # example: aio commit
        batch = graph.batch()
        batch.add_record(type=NOTE, data=b"three", lifetime=HOUR)
        await batch.commit()
        # end

        # example: aio direct
        async with graph.direct() as direct, await direct.connect("alice", address) as channel:
            await channel.write(b"hello")
            await channel.drain()
            print(await channel.read(timeout=10))
        direct.close()
        channel.close()
        # end

        # example: aio accept
        async def serve(direct: peergraph.Direct) -> None:
            while True:
                channel: peergraph.Channel = await direct.accept()
                event = await channel.receive(timeout=10)
                await channel.write(event.data.upper())

        # end

        # example: aio events
        async with graph.events(peergraph.RecordChanged) as events:
            graph.add_record(type=NOTE, data=b"four", lifetime=HOUR)
            async for event in events:  # ends when the graph is closed
                print(event.record.data)
                break
        # end

        # example: aio one event
        events = graph.events(peergraph.RecordChanged)
        graph.add_record(type=NOTE, data=b"five", lifetime=HOUR)
        print(await events.get(timeout=1))
        print(events.take())  # what waits now
        events.close()
        # end

        # example: aio search
        async for record in graph.search('<peersearch><clause attrib="room" type="string">lobby</clause></peersearch>'):
            print(record.data)
        # end

        # example: aio database
        await graph.export_database(directory + ".backup")
        await graph.close()
        graph = await runtime.open_graph("film club", peer_id="bob", database="restored")
        await graph.import_database(directory + ".backup")
        # end

        # example: aio nodes
        print([node.peer_id for node in graph.nodes()])
        print([connection.address for connection in graph.connections()])
        # end


asyncio.run(create("film-club"))
