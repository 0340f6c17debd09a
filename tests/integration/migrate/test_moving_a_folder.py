"""A folder of stock LightRAG moves into any stores, and LightRAG finds everything there."""

import asyncio
import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from lightrag import LightRAG, QueryParam

from ops.migrate.archive_places import ArchiveFile
from ops.migrate.folder.source import FolderSource
from ops.migrate.source import ArchiveSource, Source
from ops.migrate.tally import own_fields, section_of
from shared.connections import ledger_url
from shared.ids import WorkspaceName
from shared.ledger.ledger import Ledger
from shared.settings import load_settings
from tests.integration.engine.contents import Contents, Sets, read_contents
from tests.integration.engine.shapes import files_variables
from tests.integration.migrate.conftest import Command, opened
from tests.integration.migrate.here import Here
from tests.integration.migrate.stock_folder import TEXTS

QUESTIONS = ["Who commanded Apollo 11?", "Where was Albert Einstein born?"]
EMPTY: tuple[Any, ...] = (None, "", [], {})
MODES: list[Literal["naive", "local", "global", "mix"]] = ["naive", "local", "global", "mix"]


async def contexts(rag: LightRAG) -> dict[tuple[str, str], Any]:
    """What a language model would be told, by question and mode."""
    return {
        (question, mode): await rag.aquery(question, QueryParam(mode=mode, only_need_context=True))
        for question in QUESTIONS
        for mode in MODES
    }


def comparable(contents: Contents) -> Sets:
    """All but vectors, which LightRAG gives in half precision from files, and what is not said."""
    documents = {name: said(document) for name, document in contents.documents.items()}
    return replace(contents.as_sets(), chunk_vectors={}, documents=documents)


def said(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: said(field) for name, field in value.items() if field not in EMPTY}
    return value


async def items_of(source: Source) -> dict[str, dict[tuple[str, ...], Any]]:
    """Everything that a source says, but for times of writing."""
    found: defaultdict[str, dict[tuple[str, ...], Any]] = defaultdict(dict)
    async for operation in source.operations():
        section = section_of(operation)
        for *names, row in operation.rows:
            fields = {name: moment(value) for name, value in own_fields(section, row).items()}
            found[section][*sorted(names)] = said(fields)
    return found


def moment(value: Any) -> Any:
    """LightRAG's stores write the same time in different ways."""
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except (TypeError, ValueError):
        return value


def receipt_in(folder: Path) -> dict[str, Any]:
    [file] = folder.glob("migrations/*.receipt.json")
    receipt: dict[str, Any] = json.loads(file.read_text())
    return receipt


async def test_everything_is_there(
    stock_folder: Path, variables: dict[str, str], ragfleet: Command
) -> None:
    done = await asyncio.to_thread(
        ragfleet, "migrate", "--from", f"folder:{stock_folder}", "--to", "settings", "-w", "moved"
    )
    assert done.returncode == 0, done.stdout + done.stderr

    async with opened(files_variables(stock_folder.parent), "") as rag:
        before, contexts_before = await read_contents(rag, TEXTS), await contexts(rag)
    async with opened(variables, "moved") as rag:
        after, contexts_after = await read_contents(rag, TEXTS), await contexts(rag)
    assert (after.nodes, after.edges) == (before.nodes, before.edges)
    assert comparable(after) == comparable(before)
    assert contexts_after == contexts_before
    assert all(contexts_before.values())
    ledger = await Ledger.open(ledger_url(load_settings(None, overrides=variables)))
    listed = await ledger.documents.page(WorkspaceName("moved"), cursor=None, limit=10)
    await ledger.close()
    assert {one.doc_id for one in listed.rows} == set(TEXTS)
    assert {one.file_name for one in listed.rows} == {f"{name}.txt" for name in TEXTS}
    assert receipt_in(Path(variables["DATA_DIR"]))["items"]["full_docs"]["count"] == len(TEXTS)


async def test_what_is_in_the_stores_goes_into_an_archive_and_is_what_was_in_the_folder(
    stock_folder: Path, variables: dict[str, str], ragfleet_here: Here, tmp_path: Path
) -> None:
    path = tmp_path / "moved.ragfleet"
    for words in (
        ("--from", f"folder:{stock_folder}", "--to", "settings", "-w", "moved"),
        ("--from", "settings", "--source-workspace", "moved", "--to", f"archive:{path}"),
    ):
        done = await asyncio.to_thread(ragfleet_here, "migrate", *words)
        assert done.returncode == 0, done.stdout + done.stderr

    source = FolderSource.in_folder(stock_folder, "")
    assert await items_of(ArchiveSource(ArchiveFile(path))) == await items_of(source)


async def test_an_empty_workspace_differs(stock_folder: Path, ragfleet_here: Here) -> None:
    words = ("--from", f"folder:{stock_folder}", "--to", "settings", "--verify-only")
    done = await asyncio.to_thread(ragfleet_here, "migrate", *words)

    assert done.returncode == 1
    assert done.stderr.startswith("migration_differs: Not everything is in the target")
