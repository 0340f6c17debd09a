"""Whether sweeps are sent: what beat notes in the broker says when the next one is due."""

import time

import redis

from worker.health import UnhealthyError

# RedBeat's own names for its list of what is due, and for our entry in it.
_SCHEDULE_KEY = "redbeat::schedule"
_SWEEP_KEY = "redbeat:sweep"
# A beat that waits for another's lock takes over after at most ten seconds.
_LATE_S = 60.0
_TIMEOUT_S = 5.0


def judge_last_sweep(url: str) -> str:
    """Ask the broker when the next sweep is due.

    Args:
        url: of the broker.

    Returns:
        A sentence for whoever looks; also when the broker is away, which is not beat's fault.

    Raises:
        UnhealthyError: it was due long ago, so nobody sends them.
    """
    try:
        due_s = next_sweep_s(url)
    except redis.RedisError:
        return "The broker does not answer; beat waits for it."
    return judge_due(due_s, now_s=time.time())


def next_sweep_s(url: str) -> float | None:
    """Return when the next sweep is due, in seconds since the epoch; None: nobody wrote it down.

    Raises:
        redis.RedisError: the broker is away.
    """
    client = redis.Redis.from_url(
        url,
        socket_connect_timeout=_TIMEOUT_S,
        socket_timeout=_TIMEOUT_S,
        client_name="ragfleet-beat-health",
    )
    with client:
        due_s = client.zscore(_SCHEDULE_KEY, _SWEEP_KEY)
    return due_s if isinstance(due_s, float) else None


def judge_due(due_s: float | None, *, now_s: float) -> str:
    """Judge when the next sweep is due, in seconds since the epoch.

    Raises:
        UnhealthyError: nobody sends sweeps.
    """
    if due_s is None:
        raise UnhealthyError("Beat has not written down when it will send the next sweep.")
    late_s = now_s - due_s
    if late_s > _LATE_S:
        raise UnhealthyError(f"The next sweep was due {late_s:.0f} s ago: nobody sends them.")
    return "Sweeps are sent."
