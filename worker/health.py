"""`python -m worker.health`: does the worker of this container take messages? Exit code 0: it does.

It reads what the worker writes of itself (worker/pulse.py). Wrong is only what a new process would
mend: with the broker away for all, killing workers would lose what they are at, and gain nothing.
`--beat` asks the broker instead whether somebody sends the sweeps.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

DEFAULT_PULSE_FILE = Path("/tmp/worker-pulse.json")  # noqa: S108 - a container's own
# Several rounds of the writer, and what a pause of the machine may take.
_WRITTEN_WITHIN_S = 30.0
# Celery looks for its broker again after at most 32 seconds.
_TURNED_WITHIN_S = 60.0
_STALLED_FOR_S = 60.0


class UnhealthyError(Exception):
    """A new process would do better; the sentence says why."""


def judge(pulse: dict[str, Any], *, now_s: float) -> str:
    """Judge what a worker wrote of itself.

    Args:
        pulse: what worker/pulse.py writes.
        now_s: by the clock that it writes by, which is the machine's own since its start.

    Returns:
        A sentence for whoever looks.

    Raises:
        UnhealthyError: this worker takes no messages, and it is its own fault.
    """
    silent_s = now_s - pulse["written_s"]
    if silent_s > _WRITTEN_WITHIN_S:
        raise UnhealthyError(f"The worker has been silent for {silent_s:.0f} s: its loop hangs.")
    if not pulse["broker_answers"]:
        return "The broker does not answer; the worker waits for it."
    if pulse["turned_s"] is None:
        raise UnhealthyError("The worker has not begun to take messages.")
    unturned_s = now_s - pulse["turned_s"]
    if unturned_s > _TURNED_WITHIN_S:
        raise UnhealthyError(
            f"The broker answers, but the worker has not listened to it for {unturned_s:.0f} s."
        )
    if pulse["stalled_since_s"] is not None:
        stalled_s = now_s - pulse["stalled_since_s"]
        if stalled_s > _STALLED_FOR_S:
            raise UnhealthyError(
                f"Messages wait in {', '.join(pulse['waiting'])} and there is room for them, but "
                f"none has been taken for {stalled_s:.0f} s."
            )
    return "The worker takes messages."


def read_pulse(path: Path) -> dict[str, Any]:
    """Read what the worker of this container wrote.

    Raises:
        UnhealthyError: it wrote nothing yet.
    """
    try:
        pulse: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise UnhealthyError(f"The worker has not written {path}: it is not ready.") from None
    return pulse


def judge_beat() -> str:
    """Ask the broker when the last sweep was sent, by this beat or by another.

    Raises:
        SettingsError: a variable is wrong.
        UnhealthyError: none was sent for a while.
    """
    # Here, for what a worker says of itself is read every few seconds without all this.
    from shared.connections import broker_url  # noqa: PLC0415 - see above
    from shared.settings import load_settings  # noqa: PLC0415 - same
    from worker.beat_health import judge_last_sweep  # noqa: PLC0415 - same

    return judge_last_sweep(broker_url(load_settings()))


def main() -> None:
    """Print the sentence and end with 0 or 1."""
    parser = argparse.ArgumentParser(prog="python -m worker.health", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=DEFAULT_PULSE_FILE)
    parser.add_argument("--beat", action="store_true", help="ask whether sweeps are sent")
    arguments = parser.parse_args()
    try:
        if arguments.beat:
            print(judge_beat())  # noqa: T201 - the engine keeps it beside the verdict
        else:
            print(judge(read_pulse(arguments.file), now_s=time.monotonic()))  # noqa: T201 - same
    except UnhealthyError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
