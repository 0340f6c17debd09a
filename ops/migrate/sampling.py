"""The same questions on both sides: what a language model would be told must be the same.

No model is called. The questions are texts whose vectors the source holds, and these vectors stand
in for those of an embedding model; the keywords are given with them.
"""

import asyncio
import hashlib
import heapq
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, NoReturn

import numpy as np
from lightrag import LightRAG, QueryParam
from lightrag.kg.shared_storage import finalize_share_data
from numpy.typing import NDArray

from ops.migrate.folder.source import FolderSource
from ops.migrate.installation import in_files
from ops.migrate.opening import opened
from ops.migrate.re_embedding.source import ReEmbeddedSource
from ops.migrate.source import Source
from shared.ids import PhysicalWorkspace, WorkspaceName
from shared.rag.models import Models, open_models
from shared.rag.pool import RagPool
from shared.settings import Settings
from worker.commit.operations import Kind, Operation

Mode = Literal["naive", "local", "global", "mix"]

_QUESTIONS = 3
# `{"reference_id": "2", "content": …` and, in the list of sources, `[2] file.txt`.
_REFERENCE = re.compile(r'^\[\d+\] |"reference_id": "\d+", ')
_MODES: tuple[Mode, ...] = ("naive", "local", "global", "mix")
# LightRAG's file storages hold a whole folder in memory: a graph takes nine times its file's bytes.
_MAX_FOLDER_BYTES = 50_000_000
# An index of vectors finds nearly all of the nearest; files find all. Less than this is no such
# difference.
MIN_SHARE = 0.7


@dataclass(frozen=True)
class Asked:
    """What became of the questions."""

    skipped: str = ""
    """Why none was asked; empty: they were."""
    answers: int = 0
    equal: int = 0
    lowest_share: float = 1.0
    """Of the lines of both answers to one question, those that are in both."""

    @property
    def is_good(self) -> bool:
        """Whether no answer is another one."""
        return self.lowest_share >= MIN_SHARE

    def __str__(self) -> str:
        if self.skipped:
            return f"No questions were asked on both sides: {self.skipped}."
        return (
            f"Questions without a model: {self.equal} of {self.answers} contexts are the same on "
            f"both sides; of the least alike {self.lowest_share:.0%} of the lines."
        )


@dataclass
class Sample:
    """Some rows of each kind of vectors, chosen by a digest of their ids: the same each time."""

    _chosen: dict[str, list[tuple[int, str, str, bytes]]] = field(default_factory=dict)

    def add(self, operation: Operation) -> None:
        """Look at an operation."""
        if operation.kind is not Kind.PUT_VECTORS:
            return
        kept = self._chosen.setdefault(operation.storage, [])
        for (key, row), vector in zip(operation.rows, operation.vectors, strict=True):
            number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
            content = str(row.get("content", ""))
            if content:
                heapq.heappush(kept, (-number, key, content, vector))
                if len(kept) > _QUESTIONS:
                    heapq.heappop(kept)

    def contents(self, storage: str) -> list[str]:
        """Return the texts of a storage's chosen rows."""
        return [content for _, _, content, _ in sorted(self._chosen.get(storage, []))]

    def vectors(self) -> dict[str, bytes]:
        """Return the vectors of all chosen texts."""
        return {row[2]: row[3] for rows in self._chosen.values() for row in rows}


def reason_to_skip(source: Source) -> str:
    """Say why a source cannot be asked; empty: it can."""
    if isinstance(source, ReEmbeddedSource):
        return "the target's vectors are of another model"
    if not isinstance(source, FolderSource):
        return "an archive answers none"
    size = sum(path.stat().st_size for path in source.folder.iterdir() if path.is_file())
    if size > _MAX_FOLDER_BYTES:
        return (
            f"LightRAG would hold the folder of {size:,} bytes in memory, the limit is "
            f"{_MAX_FOLDER_BYTES:,}"
        )
    return ""


async def ask_both(source: Source, settings: Settings, name: WorkspaceName) -> Asked:
    """Ask a source and the workspace that was filled from it, and compare what they answer.

    Args:
        source: as it was copied; a folder is copied once more, since LightRAG may write into it.
        settings: of the installation with the workspace.
        name: of the workspace.

    Raises:
        UnavailableError: a store is away.
    """
    if reason := reason_to_skip(source):
        return Asked(skipped=reason)
    assert isinstance(source, FolderSource)  # noqa: S101 - others have a reason
    sample = Sample()
    async for operation in source.operations():
        sample.add(operation)
    if not sample.contents("chunks_vdb"):
        return Asked(skipped="it holds no chunks")
    before = await _ask_folder(source.folder, sample, settings)
    finalize_share_data()
    async with opened(settings, _models(settings, sample)) as (ledger, rags):
        physical = (await ledger.workspaces.get(name)).physical
        async with rags.use(physical) as rag:
            after = await _ask(rag, sample)
    finalize_share_data()
    both = [(_found(one), _found(two)) for one, two in zip(before, after, strict=True)]
    shares = [_share(one, two) for one, two in both]
    return Asked("", len(both), sum(one == two for one, two in both), min(shares))


async def _ask_folder(folder: Path, sample: Sample, settings: Settings) -> list[str]:
    with TemporaryDirectory() as copy:
        workspace = PhysicalWorkspace("asked")
        target = Path(copy) / "rag" / workspace
        await asyncio.to_thread(_copy_files, folder, target)
        files = in_files(settings, Path(copy))
        rags = RagPool(files, _models(files, sample))
        try:
            async with rags.use(workspace) as rag:
                return await _ask(rag, sample)
        finally:
            await rags.close()


def _copy_files(folder: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, target)


def _models(settings: Settings, sample: Sample) -> Models:
    vectors = sample.vectors()

    async def embed(texts: Sequence[str], **_options: object) -> NDArray[np.float32]:
        return np.stack([np.frombuffer(vectors[text], dtype="<f4") for text in texts])

    async def complete(*_arguments: object, **_options: object) -> NoReturn:
        raise NotImplementedError  # contexts need none

    return replace(open_models(settings), embed=embed, complete=complete)


async def _ask(rag: LightRAG, sample: Sample) -> list[str]:
    chunks, entities, relations = (
        sample.contents(name) for name in ("chunks_vdb", "entities_vdb", "relationships_vdb")
    )
    answers = []
    for number, text in enumerate(chunks):
        for mode in _MODES:
            if mode != "naive" and not (entities and relations):
                continue
            options: dict[str, Any] = {"mode": mode, "only_need_context": True}
            if mode != "naive":
                options["ll_keywords"] = [entities[number % len(entities)]]
                options["hl_keywords"] = [relations[number % len(relations)]]
            parameters = QueryParam(**options, enable_rerank=False)
            answers.append(str(await rag.aquery(text, parameters)))
    return answers


def _found(context: str) -> Counter[str]:
    """Return the lines of a context without the numbers of its sources.

    Passages that are equally near come in the order of the store, and are numbered in theirs.
    """
    return Counter(_REFERENCE.sub("", line) for line in context.splitlines())


def _share(one: Counter[str], two: Counter[str]) -> float:
    ours, theirs = set(one), set(two)  # headings and blank lines are in all
    return len(ours & theirs) / len(ours | theirs) if ours | theirs else 1.0
