#!/usr/bin/env python3
"""Carries TCP between a node and its callers, each byte later than it came, in order.

The kernel's own delays (netem) are not everywhere; this needs nothing. It runs until it is killed.
"""

import argparse
import asyncio
import random

CHUNK = 16 * 1024
CHUNKS_MAX = 256


async def carry(reader, writer, delay):
    """One direction, until its source ends."""
    queue, loop = asyncio.Queue(CHUNKS_MAX), asyncio.get_running_loop()

    async def write():
        while True:
            due, chunk = await queue.get()
            await asyncio.sleep(due - loop.time())
            if not chunk:
                return
            writer.write(chunk)
            await writer.drain()

    async def read():
        due = 0.0
        while True:
            chunk = await reader.read(CHUNK)
            due = max(due, loop.time() + delay())
            await queue.put((due, chunk))
            if not chunk:
                return

    reading, writing = asyncio.ensure_future(read()), asyncio.ensure_future(write())
    try:
        await asyncio.gather(reading, writing)
    finally:
        reading.cancel()
        writing.cancel()


async def serve(options):
    def delay():
        return (options.delay + random.random() * options.jitter) / 1000

    async def meet(reader, writer):
        ends = [writer]
        try:
            there, back = await asyncio.open_connection(*address(options.target))
            ends.append(back)
            ways = [carry(reader, back, delay), carry(there, writer, delay)]
            running = [asyncio.ensure_future(way) for way in ways]
            # When one side ends, so does the connection: nobody here half-closes.
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for way in running:
                way.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        except OSError:
            # The node is down: its caller sees the end of the connection, and tries again.
            pass
        finally:
            for end in ends:
                end.transport.abort()

    server = await asyncio.start_server(meet, *address(options.listen))
    print("open", flush=True)
    async with server:
        await server.serve_forever()


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("listen", help="where callers come, as HOST:PORT")
    parser.add_argument("target", help="where the node listens")
    parser.add_argument("delay", type=float, help="milliseconds in each direction")
    parser.add_argument("jitter", type=float, help="up to that many milliseconds more, by chance")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
