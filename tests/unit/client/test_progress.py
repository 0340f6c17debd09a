"""How documents are shown while they come along."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from ops.client.delivery import Outcome
from ops.client.progress import LiveBars, PlainLines, watch

PATH = Path("三国[1].txt")
DONE = Outcome(PATH, "task-1", "doc-1", "succeeded", chunks=4)


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=120, color_system=None)


def printed(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def task(state: str, done: int, total: int | None) -> dict[str, Any]:
    return {"state": state, "chunks": {"done": done, "total": total}}


def test_a_terminal_gets_bars_and_a_pipe_gets_lines() -> None:
    assert isinstance(watch(console(terminal=True), documents=1, live=True), LiveBars)
    with watch(console(terminal=False), documents=1, live=True) as watcher:
        assert isinstance(watcher, PlainLines)


def test_a_bar_shows_chunks_done_of_total_and_the_state() -> None:
    screen = console(terminal=True)
    with LiveBars(screen, documents=2) as bars:
        bars.moved(PATH, task("preparing", 0, None))
        bars.moved(PATH, task("extracting", 3, 7))
    assert "三国[1].txt" in printed(screen)
    assert "3/7" in printed(screen)
    assert "extracting" in printed(screen)


def test_a_waiting_document_has_no_bar_yet() -> None:
    screen = console(terminal=True)
    with LiveBars(screen, documents=300) as bars:
        bars.moved(PATH, task("queued", 0, None))
    assert PATH.name not in printed(screen)


def test_a_finished_document_leaves_a_line_and_no_bar() -> None:
    screen = console(terminal=True)
    with LiveBars(screen, documents=1) as bars:
        bars.moved(PATH, task("extracting", 3, 4))
        bars.ended(DONE)
    assert "✓ 三国[1].txt  succeeded, 4 chunks" in printed(screen)
    last_frame = printed(screen).rpartition("\x1b[2K")[2]
    assert "1/1" in last_frame
    assert PATH.name not in last_frame


def test_a_failed_document_has_its_code_and_sentence_in_its_line() -> None:
    pipe = console(terminal=False)
    failed = Outcome(PATH, "task-1", "doc-1", "failed", code="no_text", detail="It is [empty].")
    PlainLines(pipe).ended(failed)
    assert printed(pipe) == "✗ 三国[1].txt  no_text: It is [empty].\n"
