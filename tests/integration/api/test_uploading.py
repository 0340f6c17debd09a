"""Uploads over real sockets: early refusal, bounded memory, slow and vanishing clients."""

import asyncio
import json
import os
import resource
from pathlib import Path

import httpx

from tests.integration.api.conftest import API_KEY, Server, until

MEGABYTE = 1024 * 1024
HEAD = (
    b"POST /insert HTTP/1.1\r\nHost: api\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n"
)
FORM_BEGIN = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
FORM_END = b"\r\n--b--\r\n"
HEAD_WITH_KEY = HEAD.replace(b"\r\n\r\n", f"\r\nX-API-Key: {API_KEY}\r\n\r\n".encode())
LAST_CHUNK = b"0\r\n\r\n"


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, object]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
    return int(head.split()[1]), json.loads(await reader.readexactly(length))


async def test_a_413_arrives_while_the_client_is_still_sending(strict_server: Server) -> None:
    answered = asyncio.Event()
    sent_after_answer = 0

    async with strict_server.socket() as (reader, writer):

        async def send_for_ever() -> None:
            nonlocal sent_after_answer
            writer.write(HEAD_WITH_KEY + chunk(FORM_BEGIN))
            while True:
                writer.write(chunk(b"x" * 65536))
                await writer.drain()
                sent_after_answer += answered.is_set()

        sending = asyncio.create_task(send_for_ever())
        status, problem = await read_answer(reader)
        assert not sending.done()
        answered.set()
        assert (status, problem["code"]) == (413, "upload_too_large")
        # The server listens for another moment, then hangs up although we never stopped.
        await asyncio.wait([sending], timeout=30)
        assert isinstance(sending.exception(), ConnectionError)
    assert sent_after_answer
    await until(lambda: not strict_server.stored_files())


async def test_an_announced_413_comes_before_any_byte_of_the_body(
    strict_server: Server,
) -> None:
    head = HEAD_WITH_KEY.replace(b"Transfer-Encoding: chunked", b"Content-Length: 10000000000")
    async with strict_server.socket() as (reader, writer):
        writer.write(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        status, problem = await read_answer(reader)
        assert (status, problem["code"]) == (413, "upload_too_large")


async def test_200_megabytes_move_neither_memory_nor_temporary_files(server: Server) -> None:
    async with httpx.AsyncClient() as client:  # the first upload loads what is loaded lazily
        await client.post(f"{server.url}/insert", files={"file": b"warm up"})
    process = Path(f"/proc/{server.process.pid}")
    (process / "clear_refs").write_text("5")  # resets the peak
    before_kib = _status_kib(process, "VmRSS")
    megabyte = os.urandom(MEGABYTE)
    async with server.socket() as (reader, writer):
        writer.write(HEAD + chunk(FORM_BEGIN))
        for index in range(200):
            writer.write(chunk(megabyte))
            await writer.drain()
            if index == 150:
                assert _temporary_bytes(process, server) < MEGABYTE
        writer.write(chunk(FORM_END) + LAST_CHUNK)
        status, accepted = await read_answer(reader)
    assert status == 202, accepted
    assert _status_kib(process, "VmHWM") - before_kib < 20 * 1024
    assert max(path.stat().st_size for path in server.stored_files()) == 200 * MEGABYTE


async def test_a_slow_client_is_served_and_holds_nobody_up(server: Server) -> None:
    before = server.stored_files()
    async with server.socket() as (reader, writer), httpx.AsyncClient() as client:
        for byte in HEAD + chunk(FORM_BEGIN) + chunk(b"hello"):
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await client.get(f"{server.url}/documents")).status_code == 200
        writer.write(chunk(FORM_END) + LAST_CHUNK)
        status, _ = await read_answer(reader)
        assert status == 202
    assert [path.read_bytes() for path in server.stored_files() - before] == [b"hello"]


async def test_a_client_that_vanishes_leaves_nothing(server: Server) -> None:
    before = server.stored_files()
    async with httpx.AsyncClient() as client:
        tasks = (await client.get(f"{server.url}/tasks")).json()
    async with server.socket() as (_, writer):
        writer.write(HEAD + chunk(FORM_BEGIN) + chunk(b"x" * 3 * MEGABYTE))
        await writer.drain()
        await until(lambda: server.stored_files() != before)
    await until(lambda: server.stored_files() == before)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{server.url}/tasks")).json() == tasks


async def test_an_answer_to_an_upload_that_nobody_reads_reaches_its_client(
    strict_server: Server,
) -> None:
    """Without lingering, the unread body would make the kernel reset the connection."""
    async with httpx.AsyncClient() as client:
        for _ in range(5):
            response = await client.post(
                f"{strict_server.url}/insert", files={"file": b"x" * 5 * MEGABYTE}
            )
            assert response.status_code == 401


async def test_a_full_disk_is_a_503_and_the_same_key_works_when_there_is_room(
    server: Server,
) -> None:
    process_id, before = server.process.pid, server.stored_files()
    unlimited = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (MEGABYTE, unlimited[1]))

    async def insert(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post(
            f"{server.url}/insert",
            files={"file": b"x" * 2 * MEGABYTE},
            data={"doc_id": "d"},
            headers={"Idempotency-Key": "k"},
        )

    async with httpx.AsyncClient() as client:
        refused = await insert(client)
        assert (refused.status_code, refused.json()["code"]) == (503, "object_store_unavailable")
        assert int(refused.headers["retry-after"]) > 0
        assert server.stored_files() == before
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, unlimited)
        assert (await insert(client)).status_code == 202
    assert len(server.stored_files() - before) == 1


def _status_kib(process: Path, name: str) -> int:
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def _temporary_bytes(process: Path, server: Server) -> int:
    """Add up every open file but the upload itself, the ledger and the log; deleted ones too."""
    total = 0
    for descriptor in (process / "fd").iterdir():
        target = os.readlink(descriptor)  # noqa: PTH115 - the target may be no path at all
        if target.startswith("/") and not target.startswith(
            (str(server.data_dir), str(server.log), "/dev/")
        ):
            total += descriptor.stat().st_size
    return total
