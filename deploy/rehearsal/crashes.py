"""Crashes: every container is killed while documents are ingested."""

from collections.abc import Sequence

from deploy.rehearsal.containers import Container
from deploy.rehearsal.disturbances import settle
from deploy.rehearsal.feed import EVERY_LONG, WORK_TIMEOUT_S, Feed
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.transcript import Transcript
from deploy.rehearsal.visitor import Visitor

_RESTART_TIMEOUT_S = 60
# What is killed while the one before it is not back at work yet. The first of each takes long:
# Neo4j's JVM starts, the lease of a dead writer runs out.
_TOGETHER = (
    ("neo4j", "beat", "flower", "nginx"),
    ("api",),
    ("postgres",),
    ("redis",),
    ("worker-commit", "worker-extract", "worker-prepare"),
)
ACT = "Every container killed"


def crash_each(
    installation: Installation, visitor: Visitor, transcript: Transcript, *, helper: str
) -> None:
    """Kill every container while documents are ingested; all come back, nothing is lost.

    Raises:
        RehearsalError: a container stays away or ends by itself, or a document is not done.
    """
    with Feed(visitor, "crash", every_long=EVERY_LONG) as feed:
        feed.wait_for_next(timeout_s=WORK_TIMEOUT_S)
        for group in _groups(installation.containers()):
            visitor.forget_outages()
            for each in group:
                with transcript.step(ACT, f"`{each.service}` killed") as entry:
                    entry.seen["documents on their way"] = feed.wait_until_busy(
                        timeout_s=WORK_TIMEOUT_S
                    )
                    before = installation.again(each)
                    installation.crash(before, helper=helper)
                    installation.wait_until_restarted(before, timeout_s=_RESTART_TIMEOUT_S)
            with transcript.step(ACT, "a document that came after that is done") as entry:
                feed.wait_for_next(timeout_s=WORK_TIMEOUT_S)
                entry.seen["longest wait of a request"] = f"{visitor.longest_outage_s} s"
    settle(installation, visitor, feed, transcript, act=ACT)
    note_restarts(installation, transcript, act=ACT)


def _groups(containers: Sequence[Container]) -> list[list[Container]]:
    """All that run, those together that can be; none is left out."""
    running = {each.service: each for each in containers if each.status == "running"}
    groups = [[running.pop(name) for name in names if name in running] for names in _TOGETHER]
    return [group for group in [*groups, *([each] for each in running.values())] if group]


def note_restarts(installation: Installation, transcript: Transcript, *, act: str) -> None:
    """See that no container ended by itself.

    Raises:
        RehearsalError: one did.
    """
    with transcript.step(act, "no container restarted more often than it was killed") as entry:
        counts = installation.require_no_own_restarts()
        entry.seen["restarts"] = ", ".join(f"{name} {count}" for name, count in counts.items())
