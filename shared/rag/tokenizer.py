"""The tokenizer LightRAG counts with: the o200k vocabulary, from a package, not a download."""

import base64
import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import tiktoken
from lightrag.utils import Tokenizer

from shared.memory import return_freed_memory

# How o200k cuts text before it looks words up, as OpenAI published it with the vocabulary.
_WORD_PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


class _PackagedVocabulary:
    """Thread-safe and immutable, hence one instance for the whole process."""

    def __init__(self) -> None:
        self._encoding = tiktoken.Encoding(
            name="o200k_base",
            pat_str=_WORD_PATTERN,
            mergeable_ranks=_read_ranks(),
            special_tokens={},
        )

    def encode(self, content: str, **_special: Any) -> list[int]:  # noqa: ANN401 - LightRAG's options
        """Turn text into token ids; `<|endoftext|>` in it is ordinary text."""
        return self._encoding.encode_ordinary(content)

    def decode(self, tokens: list[int]) -> str:
        """Turn token ids into text."""
        return self._encoding.decode(tokens)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # LightRAG copies its whole configuration for every operation.
        return self


def _read_ranks() -> dict[bytes, int]:
    """Read the vocabulary out of bpe-openai without importing it: that would take 90 MB more."""
    package = find_spec("bpe_openai")
    assert package is not None  # noqa: S101 - a pinned requirement
    assert package.origin is not None  # noqa: S101 - it has an __init__.py
    path = Path(package.origin).parent / "data" / "o200k_base.tiktoken.gz"
    with gzip.open(path, "rb") as lines:
        pairs = (line.split() for line in lines)
        return {base64.b64decode(token): int(rank) for token, rank in pairs}


@cache
def shared_tokenizer() -> Tokenizer:
    """Return the process's one tokenizer."""
    tokenizer = Tokenizer("gpt-4o-mini", _PackagedVocabulary())
    return_freed_memory()  # the vocabulary as it was read
    return tokenizer
