"""Crashes, more workers, restarts; documents keep coming all the while."""

from collections.abc import Sequence

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.feed import Feed
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

_RESTART_TIMEOUT_S = 60
_WORK_TIMEOUT_S = 180  # a lease of a dead worker runs out, a store recovers
_DRAIN_TIMEOUT_S = 300
_WELL_TIMEOUT_S = 240
_TAKEN = "] received"  # Celery's own words for a message that it takes


def crash_each(
    installation: Installation, visitor: Visitor, transcript: Transcript, *, helper: str
) -> None:
    """Kill every container in turn while documents are ingested; all come back, nothing is lost.

    Raises:
        RehearsalError: a container stays away, or a document is not done.
    """
    act = "Every container killed, one after the other"
    running = [each for each in installation.containers() if each.status == "running"]
    with Feed(visitor, "crash") as feed:
        for before in running:
            feed.wait_for_next(timeout_s=_WORK_TIMEOUT_S)
            with transcript.step(act, f"`{before.service}` killed") as entry:
                _require_work(feed)
                entry.seen["documents on their way"] = feed.unfinished
                visitor.forget_outages()
                installation.crash(before, helper=helper)
                installation.wait_until_restarted(before, timeout_s=_RESTART_TIMEOUT_S)
                feed.wait_for_next(timeout_s=_WORK_TIMEOUT_S)
                entry.seen["longest wait of a request"] = f"{visitor.longest_outage_s} s"
    _settle(installation, visitor, feed, transcript, act)


def _require_work(feed: Feed) -> None:
    if not feed.unfinished:
        raise RehearsalError("nothing was on its way: a crash now would show nothing")


def _settle(
    installation: Installation, visitor: Visitor, feed: Feed, transcript: Transcript, act: str
) -> None:
    with transcript.step(act, "all documents done, all containers healthy") as entry:
        visitor.wait_for(feed.tasks.values(), timeout_s=_DRAIN_TIMEOUT_S)
        missing = set(feed.tasks) - visitor.documents()
        if missing:
            raise RehearsalError(f"done, but not listed: {sorted(missing)}")
        installation.wait_until_well(timeout_s=_WELL_TIMEOUT_S)
        entry.seen["documents"] = len(feed.tasks)


def roll(
    installation: Installation, visitor: Visitor, transcript: Transcript, services: Sequence[str]
) -> None:
    """Make the containers of some services anew, one service after the other, as an update does.

    Raises:
        RehearsalError: one does not become healthy, or a document is not done.
    """
    act = "Rolling restart"
    with Feed(visitor, "roll") as feed:
        for service in services:
            with transcript.step(act, f"`{service}` made anew") as entry:
                feed.wait_for_next(timeout_s=_WORK_TIMEOUT_S)
                visitor.forget_outages()
                installation.compose("up", "--detach", "--no-deps", "--force-recreate", service)
                installation.wait_until_well(timeout_s=_WELL_TIMEOUT_S)
                entry.seen["longest wait of a request"] = f"{visitor.longest_outage_s} s"
    _settle(installation, visitor, feed, transcript, act)


def scale(installation: Installation, visitor: Visitor, transcript: Transcript, *, to: int) -> None:
    """Have several workers extract, see that each does, and go back to one.

    Raises:
        RehearsalError: one of them does nothing, or a document is not done.
    """
    act = f"worker-extract scaled to {to}"
    service = "worker-extract"
    with transcript.step(act, f"`docker compose up --scale {service}={to}`"):
        _scale(installation, service, to)
    with transcript.step(act, "each of them takes messages") as entry:
        with Feed(visitor, "scale") as feed:
            before = _messages_taken(installation, service)
            while len(before) < to or not _all_more(before, _messages_taken(installation, service)):
                feed.wait_for_next(timeout_s=_WORK_TIMEOUT_S)
        after = _messages_taken(installation, service)
        entry.seen["messages taken"] = ", ".join(str(after[each] - before[each]) for each in after)
    _settle(installation, visitor, feed, transcript, act)
    with transcript.step(act, "back to one"):
        _scale(installation, service, 1)


def _scale(installation: Installation, service: str, count: int) -> None:
    words = (
        "up",
        "--detach",
        "--no-deps",
        "--no-recreate",
        "--scale",
        f"{service}={count}",
        service,
    )
    installation.compose(*words)
    installation.wait_until_well(timeout_s=_WELL_TIMEOUT_S)
    found = len(installation.containers(service))
    if found != count:
        raise RehearsalError(f"{service} has {found} containers instead of {count}")


def _messages_taken(installation: Installation, service: str) -> dict[str, int]:
    """How many messages each container of a service has told of in its log."""
    containers = installation.containers(service)
    logs = {each.identifier: installation.engine.logs(each.identifier) for each in containers}
    return {identifier: log.count(_TAKEN) for identifier, log in logs.items()}


def _all_more(before: dict[str, int], after: dict[str, int]) -> bool:
    return all(after[identifier] > count for identifier, count in before.items())
