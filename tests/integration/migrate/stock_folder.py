"""`python -m tests.integration.migrate.stock_folder DIR`: what LightRAG's own pipeline writes."""

import asyncio
import sys
from pathlib import Path

from shared.ids import PhysicalWorkspace
from shared.rag.engine import build_rag
from shared.rag.environment import publish_environment
from shared.rag.models import open_models
from shared.settings import load_settings
from tests.integration.engine.shapes import files_variables

TEXTS = {
    "apollo": "Neil Armstrong commanded Apollo 11. Buzz Aldrin flew with Neil Armstrong. " * 9,
    "einstein": "Albert Einstein was born in Ulm. NASA tested the theory of Albert Einstein. " * 9,
    "doc-0123456789abcdef": "清华大学在北京。 Albert Einstein met Niels Bohr in Copenhagen. " * 30,
}


async def fill(folder: Path) -> None:
    """Fill the workspace without a name."""
    settings = load_settings(None, overrides=files_variables(folder))
    publish_environment(settings)
    rag = build_rag(settings, open_models(settings), workspace=PhysicalWorkspace(""))
    await rag.initialize_storages()
    for doc_id, text in TEXTS.items():
        await rag.ainsert(text, ids=[doc_id], file_paths=[f"{doc_id}.txt"])
    await rag.finalize_storages()


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1])))
