"""`ragfleet up` in the foreground, its end, and two systems on one machine."""

import os
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from ops.local.credentials import load_credentials
from tests.acceptance.system import RAGFLEET, System, Workspace, processes_of, until

API_KEY = secrets.token_hex(16)
MODEL_KEY = secrets.token_hex(16)
CTRL_C_TIMEOUT_S = 30
TEXTS = [
    f"Inspector {name} found the lost letter in {name} Hall." for name in ("Ames", "Bly", "Coe")
]


@contextmanager
def foreground(system: System, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Type `ragfleet up` in a terminal of its own and wait for its last line."""
    with (
        output.open("wb") as file,
        subprocess.Popen(
            [RAGFLEET, "up"],
            env=system.environment,
            cwd=system.data_dir.parent,
            stdout=file,
            stderr=file,
            start_new_session=True,
        ) as process,
    ):
        try:
            until(
                lambda: process.poll() is not None or "Data " in output.read_text(),
                what="the system says that it is ready",
            )
            assert process.poll() is None, output.read_text()
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def press_ctrl_c(process: subprocess.Popen[bytes]) -> int:
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all that run in front
    return process.wait(CTRL_C_TIMEOUT_S)


@contextmanager
def client(system: System) -> Iterator[Workspace]:
    headers = {"X-API-Key": API_KEY}
    with httpx.Client(base_url=system.url, headers=headers, timeout=60) as http:
        yield Workspace(system, "default", http)


@pytest.mark.parametrize("shape", ["embedded", "files"])
def test_ctrl_c_ends_everything_and_the_next_start_goes_on(open_folder: Path, shape: str) -> None:
    variables = {"API_KEY": API_KEY, "LLM_API_KEY": MODEL_KEY}
    system = System(shape, open_folder / "system", variables=variables)
    output = open_folder / "output.txt"
    with foreground(system, output) as process, client(system) as workspace:
        assert httpx.get(f"{system.url}/documents").status_code == 401
        workspace.read("Ada Lovelace wrote notes.", doc_id="ada", file_name="ada.txt")
        # In the middle of its work: what was accepted is not forgotten.
        receipts = [workspace.insert(text, doc_id=f"n{i}") for i, text in enumerate(TEXTS)]
        assert press_ctrl_c(process) == 0, output.read_text()
    assert processes_of(system.data_dir) == {}
    assert "Traceback" not in output.read_text()

    with foreground(system, output) as process, client(system) as workspace:
        for receipt in receipts:
            workspace.succeeded(receipt)
        assert [one["doc_id"] for one in workspace.documents()] == ["ada", "n0", "n1", "n2"]
        assert workspace.cited("Who wrote notes?") == ["ada.txt"]
        system.ragfleet("query", "Who wrote notes?")  # the command knows the key
        assert secrets_seen(system, output) == []
        assert press_ctrl_c(process) == 0, output.read_text()
    assert processes_of(system.data_dir) == {}


def secrets_seen(system: System, *more_files: Path) -> list[str]:
    """Where a secret can be read: logs, state, and command lines, which every user may see."""
    hidden = [API_KEY, MODEL_KEY, *(system.secrets() if system.shape == "embedded" else [])]
    places = {str(pid): line for pid, line in processes_of(system.data_dir).items()}
    assert places
    logs = [*(system.data_dir / "logs").iterdir(), system.data_dir / "run" / "state.json"]
    places |= {str(path): path.read_text(errors="replace") for path in (*logs, *more_files)}
    return [place for place, text in places.items() if any(secret in text for secret in hidden)]


def test_no_secret_of_a_system_in_the_background_can_be_read(embedded: System) -> None:
    assert len(embedded.secrets()) == 4
    assert secrets_seen(embedded) == []
    assert (embedded.data_dir / "secrets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.long
def test_two_systems_run_side_by_side(embedded: System, open_folder: Path) -> None:
    other = System("embedded", open_folder / "other")
    printed = other.up()
    try:
        with (
            httpx.Client(base_url=embedded.url, timeout=60) as one,
            httpx.Client(base_url=other.url, timeout=60) as two,
        ):
            first = Workspace(embedded, "default", one)
            second = Workspace(other, "default", two)
            mine = first.read("Alan Turing worked at Bletchley Park.", doc_id="side")
            second.read("刘备与关羽在桃园结义。", doc_id="side")
            assert two.get(f"/tasks/{mine['task_id']}").status_code == 404
            assert second.cited("谁与刘备在桃园结义？") == ["note.txt"]
            assert first.cited("Who worked at Bletchley Park?") == ["note.txt"]
        assert_flower_wants_what_is_kept(other, printed)
        other.ragfleet("up", exit_code=1)  # the folder is taken
    finally:
        other.down()
    embedded.ragfleet("up", "--status")  # exit code 0: all of it runs


def assert_flower_wants_what_is_kept(system: System, printed: str) -> None:
    flower = f"http://127.0.0.1:{system.flower_port}"
    found = re.search(r"Flower .* user (\S+), password in (\S+)", printed)
    assert found, printed
    password = load_credentials(Path(found[2])).flower_password
    assert password not in printed  # it may end in a log
    assert httpx.get(flower, timeout=60).status_code == 401
    assert httpx.get(flower, auth=("fleet", "guess"), timeout=60).status_code == 401
    welcome = httpx.get(f"{flower}/workers", auth=(found[1], password), timeout=60)
    assert welcome.status_code == 200
    assert "Flower" in welcome.text
