"""Keeps ECS from taking a worker away in the middle of its work, by Celery's signals.

Without it nothing is lost either: a stopped worker hands its messages back. But what it had
asked a model is paid for, and perhaps not answered yet.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from celery import signals

from shared.contract.names import TaskName
from shared.logs import get_logger
from shared.settings import Settings
from worker.ecs.agent import PROTECTED_FOR_MINUTES, EcsAgent
from worker.ecs.rule import ProtectionRule

_log = get_logger(__name__)

# They come every few seconds, take a moment, and the next one does what a lost one left.
_NOT_WORTH_SPARING = frozenset({TaskName.SWEEP.value, TaskName.CLEAN.value})
_RENEW_S = PROTECTED_FOR_MINUTES * 60 / 2
# How soon the rule is looked at while something runs or is protected.
_LOOK_S = 1.0
_JOIN_S = 1.0


def connect_protection(settings: Settings) -> None:
    """Spare this process while it works; does nothing where ECS did not start it."""
    if settings.ecs.agent_uri:
        Protection(EcsAgent(settings.ecs.agent_uri).protect, ProtectionRule()).connect()


class Protection:
    """One thread that tells the agent what the rule wants, so that no piece of work waits for it.

    Args:
        ask: asks for protection or gives it up; returns what was wrong.
        rule: when protection is wanted.
        retry_s: how soon a request that failed is made again.
    """

    def __init__(
        self, ask: Callable[[bool], str | None], rule: ProtectionRule, *, retry_s: float = 15.0
    ) -> None:
        self._ask = ask
        self._rule = rule
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._stopped = False
        self._protected = False
        self._renew_at_s = 0.0
        self._quiet_until_s = 0.0
        self._thread = threading.Thread(target=self._watch, name="ecs-protection", daemon=True)

    def connect(self) -> None:
        """Listen to Celery's signals."""
        signals.worker_ready.connect(self._start, weak=False)
        signals.task_prerun.connect(self._began, weak=False)
        signals.task_postrun.connect(self._ended, weak=False)
        signals.worker_shutdown.connect(self._stop, weak=False)

    def _start(self, **_: Any) -> None:  # noqa: ANN401 - celery's arguments
        self._thread.start()

    def _stop(self, **_: Any) -> None:  # noqa: ANN401 - as above
        self._stopped = True
        self._changed.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _began(self, sender: Any, task_id: str, **_: Any) -> None:  # noqa: ANN401 - as above
        if sender.name in _NOT_WORTH_SPARING:
            return
        with self._lock:
            self._rule.began(task_id, monotonic())
        self._changed.set()

    def _ended(self, sender: Any, task_id: str, **_: Any) -> None:  # noqa: ANN401 - as above
        if sender.name in _NOT_WORTH_SPARING:
            return
        with self._lock:
            self._rule.ended(task_id, monotonic())

    def _watch(self) -> None:
        while not self._stopped:
            with self._lock:
                wanted, idle = self._rule.wants(monotonic()), self._rule.idle
            self._tell(wanted, monotonic())
            self._changed.wait(None if idle and not self._protected else _LOOK_S)
            self._changed.clear()

    def _tell(self, wanted: bool, now_s: float) -> None:  # noqa: FBT001 - what the agent is asked
        renewing = wanted and now_s >= self._renew_at_s
        if now_s < self._quiet_until_s or (wanted is self._protected and not renewing):
            return
        if wrong := self._ask(wanted):
            _log.warning("scale_in_protection_failed", wanted=wanted, reason=wrong)
            self._quiet_until_s = now_s + self._retry_s
            return
        self._protected = wanted
        self._renew_at_s = now_s + _RENEW_S
