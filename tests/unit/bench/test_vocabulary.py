"""Stock finds its vocabulary without a download."""

from pathlib import Path

import pytest
from tiktoken_ext import openai_public

from bench.systems.stock import provide_vocabulary
from shared.rag.tokenizer import shared_tokenizer


def test_tiktoken_reads_the_provided_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(_address: str) -> bytes:
        pytest.fail("tiktoken wants to download")

    monkeypatch.setattr("tiktoken.load.read_file", no_network)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    provide_vocabulary(tmp_path)
    ranks = openai_public.o200k_base()["mergeable_ranks"]
    assert shared_tokenizer().encode(" harbor") == [ranks[b" harbor"]]
