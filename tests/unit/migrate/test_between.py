"""Between two installations: two steps in processes of their own, with an archive between them."""

import fcntl
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ops.migrate import between
from ops.migrate.errors import MigrationRunningError, PlaceError
from ops.migrate.places import PlaceKind, parse_place
from ops.migrate.request import Request
from shared.errors import SettingsError
from shared.ids import WorkspaceName

FAILED = 1


class Steps:
    """Stands for the child processes: notes what each is asked, writes archives, fails if told."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.failing: set[PlaceKind] = set()

    def arguments(self, request: Request) -> list[str]:
        self.requests.append(request)
        into, path = request.target.kind, str(request.target.path)
        code = FAILED if into in self.failing else 0
        writes = into is PlaceKind.ARCHIVE and not request.dry_run and not code
        program = f"import sys; {writes} and open({path!r}, 'x').close(); sys.exit({code})"
        return [sys.executable, "-S", "-c", program]

    @property
    def kinds(self) -> list[tuple[PlaceKind, PlaceKind]]:
        return [(request.source.kind, request.target.kind) for request in self.requests]


OUT = (PlaceKind.SETTINGS, PlaceKind.ARCHIVE)
IN = (PlaceKind.ARCHIVE, PlaceKind.SETTINGS)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    steps = Steps()
    monkeypatch.setattr(between, "arguments", steps.arguments)
    return steps


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    ends = []
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        file = tmp_path / name / ".env"
        file.write_text("USE_EXTERNAL_STORAGE=true\nDATA_DIR=data\nPOSTGRES_PASSWORD=hush\n")
        ends.append(parse_place(f"settings:{file}"))
    source, target = ends
    return Request(source, "", target, WorkspaceName("w"), dry_run=False, verify_only=False)


def archives(request: Request) -> list[Path]:
    return [*(request.target.path.parent / "data/migrations").glob("*.ragfleet")]


def run(request: Request) -> int:
    return between.run_in_processes(request, archive_dir=None)


def test_the_archive_is_gone_when_everything_was_compared(steps: Steps, request_: Request) -> None:
    assert run(request_) == 0
    assert steps.kinds == [OUT, IN]
    assert archives(request_) == []
    first, second = steps.requests
    assert str(second.source) == str(request_.source)  # what receipts say
    assert first.target.path == second.source.path


def test_the_first_step_is_not_done_again_when_the_second_was_broken_off(
    steps: Steps, request_: Request
) -> None:
    steps.failing = {PlaceKind.SETTINGS}
    assert run(request_) == FAILED
    assert len(archives(request_)) == 1
    steps.failing = set()
    assert run(request_) == 0
    assert steps.kinds == [OUT, IN, IN]
    assert archives(request_) == []


def test_what_another_installation_left_is_not_taken_up(
    steps: Steps, request_: Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = replace(request_, source=parse_place("settings"))
    monkeypatch.setenv("USE_EXTERNAL_STORAGE", "false")
    steps.failing = {PlaceKind.SETTINGS}
    for name in ("one", "two", "two"):
        monkeypatch.setenv("DATA_DIR", str(tmp_path / name))
        assert run(request) == FAILED
    assert steps.kinds == [OUT, IN, OUT, IN, IN]
    assert len(archives(request)) == 2


def test_a_first_step_that_fails_ends_it_and_leaves_nothing(
    steps: Steps, request_: Request
) -> None:
    steps.failing = {PlaceKind.ARCHIVE}
    assert run(request_) == FAILED
    assert steps.kinds == [OUT]
    assert archives(request_) == []


def test_a_dry_run_reads_the_source_alone(steps: Steps, request_: Request) -> None:
    assert run(replace(request_, dry_run=True)) == 0
    assert steps.kinds == [OUT]
    assert not (request_.target.path.parent / "data").exists()


def test_only_the_second_step_replaces_something(steps: Steps, request_: Request) -> None:
    replacing = replace(request_, is_replacing=True, is_confirmed=True)
    assert run(replacing) == 0
    assert [step.is_replacing for step in steps.requests] == [False, True]
    assert run(replace(replacing, dry_run=True)) == 0
    assert not steps.requests[-1].is_replacing


def test_what_a_killed_one_half_wrote_is_removed(steps: Steps, request_: Request) -> None:
    folder = request_.target.path.parent / "data/migrations"
    steps.failing = {PlaceKind.ARCHIVE}
    run(request_)
    leftover = folder / f"{steps.requests[0].target.path.name}.abcd.part"
    leftover.write_bytes(b"half")
    run(request_)
    assert not leftover.exists()


def test_the_same_migration_does_not_run_twice_at_once(steps: Steps, request_: Request) -> None:
    steps.failing = {PlaceKind.ARCHIVE}
    run(request_)
    with steps.requests[0].target.path.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(MigrationRunningError):
            run(request_)


def test_one_step_is_enough_where_the_other_end_is_a_file(
    steps: Steps, request_: Request, tmp_path: Path
) -> None:
    archive = parse_place(f"archive:{tmp_path / 'a'}")
    assert run(replace(request_, target=archive)) == 0
    assert steps.kinds == [OUT]
    assert archive.path.exists()


def test_a_workspace_is_copied_within_an_installation_under_another_name_alone(
    steps: Steps, request_: Request
) -> None:
    within = replace(request_, target=request_.source)
    with pytest.raises(PlaceError, match="same workspace"):
        run(within)
    assert run(replace(within, source_workspace="other")) == 0
    assert steps.kinds == [OUT, IN]


def test_settings_are_read_before_anything_begins(steps: Steps, request_: Request) -> None:
    request_.target.path.write_text("USE_EXTERNAL_STORAGE=perhaps")
    with pytest.raises(SettingsError, match="USE_EXTERNAL_STORAGE"):
        run(request_)
    assert steps.requests == []


def test_no_secret_is_on_a_command_line(request_: Request) -> None:
    words = between.arguments(request_)
    assert "hush" not in " ".join(words)
    assert json.loads(words[-1])["workspace"] == "w"
