"""An endless stream of new, replaced and removed documents, and its repetition group by group."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from lightrag.kg import redis_impl

from shared.contract.names import TaskName
from shared.ids import TaskId
from tests.integration.engine.corpus import real_documents
from tests.integration.engine.steps import request_delete, rows_of
from tests.integration.worker.fleet import Fleet
from tests.standing_clock import TickingClock

_DOCUMENTS = 60
# One chunk each: LightRAG rebuilds an entity from replies in the order of their seconds, and those
# of one document have the same.
_CHARS = 700
_LARGE_CHUNKS_SENTENCES = 70
_LARGE = 0.1
_REPLACED = 0.35
_REMOVED = 0.2


@dataclass(frozen=True)
class Change:
    """What one task does to a document; without a text it removes it."""

    doc_id: str
    text: str | None


@dataclass
class Changes:
    """Changes of a workspace that depend on nothing but the chance, and what there is after them.

    No document is changed before its last change is in: a task that was overtaken is in no journal.
    """

    fleet: Fleet
    chance: random.Random
    by_task: dict[TaskId, Change] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    _texts: Iterator[str] = field(default_factory=lambda: iter(_texts()))
    _large: int = 0

    async def make(self, count: int) -> None:
        """Make more changes; they are ready to be committed."""
        rows = await rows_of(
            self.fleet, "SELECT doc_id FROM tasks WHERE workspace = :ws AND state <> 'succeeded'"
        )
        settled = sorted(self.kept.keys() - {row.doc_id for row in rows})
        for _ in range(count):
            change = self._next(settled)
            settled = [doc_id for doc_id in settled if doc_id != change.doc_id]
            self.by_task[await carry_out(self.fleet, change)] = change
            self.kept.pop(change.doc_id, None)
            if change.text is not None:
                self.kept[change.doc_id] = change.text

    def kinds(self) -> dict[str, int]:
        """Count the changes of each kind."""
        changes = self.by_task.values()
        documents = {change.doc_id for change in changes}
        removed = sum(change.text is None for change in changes)
        return {
            "new": len(documents),
            "large": self._large,
            "removed": removed,
            "replaced": len(changes) - len(documents) - removed,
        }

    def _next(self, settled: Sequence[str]) -> Change:
        drawn = self.chance.random()
        if drawn < _LARGE:
            self._large += 1
            return Change(f"large-{self._large}", large_document(self._large))
        if settled and drawn < _LARGE + _REPLACED + _REMOVED:
            doc_id = self.chance.choice(settled)
            removed = drawn < _LARGE + _REMOVED
            return Change(doc_id, None if removed else next(self._texts))
        return Change(f"doc-{len(self.by_task)}", next(self._texts))


def _texts() -> Iterator[str]:
    """Passages that no two documents share, and that name the same things all the time."""
    documents = real_documents(_DOCUMENTS, chars=20_000)
    start = 0
    while True:
        for text in documents.values():
            if passage := text[start : start + _CHARS].strip():
                yield passage
        start += _CHARS


def large_document(number: int) -> str:
    """Some chunks about people and things that no other document knows.

    Between two slices of it another group may come, which the twin commits before or after them: a
    removal that rebuilds what both know would leave other words there.
    """
    return "".join(
        f"Inspector{number} Ames{number} met Sergeant{number} Bly{number} in Castle{number} "
        f"Coe{number} on floor{number} {floor}. "
        for floor in range(_LARGE_CHUNKS_SENTENCES)
    )


async def carry_out(fleet: Fleet, change: Change) -> TaskId:
    """Bring one change to where the committer takes over."""
    if change.text is None:
        return (await request_delete(fleet, change.doc_id)).id
    task = await fleet.upload(change.doc_id, change.text)
    await fleet.deliver(only=TaskName.PREPARE)
    await fleet.deliver(only=TaskName.EXTRACT)
    fleet.lose_messages()
    return task.id


def order_replies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no two documents be extracted in the same second, or their order is that of a set."""
    monkeypatch.setattr(redis_impl, "time", TickingClock())


async def committed_groups(fleet: Fleet) -> list[list[TaskId]]:
    """Return the tasks that each journal ended, in the order of the journals."""
    rows = await rows_of(fleet, "SELECT outcome FROM journals WHERE physical = :ws ORDER BY seq")
    outcomes = [json.loads(row.outcome) for row in rows]
    return [outcome["succeeded"] for outcome in outcomes if outcome["succeeded"]]


async def repeat(fleet: Fleet, groups: Sequence[Sequence[Change]]) -> None:
    """Commit the same groups, undisturbed."""
    for group in groups:
        for change in group:
            await carry_out(fleet, change)
        await fleet.commit()
