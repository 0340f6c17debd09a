"""Ways to find out whether a service can be used, for services that have no client of their own."""

import asyncio

from ops.local.ports import HOST


async def accepts_connections(port: int) -> bool:
    """Whether something listens on the port of this machine."""
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


async def answers_http(port: int, path: str) -> bool:
    """Whether a GET of the path is answered with a status below 400."""
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    try:
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
        await writer.drain()
        words = (await reader.readline()).split()
    except OSError:
        return False
    finally:
        writer.close()
    return len(words) > 1 and words[1].isdigit() and int(words[1]) < 400
