"""What is done with the containers, act by act."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.rehearsal import disturbances
from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

_UP_TIMEOUT_S = 420
_EXAMPLES_TIMEOUT_S = 420
_CHECK_TIMEOUT_S = 600
_SOMETHING_IS_WRONG = 1  # 2 would be: it cannot ask
# One of each tier and one store; each waits until the script gives up.
_STOPPED = ("worker-extract", "beat", "api", "redis")


def play(installation: Installation, transcript: Transcript) -> None:
    """Do everything; the containers and their data are gone afterwards.

    Raises:
        RehearsalError: something did not go as it should.
    """
    with _gone_afterwards(installation):
        _up(installation, transcript, act="Up")
        visitor = _visitor(installation)
        _answers(installation, visitor, transcript)
        helper = installation.services()["worker-extract"]["image"]
        disturbances.crash_each(installation, visitor, transcript, helper=helper)
        disturbances.scale(installation, visitor, transcript, to=3)
        services = [each.service for each in installation.containers() if each.status == "running"]
        stores = {"redis", "postgres", "neo4j"}
        disturbances.roll(
            installation, visitor, transcript, [each for each in services if each not in stores]
        )
        _down_and_up(installation, visitor, transcript)
        _health_check(installation, transcript)


@contextmanager
def _gone_afterwards(installation: Installation) -> Iterator[None]:
    remove = ("down", "--volumes", "--remove-orphans", "--timeout", "5")
    installation.compose(*remove)  # what a killed rehearsal left on the machine's engine
    try:
        yield
    finally:
        installation.compose(*remove)


def _up(installation: Installation, transcript: Transcript, *, act: str) -> None:
    with transcript.step(act, "`docker compose up -d` until every container is healthy") as entry:
        try:
            installation.compose("up", "--detach", "--no-build", timeout_s=_UP_TIMEOUT_S)
        except RehearsalError as error:
            raise RehearsalError(f"{error}\n{installation.complaints()}") from None
        installation.wait_until_well(timeout_s=_UP_TIMEOUT_S)
        entry.seen["containers"] = len(installation.containers())


def _visitor(installation: Installation) -> Visitor:
    port = next(
        row["published"]
        for row in installation.services()["nginx"]["ports"]
        if row["target"] == 443  # HTTPS
    )
    return Visitor(
        f"https://localhost:{port}",
        key=(installation.folder / "secrets" / "api_key").read_text().strip(),
        authority=installation.folder / "tls" / "fullchain.pem",
    )


def _answers(installation: Installation, visitor: Visitor, transcript: Transcript) -> None:
    act = "Through nginx, with TLS"
    examples = installation.folder / "examples"
    with transcript.step(act, "the documents of three questions uploaded and ingested") as entry:
        asked_about = {row["expected_file"] for row in _questions(installation)}
        # The others take minutes where the embedding model shares two cores with everything.
        files = sorted(examples / name for name in asked_about)
        tasks = [
            visitor.insert(f"example-{number}", path.name, path.read_bytes())
            for number, path in enumerate(files)
        ]
        visitor.wait_for(tasks, timeout_s=_EXAMPLES_TIMEOUT_S)
        entry.seen["documents"] = len(tasks)
    for row in _questions(installation):
        with transcript.step(act, f"asked: {row['question']}") as entry:
            entry.seen["cites"] = _cited(visitor, row)


def _questions(installation: Installation) -> list[dict[str, str]]:
    path = installation.folder / "examples" / "questions.json"
    rows: list[dict[str, str]] = json.loads(path.read_text())
    return rows


def _cited(visitor: Visitor, row: dict[str, str]) -> str:
    answer, files = visitor.question(row["question"], mode=row["mode"])
    if not answer or row["expected_file"] not in files:
        raise RehearsalError(f"{row['question']} is answered from {files}: {answer[:300]}")
    return row["expected_file"]


def _down_and_up(installation: Installation, visitor: Visitor, transcript: Transcript) -> None:
    act = "Down, and up again"
    rows = _questions(installation)
    before = visitor.documents()
    with transcript.step(act, "`docker compose down`"):
        installation.compose("down")
    _up(installation, transcript, act=act)
    with transcript.step(
        act, "all documents are there, and questions are answered as before"
    ) as entry:
        if (after := visitor.documents()) != before:
            raise RehearsalError(f"lost: {sorted(before - after)}; new: {sorted(after - before)}")
        entry.seen["documents"] = len(after)
        entry.seen["cites"] = ", ".join(_cited(visitor, row) for row in rows)


def _health_check(installation: Installation, transcript: Transcript) -> None:
    act = "scripts/health_check.sh"
    with transcript.step(act, "`--probe`: everything runs, a document goes all the way") as entry:
        code, said = _checked(installation, "--probe")
        entry.seen["exit code"] = code
        if code != 0:
            raise RehearsalError(f"health_check.sh ended with {code} though all is well:\n{said}")
    for service in _STOPPED:
        with transcript.step(act, f"`{service}` stopped") as entry:
            installation.compose("stop", service)
            code, said = _checked(installation)
            entry.seen |= {"exit code": code, "says": _first_error(said)}
            if code != _SOMETHING_IS_WRONG:
                raise RehearsalError(f"health_check.sh ends with {code} without {service}:\n{said}")
            installation.compose("start", service)
            installation.wait_until_well(timeout_s=_UP_TIMEOUT_S)


def _first_error(said: str) -> str:
    lines = said.splitlines()
    return next((line for line in lines if line.startswith("error")), lines[-1] if lines else "")


def _checked(installation: Installation, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        ["scripts/health_check.sh", *options],
        cwd=installation.folder,
        env=installation.engine.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=_CHECK_TIMEOUT_S,
    )
    return done.returncode, done.stdout
