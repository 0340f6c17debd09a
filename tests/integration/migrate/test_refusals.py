"""What is not moved is said in a sentence, and nothing is changed."""

import asyncio
import shutil
from pathlib import Path

import pytest

from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.here import Here


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """The refusals are the same whatever stores there are."""
    return files_variables(tmp_path / "data") | {"TASK_LEASE_S": "2"}


@pytest.fixture
def ragfleet(ragfleet_here: Here) -> Here:
    """In this process: what is refused is refused before anything that a process would change."""
    return ragfleet_here


def said(ragfleet: Here, *words: str, code: int = 1) -> str:
    """What the command complained of."""
    done = ragfleet("migrate", *words)
    assert done.returncode == code, done.stdout
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_workspace_that_holds_something_is_left_alone(stock_folder: Path, ragfleet: Here) -> None:
    words = ("--from", f"folder:{stock_folder}", "--to", "settings")
    assert ragfleet("migrate", *words).returncode == 0

    again = ragfleet("migrate", *words)
    assert "holds documents already" in again.stderr
    assert again.stdout == ""  # nothing was read for it
    assert ragfleet("migrate", *words, "--verify-only").returncode == 0


def test_a_workspace_that_somebody_writes_in_is_left_alone(
    stock_folder: Path, variables: dict[str, str], ragfleet: Here
) -> None:
    words = ("--from", f"folder:{stock_folder}", "--to", "settings", "-w")
    assert ragfleet("migrate", *words, "other").returncode == 0  # makes the ledger

    async def hold() -> None:
        ledger = await Ledger.open(ledger_url(load_settings(None, overrides=variables)))
        await ledger.workspaces.create(WorkspaceName("taken"))
        lease = await ledger.workspaces.take_commit_lease(
            WorkspaceName("taken"), holder="another", ttl_ms=100_000
        )
        assert lease is not None
        await ledger.close()

    asyncio.run(hold())
    assert "writing" in said(ragfleet, *words, "taken")


def test_vectors_of_another_length_are_refused(
    stock_folder: Path, variables: dict[str, str], ragfleet: Here
) -> None:
    variables |= {
        "EMBEDDING_PROVIDER": "openai",
        "EMBEDDING_BASE_URL": "http://127.0.0.1:9",
        "EMBEDDING_API_KEY": "none",
        "EMBEDDING_MODEL": "another",
        "EMBEDDING_DIM": "8",
    }
    words = ("--from", f"folder:{stock_folder}", "--to", "settings")

    assert "384 numbers of an unnamed model" in said(ragfleet, *words)


def test_stores_that_nobody_named_are_not_guessed(
    stock_folder: Path, variables: dict[str, str], ragfleet: Here
) -> None:
    del variables["USE_EXTERNAL_STORAGE"]
    words = ("--from", f"folder:{stock_folder}", "--to", "settings", "--dry-run")

    assert "set USE_EXTERNAL_STORAGE" in said(ragfleet, *words, code=2)


def test_a_damaged_folder_is_named_before_anything_is_written(
    stock_folder: Path, ragfleet: Here, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(stock_folder, damaged)
    file = damaged / "vdb_relationships.json"
    file.write_bytes(file.read_bytes()[:-40])
    words = ("--to", "settings", "-w", "new", "--from")

    assert "vdb_relationships.json" in said(ragfleet, *words, f"folder:{damaged}")
    assert ragfleet("migrate", *words, f"folder:{stock_folder}").returncode == 0


@pytest.mark.parametrize(
    ("source", "target", "code", "words"),
    [
        ("nonsense", "settings", 2, "is no place"),
        ("folder:", "settings", 2, "is no place"),
        ("settings:", "settings", 2, "is no place"),
        ("settings:x", "settings", 2, "cannot be read"),
        ("settings", "settings", 2, "are the same workspace"),
        ("folder:/nowhere", "settings", 1, "no files of LightRAG"),
        ("archive:/nowhere", "settings", 1, "cannot be read"),
    ],
)
def test_a_wrong_place_is_corrected(
    ragfleet: Here, source: str, target: str, code: int, words: str
) -> None:
    assert words in said(ragfleet, "--from", source, "--to", target, code=code)


@pytest.mark.parametrize("missing", ["vdb_entities.json", "kv_store_text_chunks.json"])
def test_a_folder_that_lacks_a_whole_file_is_refused(
    stock_folder: Path, tmp_path: Path, ragfleet: Here, missing: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(stock_folder, copy)
    (copy / missing).unlink()
    words = ("--from", f"folder:{copy}", "--to", "settings")

    assert said(ragfleet, *words, "--dry-run").startswith("source_incomplete: ")
    assert said(ragfleet, *words).startswith("source_incomplete: ")
    assert not (tmp_path / "data" / "rag").exists()


def test_a_target_that_is_taken_is_named_before_the_source_is_read(
    stock_folder: Path, tmp_path: Path, ragfleet: Here
) -> None:
    taken = tmp_path / "taken"
    shutil.copytree(stock_folder, taken)
    (tmp_path / "taken.ragfleet").touch()
    refusals = {
        f"folder:{taken}": "target_not_empty: ",
        f"archive:{taken}.ragfleet": "target_not_empty: ",
        f"archive:{tmp_path}/nowhere/it.ragfleet": "target_unwritable: There is no folder ",
    }
    for target, refusal in refusals.items():
        done = ragfleet("migrate", "--from", f"folder:{stock_folder}", "--to", target)
        assert done.stderr.startswith(refusal)
        assert done.stdout == ""
        plan = ragfleet("migrate", "--from", f"folder:{stock_folder}", "--to", target, "--dry-run")
        assert plan.stdout.endswith("Nothing was written.")


def test_looking_and_comparing_are_not_asked_for_together(
    stock_folder: Path, ragfleet: Here
) -> None:
    words = ("--from", f"folder:{stock_folder}", "--to", "settings", "--dry-run", "--verify-only")
    assert "leave it or --verify-only out" in said(ragfleet, *words, code=2)
