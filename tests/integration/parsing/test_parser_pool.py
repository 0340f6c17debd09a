"""Whatever happens in a child, the parent gets one clean error and the pool parses on."""

import asyncio
import io
import os
import select
import signal
import struct
import zipfile
from pathlib import Path

import hostile
import pytest

from worker.parsing import ParserPool, errors


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note"
    path.write_text("Just words.")
    return path


async def assert_parses(pool: ParserPool, note: Path) -> None:
    document = await pool.parse(note, file_name="note.txt")
    assert document.text == "Just words."


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


async def pid_in(path: Path) -> int:
    """Wait until the child has written its process id."""
    while not (written := await asyncio.to_thread(_text, path)):  # noqa: ASYNC110 (another process writes it)
        await asyncio.sleep(0.01)
    return int(written)


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await asyncio.to_thread(select.select, [descriptor], [], [])
    finally:
        os.close(descriptor)


async def test_a_document_comes_back_from_a_small_limited_child(
    pool: ParserPool, note: Path
) -> None:
    await assert_parses(pool, note)

    report = await pool.run(hostile.report_on_the_child, note, "note.txt")
    pid, core, memory, peak_mb, loaded = report.text.split(" ", 4)
    assert int(pid) != os.getpid()
    assert int(core) == 0
    assert int(memory) == 1536 * 1024 * 1024
    assert int(peak_mb) < 60
    assert loaded == "[]"


async def test_an_error_keeps_its_class_and_sentence(pool: ParserPool, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()

    with pytest.raises(errors.EmptyFileError, match="no bytes in it"):
        await pool.parse(empty, file_name="empty.pdf")


@pytest.mark.parametrize("endless", [hostile.loop_for_ever, hostile.sleep_in_native_code])
async def test_an_endless_parse_times_out(note: Path, endless: object) -> None:
    pool = ParserPool(workers=1, timeout_s=0.5, memory_bytes=1 << 30)
    try:
        with pytest.raises(errors.ParseTimeoutError):
            await pool.run(endless, note, "note.txt")  # type: ignore[arg-type]  # parametrised
        await gone(await pid_in(note.with_suffix(".pid")))
        await assert_parses(pool, note)
    finally:
        pool.close()


async def test_a_crash_of_the_parser_says_so(pool: ParserPool, note: Path) -> None:
    with pytest.raises(errors.ParserCrashedError):
        await pool.run(hostile.read_a_null_pointer, note, "note.txt")
    await assert_parses(pool, note)


async def test_a_child_killed_from_outside_may_be_tried_again(pool: ParserPool, note: Path) -> None:
    with pytest.raises(errors.ParserKilledError) as caught:
        await pool.run(hostile.be_killed, note, "note.txt")
    assert caught.value.retryable
    await assert_parses(pool, note)


async def test_a_parser_that_takes_four_gigabytes_is_out_of_memory(
    pool: ParserPool, note: Path
) -> None:
    with pytest.raises(errors.ParseOutOfMemoryError):
        await pool.run(hostile.take_four_gigabytes, note, "note.txt")
    await assert_parses(pool, note)


async def test_the_pool_survives_the_death_of_an_idle_child(pool: ParserPool, note: Path) -> None:
    for _ in range(3):
        report = await pool.run(hostile.report_on_the_child, note, "note.txt")
        pid = int(report.text.split()[0])
        os.kill(pid, signal.SIGKILL)
        await gone(pid)

    await assert_parses(pool, note)


async def test_cancelling_the_caller_ends_the_child(pool: ParserPool, note: Path) -> None:
    parse = asyncio.create_task(pool.run(hostile.sleep_in_native_code, note, "note.txt"))
    pid = await pid_in(note.with_suffix(".pid"))

    parse.cancel()
    with pytest.raises(asyncio.CancelledError):
        await parse

    await gone(pid)
    await assert_parses(pool, note)


async def test_closing_ends_a_running_child_and_tells_its_caller(note: Path) -> None:
    pool = ParserPool(workers=1, timeout_s=60, memory_bytes=1 << 30)
    parse = asyncio.create_task(pool.run(hostile.loop_for_ever, note, "note.txt"))
    pid = await pid_in(note.with_suffix(".pid"))

    await asyncio.to_thread(pool.close)

    with pytest.raises(errors.ParserKilledError):
        await parse
    await gone(pid)
    with pytest.raises(errors.ParserKilledError):
        await pool.parse(note, file_name="note.txt")


async def test_more_documents_than_one_child_serves_go_through(note: Path) -> None:
    pool = ParserPool(workers=2, timeout_s=60, memory_bytes=1 << 30)
    try:
        parses = (pool.run(hostile.sleep_a_moment, note, "note.txt") for _ in range(150))
        assert {document.text for document in await asyncio.gather(*parses)} == {"awake"}
    finally:
        pool.close()


async def test_a_zip_bomb_that_lies_about_its_size_harms_nothing(
    pool: ParserPool, note: Path, tmp_path: Path
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            for _ in range(1024):
                member.write(bytes(1 << 20))
        archive.writestr("[Content_Types].xml", "<Types/>")
        for info in archive.filelist:
            info.file_size = min(info.file_size, 1000)  # what the directory will say
    path = tmp_path / "bomb"
    path.write_bytes(buffer.getvalue())
    assert struct.pack("<I", 1000) in buffer.getvalue()

    with pytest.raises(errors.DocumentError) as caught:
        await pool.parse(path, file_name="bomb.docx")

    assert caught.value.code in {"damaged_document", "parse_out_of_memory", "parser_crashed"}
    await assert_parses(pool, note)
