"""The tokenizer LightRAG counts with: the o200k vocabulary, from a package, not a download."""

from functools import cache
from typing import Any, Self

import bpe_openai
from lightrag.utils import Tokenizer


class _PackagedVocabulary:
    """Thread-safe and immutable, hence one instance for the whole process."""

    def __init__(self) -> None:
        self._encoding = bpe_openai.get_encoding("o200k_base")

    def encode(self, content: str, **_special: Any) -> list[int]:  # noqa: ANN401 - LightRAG's options
        """Turn text into token ids; special tokens in it are ordinary text."""
        tokens: list[int] = self._encoding.encode(content, disallowed_special=())
        return tokens

    def decode(self, tokens: list[int]) -> str:
        """Turn token ids into text."""
        text: str = self._encoding.decode(tokens)
        return text

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # LightRAG copies its whole configuration for every operation.
        return self


@cache
def shared_tokenizer() -> Tokenizer:
    """Return the process's one tokenizer."""
    return Tokenizer("gpt-4o-mini", _PackagedVocabulary())
