"""TLS in front of a PostgreSQL that was built without, as RDS Proxy stands before one.

A program of its own, for a container: `python terminator.py HOST CERTIFICATE KEY`. It listens on
port 5432. Whoever does not ask for TLS first is not served.
"""

import asyncio
import ssl
import sys
from contextlib import suppress

_PORT = 5432
_ASKS_FOR_TLS = bytes.fromhex("0000000804d2162f")
_CHUNK_BYTES = 1 << 16


async def _serve(host: str, certificate: str, key: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(_ASKS_FOR_TLS)) == _ASKS_FOR_TLS:
                writer.write(b"S")
                await writer.start_tls(context)
                inside_reader, inside_writer = await asyncio.open_connection(host, _PORT)
                await asyncio.gather(
                    _hand_on(reader, inside_writer), _hand_on(inside_reader, writer)
                )
        writer.close()

    server = await asyncio.start_server(meet, "0.0.0.0", _PORT)  # noqa: S104 - a container's
    await server.serve_forever()


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while content := await reader.read(_CHUNK_BYTES):
            writer.write(content)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
