"""An authority of our own, and real servers that speak nothing but TLS under its certificates.

The PostgreSQL and the Valkey that packages bring were built without TLS. Before them stands a
terminator, as ElastiCache Serverless and RDS Proxy have one: what a client sees is real TLS, and
what answers is the real server.
"""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "localhost"
"""What certificates are for; 127.0.0.1 is the same machine by another name."""
_POSTGRES_TLS_REQUEST = bytes.fromhex("0000000804d2162f")
_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class Authority:
    """Its certificate in `file`, and a server's chain and key for HOST."""

    file: Path
    chain: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """Invent one."""
        folder.mkdir(parents=True, exist_ok=True)
        authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        name = _name(f"authority {folder.name}")
        root = _certificate(
            name, name, authority_key.public_key(), authority_key, is_authority=True
        )
        leaf = _certificate(_name(HOST), name, key.public_key(), authority_key, is_authority=False)
        made = cls(folder / "authority.pem", folder / "chain.pem", folder / "key.pem")
        made.file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        made.chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
        made.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    signing_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False
        )
    return builder.sign(signing_key, hashes.SHA256())


class Terminator:
    """Takes TLS connections on a free port, and hands on to a server what is in them."""

    def __init__(self, authority: Authority, port: int, *, is_postgres: bool = False) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(authority.chain, authority.key)
        self._behind = port
        self._is_postgres = is_postgres
        self.port = 0

    @contextmanager
    def running(self) -> Iterator[int]:
        """Serve in a thread; give the port."""
        loop = asyncio.new_event_loop()
        started = threading.Event()

        async def serve() -> asyncio.Server:
            # PostgreSQL's clients ask for TLS first, in the clear; the others begin with it.
            context = None if self._is_postgres else self._context
            server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=context)
            self.port = server.sockets[0].getsockname()[1]
            started.set()
            return server

        def run() -> None:
            asyncio.set_event_loop(loop)
            server = loop.run_until_complete(serve())
            loop.run_forever()
            server.close()
            for task in (tasks := asyncio.all_tasks(loop)):
                task.cancel()
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

        thread = threading.Thread(target=run, name="terminator")
        thread.start()
        started.wait()
        try:
            yield self.port
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if self._is_postgres and not await self._upgraded(reader, writer):
                return
            inside_reader, inside_writer = await asyncio.open_connection("127.0.0.1", self._behind)
            await asyncio.gather(_hand_on(reader, inside_writer), _hand_on(inside_reader, writer))

    async def _upgraded(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if await reader.readexactly(len(_POSTGRES_TLS_REQUEST)) != _POSTGRES_TLS_REQUEST:
            writer.write(_refusal())  # what `hostssl` alone in pg_hba.conf makes of it
            writer.close()
            return False
        writer.write(b"S")
        await writer.drain()
        await writer.start_tls(self._context)
        return True


def _refusal() -> bytes:
    fields = b"SFATAL\0C28000\0Mno pg_hba.conf entry for host, no encryption\0\0"
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while content := await reader.read(_CHUNK_BYTES):
            writer.write(content)
            await writer.drain()
    writer.close()
