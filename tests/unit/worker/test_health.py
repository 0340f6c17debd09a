"""What counts as a worker that takes messages, and what is no fault of it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.contract.payloads import PrepareDocument
from shared.contract.sender import MemorySender
from shared.ids import TaskId
from worker import pulse as pulse_module
from worker.beat_health import judge_due
from worker.health import UnhealthyError, judge
from worker.pulse import Pulse

NOW_S = 1000.0


def pulse(**changed: Any) -> dict[str, Any]:
    fine = {
        "written_s": NOW_S - 2,
        "turned_s": NOW_S - 3,
        "broker_answers": True,
        "stalled_since_s": None,
        "waiting": [],
    }
    return fine | changed


def test_a_worker_whose_loops_turn_is_well() -> None:
    assert judge(pulse(), now_s=NOW_S) == "The worker takes messages."


def test_messages_may_wait_for_a_while() -> None:
    waiting = pulse(stalled_since_s=NOW_S - 59, waiting=["extract"])
    assert judge(waiting, now_s=NOW_S) == "The worker takes messages."


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"written_s": NOW_S - 31}, "its loop hangs"),
        ({"turned_s": None}, "has not begun"),
        ({"turned_s": NOW_S - 61}, "has not listened to it for 61 s"),
        (
            {"stalled_since_s": NOW_S - 61, "waiting": ["extract"]},
            "Messages wait in extract .* none has been taken for 61 s",
        ),
    ],
)
def test_what_a_new_process_would_mend_is_unhealthy(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnhealthyError, match=sentence):
        judge(pulse(**changed), now_s=NOW_S)


def test_a_broker_that_is_away_for_all_is_not_the_workers_fault() -> None:
    away = pulse(broker_answers=False, turned_s=NOW_S - 600)
    assert "waits for it" in judge(away, now_s=NOW_S)


def test_a_worker_that_hangs_is_unhealthy_whatever_it_last_said_of_the_broker() -> None:
    with pytest.raises(UnhealthyError, match="its loop hangs"):
        judge(pulse(broker_answers=False, written_s=NOW_S - 600), now_s=NOW_S)


def test_before_the_first_word_the_command_fails(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "worker.health", str(tmp_path / "pulse")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "it is not ready" in ended.stderr


def test_the_command_loads_nothing_that_would_cost_time() -> None:
    code = "import sys, worker.health; print('pydantic' in sys.modules, 'celery' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "False"]


class Consumer:
    """As much of Celery's consumer as a pulse looks at."""

    def __init__(self, *, has_place: bool = True) -> None:
        self.has_place = has_place
        self.task_consumer = self
        self.channel = self
        self.qos = self
        self.queues = [self]
        self.name = "prepare"

    def can_consume(self) -> bool:
        return self.has_place


async def waiting_sender() -> MemorySender:
    sender = MemorySender()
    await sender.send(PrepareDocument(task_id=TaskId("task-1")))
    return sender


async def test_messages_that_wait_beside_free_places_stand_still(tmp_path: Path) -> None:
    seen = Pulse(tmp_path / "pulse")
    seen.turned(Consumer())
    looked = await seen.look(await waiting_sender())
    assert looked["stalled_since_s"] is not None
    assert looked["waiting"] == ["prepare"]
    assert json.loads(json.dumps(looked)) == looked


async def test_messages_that_wait_because_all_places_are_taken_do_not(tmp_path: Path) -> None:
    seen = Pulse(tmp_path / "pulse")
    seen.turned(Consumer(has_place=False))
    assert (await seen.look(await waiting_sender()))["stalled_since_s"] is None


async def test_a_message_that_is_taken_ends_a_standstill(tmp_path: Path) -> None:
    seen = Pulse(tmp_path / "pulse")
    seen.turned(Consumer())
    sender = await waiting_sender()
    began_s = (await seen.look(sender))["stalled_since_s"]
    assert (await seen.look(sender))["stalled_since_s"] == began_s
    seen._take()
    assert (await seen.look(sender))["stalled_since_s"] is None


async def test_a_broker_that_does_not_answer_is_noted(tmp_path: Path) -> None:
    seen = Pulse(tmp_path / "pulse")
    seen.turned(Consumer())
    sender = await waiting_sender()
    sender.available = False
    looked = await seen.look(sender)
    assert (looked["broker_answers"], looked["stalled_since_s"]) == (False, None)


def test_sweeps_that_are_due_soon_are_sent() -> None:
    assert judge_due(NOW_S + 2, now_s=NOW_S) == "Sweeps are sent."
    assert judge_due(NOW_S - 59, now_s=NOW_S) == "Sweeps are sent."


@pytest.mark.parametrize("due_s", [None, NOW_S - 61])
def test_sweeps_that_nobody_sends_are_missed(due_s: float | None) -> None:
    with pytest.raises(UnhealthyError):
        judge_due(due_s, now_s=NOW_S)


async def test_a_full_disk_does_not_end_what_a_worker_tells_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse_module, "WRITE_INTERVAL_S", 0)
    folder = tmp_path / "missing"  # writing below it fails as on a full disk
    path = folder / "pulse.json"

    async with Pulse(path).written_regularly(MemorySender()), asyncio.timeout(60):
        for _ in range(9):
            await asyncio.sleep(0)  # it tries, and fails
        folder.mkdir()
        while not path.exists():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0)
