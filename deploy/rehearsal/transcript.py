"""What was done, when, how long it took and what was seen; as JSON and as a page."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass
class Entry:
    """One step of the rehearsal."""

    act: str
    what: str
    after_s: float
    took_s: float = 0.0
    seen: dict[str, Any] = field(default_factory=dict)
    """What was counted and measured, by name."""
    failed: str = ""


class Transcript:
    """All steps so far; told on the screen while they are done."""

    def __init__(self, ground: dict[str, Any]) -> None:
        """Begin now, with what is known of the machine and the engine."""
        self.ground = ground
        self.entries: list[Entry] = []
        self._began = datetime.now(UTC).replace(microsecond=0)
        self._began_s = time.monotonic()

    @contextmanager
    def step(self, act: str, what: str) -> Iterator[Entry]:
        """Note one step with its time; what it saw is put into the entry's `seen`."""
        entry = Entry(act, what, after_s=self._elapsed_s())
        self.entries.append(entry)
        print(f"{entry.after_s:6.1f} s  {act}: {what} …", flush=True)
        try:
            yield entry
        except BaseException as error:
            entry.failed = str(error) or type(error).__name__
            raise
        finally:
            entry.took_s = round(self._elapsed_s() - entry.after_s, 1)
            shown = ", ".join(f"{name}: {value}" for name, value in entry.seen.items())
            print(f"          took {entry.took_s} s  {shown or entry.failed}", flush=True)

    def _elapsed_s(self) -> float:
        return round(time.monotonic() - self._began_s, 1)

    def write(self, path: Path) -> None:
        """Write the JSON, and the page beside it."""
        content = {
            "began": self._began.isoformat(),
            "took_s": self._elapsed_s(),
            "ground": self.ground,
            "steps": [asdict(entry) for entry in self.entries],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        path.with_suffix(".md").write_text(page(content))


def page(content: dict[str, Any]) -> str:
    """Write the transcript for people, from what its JSON holds."""
    lines = [
        "# The compose rehearsal",
        "",
        "Written by `make rehearse` from `rehearsal.json` beside it. What is done and how to do it",
        "again: [deploy/rehearsal](../../deploy/rehearsal/README.md).",
        "",
        f"Begun {content['began']}, {content['took_s']:.0f} s in all.",
        "",
        *(f"- {name}: {value}" for name, value in content["ground"].items()),
    ]
    act = ""
    for step in content["steps"]:
        if step["act"] != act:
            act = step["act"]
            lines += ["", f"## {act}", "", "| at | step | took | seen |", "|---|---|---|---|"]
        lines.append(_row(step))
    return "\n".join(lines) + "\n"


def _row(step: dict[str, Any]) -> str:
    seen = "; ".join(f"{name}: {value}" for name, value in step["seen"].items())
    if step["failed"]:
        seen = f"**failed**: {step['failed'].splitlines()[0]}"
    seen = seen.replace("|", chr(92) + "|")
    return f"| {step['after_s']:.0f} s | {step['what']} | {step['took_s']} s | {seen} |"
