"""More workers, restarts; documents keep coming all the while."""

import time
from collections.abc import Sequence

from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.feed import EVERY_LONG, WORK_TIMEOUT_S, Feed
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

ROLL = "Rolling restart"
_DRAIN_TIMEOUT_S = 300
_SPREAD_TIMEOUT_S = 240
_WELL_TIMEOUT_S = 240
_POLL_S = 1.0

_COUNT = """
import urllib.request as web
lines = web.urlopen("http://127.0.0.1:9100/metrics", timeout=20).read().decode().splitlines()
name = "ragfleet_stage_duration_seconds_count{"
print(sum(float(x.split()[-1]) for x in lines if x.startswith(name) and 'stage="extract"' in x))
"""


def settle(
    installation: Installation, visitor: Visitor, feed: Feed, transcript: Transcript, *, act: str
) -> None:
    """Wait until everything that was uploaded is done and listed, and all containers are well.

    Raises:
        RehearsalError: a document is not done or not listed, or a container is not well.
    """
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
    with Feed(visitor, "roll", every_long=EVERY_LONG) as feed:
        feed.wait_for_next(timeout_s=WORK_TIMEOUT_S)
        for service in services:
            with transcript.step(ROLL, f"`{service}` made anew") as entry:
                visitor.forget_outages()
                installation.compose("up", "--detach", "--no-deps", "--force-recreate", service)
                installation.wait_until_well(timeout_s=_WELL_TIMEOUT_S)
                entry.seen["longest wait of a request"] = f"{visitor.longest_outage_s} s"
    settle(installation, visitor, feed, transcript, act=ROLL)


def scale(installation: Installation, visitor: Visitor, transcript: Transcript, *, to: int) -> None:
    """Have several workers extract, see that each does, and go back to one.

    Raises:
        RehearsalError: one of them does nothing, or a document is not done.
    """
    act = f"worker-extract scaled to {to}"
    service = "worker-extract"
    with transcript.step(act, f"`docker compose up --scale {service}={to}`"):
        _scale(installation, service, to)
    with transcript.step(act, "each of them extracts") as entry:
        before = _extracted(installation, service)
        with Feed(visitor, "scale", every_long=1) as feed:
            until = time.monotonic() + _SPREAD_TIMEOUT_S
            while not _all_more(before, after := _extracted(installation, service)):
                if time.monotonic() > until:
                    raise RehearsalError(f"not all of {to} containers extract: {before} {after}")
                time.sleep(_POLL_S)
        entry.seen["batches"] = ", ".join(str(after[each] - before[each]) for each in after)
    settle(installation, visitor, feed, transcript, act=act)
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


def _extracted(installation: Installation, service: str) -> dict[str, int]:
    """How many batches of chunks each container of a service was given, by its own metrics."""
    return {
        each.identifier: int(
            float(installation.engine.docker("exec", each.identifier, "python", "-S", "-c", _COUNT))
        )
        for each in installation.containers(service)
    }


def _all_more(before: dict[str, int], after: dict[str, int]) -> bool:
    return all(after[identifier] > count for identifier, count in before.items())
