"""`scripts/health_check.sh`, with everything at work and with one thing after the other away."""

import subprocess

from deploy.rehearsal.basics import UP_TIMEOUT_S
from deploy.rehearsal.commands import RehearsalError
from deploy.rehearsal.installation import Installation
from deploy.rehearsal.transcript import Transcript

ACT = "scripts/health_check.sh"
_CHECK_TIMEOUT_S = 600
_SOMETHING_IS_WRONG = 1  # 2 would be: it cannot ask
# One of each tier and one store, with what has to be said when it is away. Of beat the engine knows
# at once that it is away; that sweeps are late is only said after a minute of them.
_STOPPED = {
    "beat": "beat: exited",
    "worker-extract": "health.queue_extract",
    "api": "health.api",
    "redis": "health.stores",
}


def check_health(installation: Installation, transcript: Transcript) -> None:
    """Run the script; its exit code and its words have to fit.

    Raises:
        RehearsalError: they do not.
    """
    with transcript.step(ACT, "`--probe`: everything runs, a document goes all the way") as entry:
        code, said = _checked(installation, "--probe")
        entry.seen["exit code"] = code
        if code != 0:
            raise RehearsalError(f"health_check.sh ended with {code} though all is well:\n{said}")
    for service, expected in _STOPPED.items():
        with transcript.step(ACT, f"`{service}` stopped") as entry:
            installation.compose("stop", service)
            code, said = _checked(installation)
            if code != _SOMETHING_IS_WRONG:
                raise RehearsalError(f"health_check.sh ends with {code} without {service}:\n{said}")
            entry.seen |= {"exit code": code, "says": _line(said, expected)}
            installation.compose("start", service)
            installation.wait_until_well(timeout_s=UP_TIMEOUT_S)


def _line(said: str, expected: str) -> str:
    for line in said.splitlines():
        if line.startswith("error") and expected in line:
            return " ".join(line.split())
    raise RehearsalError(f"health_check.sh does not say {expected}:\n{said}")


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
