"""Our tokenizer gives the same ids as the package whose vocabulary it reads."""

import bpe_openai
import pytest

from shared.rag.tokenizer import shared_tokenizer

TEXTS = [
    "Who's there? I'LL go, they've 12345 apples.\n\n\tTabs  and   spaces   \r\n",
    "滚滚长江东逝水，浪花淘尽英雄。",
    "naïve café — Ünïcödé 🚀👩‍🚀 ÅÄÖ",
    "def f(x):\n    return x**2  # comment\n\n\n",
    "",
    " ",
    "\x00\x01 odd \u200b controls",
]


@pytest.mark.parametrize("text", TEXTS)
def test_token_ids_equal_those_of_the_published_encoding(text: str) -> None:
    published = bpe_openai.get_encoding("o200k_base")
    assert shared_tokenizer().encode(text) == published.encode(text)
    assert shared_tokenizer().decode(published.encode(text)) == text


def test_special_tokens_are_ordinary_text() -> None:
    tokens = shared_tokenizer().encode("a <|endoftext|> b")
    assert shared_tokenizer().decode(tokens) == "a <|endoftext|> b"
    assert len(tokens) > 3


def test_every_workspace_shares_one_tokenizer() -> None:
    assert shared_tokenizer() is shared_tokenizer()
