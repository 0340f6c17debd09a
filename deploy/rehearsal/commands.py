"""Other programs: run to their end, with what they said when they fail."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TAIL_CHARACTERS = 3000


class RehearsalError(Exception):
    """The rehearsal went wrong; the sentence says where."""


class NotPossibleError(RehearsalError):
    """This machine cannot rehearse; the sentence says what is missing."""


def run(
    argv: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout_s: float = 600,
) -> str:
    """Run a program that must succeed.

    Returns:
        What it wrote to its standard output.

    Raises:
        RehearsalError: it ended with another code than 0, or not in time.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired:
        raise RehearsalError(f"`{' '.join(words)}` took more than {timeout_s:.0f} s") from None
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-_TAIL_CHARACTERS:]
        raise RehearsalError(f"`{' '.join(words)}` ended with {done.returncode}:\n{said}")
    return done.stdout
