"""How far a copy came: written down beside the data, so that a killed one goes on."""

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ops.migrate.errors import TargetNotEmptyError
from shared.ids import PhysicalWorkspace
from shared.settings import Settings
from worker.commit.apply.in_flight import MOST

# An operation has some hundred rows: seconds of work are done again after a kill.
_OPERATIONS_A_CHECKPOINT = 8

_VERSION = version("lightrag-fleet")


class Checkpoints:
    """The file about a copy into one workspace; there is none when nothing is half done."""

    def __init__(self, path: Path, *, source: str, seq: int, is_durable_at_once: bool) -> None:
        self.source = source
        """The fingerprint of what is copied."""
        self._seq = seq
        self.operations = 0
        """So many of its first operations were in the target when the copy was broken off."""
        self._path = path
        self._is_durable_at_once = is_durable_at_once

    def find(self) -> bool:
        """Look for a copy that was begun, and tell whether there is one.

        Raises:
            TargetNotEmptyError: another source was half copied, this one has changed since, or
                somebody else has written into the workspace.
        """
        found = read_checkpoint(self._path)
        if found is None:
            return False
        if found["source"] != self.source:
            sentence = (
                "Another source, or this one before it was changed, is half copied into this "
                "workspace; delete the workspace and begin anew."
            )
            raise TargetNotEmptyError(sentence)
        if found["seq"] != self._seq:
            sentence = (
                "Documents were committed into this workspace after the copy was broken off, and "
                "going on would undo parts of them; move into another workspace."
            )
            raise TargetNotEmptyError(sentence)
        # Another version may cut operations otherwise; what is written twice is the same.
        self.operations = found["operations"] if found["version"] == _VERSION else 0
        return True

    def begin(self) -> None:
        """Note that a copy is begun."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._write(0)

    def reached(self, number: int) -> None:
        """Note from time to time that an operation was handed over, counted from 0."""
        done = number - MOST  # stores take a few at once: what is noted was written before those
        if self._is_durable_at_once and done > 0 and number % _OPERATIONS_A_CHECKPOINT == 0:
            self._write(done)

    def copied(self, operations: int) -> None:
        """Note that everything was copied, and durably."""
        self._write(operations)

    def is_copied(self, operations: int) -> bool:
        """Tell whether as many operations as these were copied, and durably."""
        found = read_checkpoint(self._path)
        return found is not None and found["operations"] >= operations

    def remove(self) -> None:
        """Forget it: the copy was compared."""
        self._path.unlink(missing_ok=True)

    def _write(self, operations: int) -> None:
        content = {
            "source": self.source,
            "seq": self._seq,
            "operations": operations,
            "version": _VERSION,
        }
        unfinished = self._path.with_suffix(".new")
        with unfinished.open("w") as file:
            file.write(json.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)


def checkpoint_path(settings: Settings, physical: PhysicalWorkspace) -> Path:
    """Return the file about a copy into a workspace; it is there while the copy is half done."""
    return settings.storage.data_dir / "migrations" / f"{physical}.json"


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """Read `source`, `seq`, `operations` and `version` of a begun copy; None: there is none.

    Raises:
        TargetNotEmptyError: the file is damaged, so nobody knows how far the copy came.
    """
    try:
        found = json.loads(path.read_text())
        named = ("source", "seq", "operations")
        return {name: found[name] for name in named} | {"version": found.get("version")}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        sentence = (
            f"{path} is damaged, so nobody knows how far a copy into this workspace came; delete "
            "that file and the workspace, and begin anew."
        )
        raise TargetNotEmptyError(sentence) from None
