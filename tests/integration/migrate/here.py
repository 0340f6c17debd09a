"""The command in this process: a second of imports less for each of its many refusals."""

import logging
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from click.testing import Result
from lightrag.kg.shared_storage import finalize_share_data
from typer.testing import CliRunner

from ops.cli import app
from tests.services import _environment_kept


@dataclass(frozen=True)
class Done:
    """What a process would have left."""

    returncode: int
    stdout: str
    stderr: str


Here = Callable[..., Done]


def command_here(variables: Mapping[str, str]) -> Here:
    """Return `ragfleet` with these settings; what it does not foresee is raised."""

    def invoke(words: list[str], typed: str | None) -> Result:
        given = {"TASK_LEASE_S": "4", **variables}
        return CliRunner().invoke(app, words, input=typed, env=given, catch_exceptions=False)

    def ragfleet(*words: str, typed: str | None = None) -> Done:
        handlers, level, mask = logging.root.handlers[:], logging.root.level, os.umask(0o077)
        with _environment_kept():
            try:
                # In a thread of its own, which has no event loop of pytest's.
                with ThreadPoolExecutor(max_workers=1) as thread:
                    done = thread.submit(invoke, list(words), typed).result()
            finally:
                os.umask(mask)
                logging.root.handlers[:] = handlers
                logging.root.setLevel(level)
                finalize_share_data()
        # Tables are cut to the width of a terminal that is not there; sentences must not be.
        return Done(done.exit_code, " ".join(done.stdout.split()), done.stderr)

    return ragfleet
