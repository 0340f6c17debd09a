"""The process as its users meet it: with curl, with signals, through its log."""

import asyncio
import json
import subprocess
from pathlib import Path

import httpx

from tests.integration.api.conftest import Server, until


async def curl(server: Server, cwd: Path, command: str) -> dict[str, object]:
    """Run a command of the guide as it is written there, but for the port."""
    finished = await asyncio.to_thread(  # noqa: S604 - see below
        subprocess.run,
        command.replace("curl -X", "curl -sS --fail-with-body -X").replace(
            "localhost:8000", f"localhost:{server.port}"
        ),
        shell=True,  # the guide's commands are shell commands
        cwd=cwd,
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 0, finished
    answer: dict[str, object] = json.loads(finished.stdout)
    return answer


async def test_the_guides_two_commands_work_as_written(server: Server, tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("测试文档")
    accepted = await curl(
        server,
        tmp_path,
        """curl -X POST http://localhost:8000/insert \\
  -F "doc_id=test_external" \\
  -F "file=@test.txt"
""",
    )
    assert accepted["doc_id"] == "test_external"
    answer = await curl(
        server,
        tmp_path,
        """curl -X POST http://localhost:8000/query \\
  -H "Content-Type: application/json" \\
  -d '{"query": "测试查询", "mode": "naive"}'
""",
    )
    assert answer["response"] == "It is so."
    assert answer["references"]


async def test_the_file_name_that_curl_sends_is_the_one_we_show(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / 'a "报告".txt').write_text("x")
    await curl(
        server,
        tmp_path,
        """curl -X POST http://localhost:8000/insert -F doc_id=d -F 'file=@a "报告".txt'""",
    )
    async with httpx.AsyncClient() as client:
        document = (await client.get(f"{server.url}/documents/d")).json()
    assert document["file_name"] == 'a "报告".txt'


def _noted(server: Server, request_id: str) -> list[dict[str, object]]:
    """Return the events of a request; a line that is being written is left out."""
    whole = server.log.read_text().rpartition("\n")[0]
    events = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return [one for one in events if one.get("request_id") == request_id]


async def test_the_log_says_the_storage_and_ids_but_no_text(server: Server) -> None:
    async with httpx.AsyncClient(headers={"X-Request-ID": "request-7"}) as client:
        await client.post(f"{server.url}/insert", files={"file": ("n", b"confidential words")})
        await client.post(f"{server.url}/query", json={"query": "confidential question"})
    # A request is noted after its answer has gone out.
    await until(lambda: [one["event"] for one in _noted(server, "request-7")].count("request") == 2)
    mine = _noted(server, "request-7")
    assert [one["event"] for one in mine] == [
        "upload_accepted",
        "message_left_to_sweeper",  # nothing listens where these servers look for a broker
        "request",
        "request",
    ]
    assert [one.get("status") for one in mine[2:]] == [202, 200]
    log = server.log.read_text()
    assert log.count('"event": "Using local file storage"') == 1
    assert "confidential" not in log
    assert "Traceback" not in log


async def test_a_reader_that_leaves_a_streamed_answer_frees_its_workspace(server: Server) -> None:
    asked = server.data_dir / "asked"
    async with httpx.AsyncClient() as client:
        request = {"query": "what is it", "mode": "bypass"}
        async with client.stream("POST", f"{server.url}/query/stream", json=request) as answer:
            lines = answer.aiter_lines()
            assert "references" in json.loads(await anext(lines))
            assert json.loads(await anext(lines)) == {"response": "and so on "}
            assert asked.exists()
    await until(lambda: not asked.exists())
