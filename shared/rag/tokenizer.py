"""The tokenizer LightRAG counts with: the o200k vocabulary, from a package, not a download."""

from functools import cache
from typing import Any, Self

import tiktoken
from bpe_openai import registry
from lightrag.utils import Tokenizer


class _PackagedVocabulary:
    """Thread-safe and immutable, hence one instance for the whole process.

    The vocabulary comes from bpe-openai, the encoder is tiktoken's: together they take 35 MB
    less than bpe-openai's own encoder.
    """

    def __init__(self) -> None:
        parts = registry.ENCODING_CONSTRUCTORS["o200k_base"]()
        self._encoding = tiktoken.Encoding(
            name=parts["name"],
            pat_str=parts["pat_str"],
            mergeable_ranks=parts["mergeable_ranks"],
            special_tokens=parts["special_tokens"],
        )

    def encode(self, content: str, **_special: Any) -> list[int]:  # noqa: ANN401 - LightRAG's options
        """Turn text into token ids; special tokens in it are ordinary text."""
        return self._encoding.encode(content, disallowed_special=())

    def decode(self, tokens: list[int]) -> str:
        """Turn token ids into text."""
        return self._encoding.decode(tokens)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # LightRAG copies its whole configuration for every operation.
        return self


@cache
def shared_tokenizer() -> Tokenizer:
    """Return the process's one tokenizer."""
    return Tokenizer("gpt-4o-mini", _PackagedVocabulary())
