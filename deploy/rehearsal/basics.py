"""What every shape of an installation is put through: up, questions answered, down and up again."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

UP_TIMEOUT_S = 420
_EXAMPLES_TIMEOUT_S = 420
Question = dict[str, str]


@contextmanager
def gone_afterwards(installation: Installation) -> Iterator[None]:
    """Remove the containers and their data in the end."""
    remove = ("down", "--volumes", "--remove-orphans", "--timeout", "5")
    installation.compose(*remove)  # what a killed rehearsal left on the machine's engine
    try:
        yield
    finally:
        installation.compose(*remove)


def up(
    installation: Installation, transcript: Transcript, *, act: str, engine_says: bool = False
) -> None:
    """Start all containers and wait until they are well, with `engine_says` in the engine's eyes.

    Raises:
        RehearsalError: one is not.
    """
    who = ", as the engine finds" if engine_says else ""
    with transcript.step(act, f"`docker compose up -d` until all are healthy{who}") as entry:
        _start(installation)
        if engine_says:
            installation.wait_until_healthy(timeout_s=UP_TIMEOUT_S)
        else:
            installation.wait_until_well(timeout_s=UP_TIMEOUT_S)
        entry.seen["containers"] = len(installation.containers())


def _start(installation: Installation) -> None:
    try:
        installation.compose("up", "--detach", "--no-build", timeout_s=UP_TIMEOUT_S)
    except RehearsalError as error:
        raise RehearsalError(f"{error}\n{installation.complaints()}") from None


def questions(installation: Installation) -> list[Question]:
    """Return the questions that the examples answer."""
    path = installation.folder / "examples" / "questions.json"
    rows: list[Question] = json.loads(path.read_text())
    return rows


def answer(
    installation: Installation,
    visitor: Visitor,
    transcript: Transcript,
    *,
    act: str,
    rows: Sequence[Question],
) -> None:
    """Upload the documents that some questions are about, and ask.

    Raises:
        RehearsalError: a document is not done, or an answer cites another one.
    """
    # The other examples take minutes where the embedding model shares two cores with everything.
    examples = installation.folder / "examples"
    files = sorted({row["expected_file"] for row in rows})
    with transcript.step(act, f"ingested: {', '.join(files)}"):
        tasks = [
            visitor.insert(f"example-{number}", name, (examples / name).read_bytes())
            for number, name in enumerate(files)
        ]
        visitor.wait_for(tasks, timeout_s=_EXAMPLES_TIMEOUT_S)
    for row in rows:
        with transcript.step(act, f"asked: {row['question']}") as entry:
            entry.seen["cites"] = _cited(visitor, row)


def _cited(visitor: Visitor, row: Question) -> str:
    text, files = visitor.question(row["question"], mode=row["mode"])
    if not text or row["expected_file"] not in files:
        raise RehearsalError(f"{row['question']} is answered from {files}: {text[:300]}")
    return row["expected_file"]


def down_and_up(
    installation: Installation,
    visitor: Visitor,
    transcript: Transcript,
    *,
    act: str,
    rows: Sequence[Question],
) -> None:
    """Remove all containers and make them again: the volumes have everything.

    Raises:
        RehearsalError: a document is missing, or a question is not answered as before.
    """
    before = visitor.documents()
    with transcript.step(act, "`docker compose down`"):
        installation.compose("down")
    up(installation, transcript, act=act)
    with transcript.step(
        act, "all documents are there, and questions are answered as before"
    ) as entry:
        if (after := visitor.documents()) != before:
            raise RehearsalError(f"lost: {sorted(before - after)}; new: {sorted(after - before)}")
        entry.seen["documents"] = len(after)
        entry.seen["cites"] = ", ".join(_cited(visitor, row) for row in rows)
