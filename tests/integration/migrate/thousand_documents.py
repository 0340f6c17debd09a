"""`python -m tests.integration.migrate.thousand_documents DIR`: what LightRAG makes of so many."""

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import Any

from shared.ids import PhysicalWorkspace
from shared.rag.engine import build_rag
from shared.rag.environment import publish_environment
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables
from tests.models import CountingModel, models_of

DOCUMENTS = 1000
_SENTENCES = 3
_PEOPLE = 180
_PLACES = ["Aachen", "Bonn", "Celle", "Dresden", "Erfurt", "Fulda", "Gera", "Hanau", "Jena"]
_FIRST = ["Ada", "Bela", "Carla", "Dora", "Emil", "Fritz", "Greta", "Hugo", "Ida", "Jonas"]
_LAST = ["Adler", "Berger", "Conrad", "Dietz", "Eckert", "Fuchs", "Gruber", "Haas", "Imhof"]
_SUFFIX = ["Senior", "Junior"]


def person(number: int) -> str:
    """One of 180 people with a name of their own."""
    first, rest = number % len(_FIRST), number // len(_FIRST)
    last, suffix = rest % len(_LAST), rest // len(_LAST) % len(_SUFFIX)
    return f"{_FIRST[first]} {_LAST[last]} {_SUFFIX[suffix]}"


def texts() -> dict[str, str]:
    """The same each time; a person is in some thirty of them."""
    found = {}
    for number in range(DOCUMENTS):
        sentences = " ".join(_sentence(f"{number} {one}") for one in range(_SENTENCES))
        found[f"doc-{number:04}"] = f"Letter {number}. {sentences}"
    return found


def _sentence(seed: str) -> str:
    first, second, third, *_ = hashlib.sha256(seed.encode()).digest()
    place = _PLACES[third % len(_PLACES)]
    return f"{person(first % _PEOPLE)} met {person(second % _PEOPLE)} in {place}."


async def fill(folder: Path) -> None:
    """Insert all documents in the workspace without a name, and write the files once."""
    settings = load_settings(None, overrides=files_variables(folder))
    publish_environment(settings)
    rag = build_rag(settings, models_of(CountingModel()), workspace=PhysicalWorkspace(""))
    await rag.initialize_storages()
    # After every document LightRAG writes all files anew: minutes, and the last ones are the same.
    write_all, write_status = rag._insert_done, rag.doc_status.index_done_callback
    rag._insert_done = rag.doc_status.index_done_callback = _later
    found = texts()
    files = [f"{doc_id}.txt" for doc_id in found]
    await rag.ainsert(list(found.values()), ids=list(found), file_paths=files)
    rag._insert_done, rag.doc_status.index_done_callback = write_all, write_status
    await rag._insert_done()
    await rag.finalize_storages()


async def _later(*_arguments: Any, **_options: Any) -> None:
    pass


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
