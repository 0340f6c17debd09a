"""A summary that the model does not give is put together from what was to be summarised."""

import json
from typing import Any

import pytest
from lightrag.utils import TruncatedResponse, is_truncated_response

from shared.errors import ModelRefusedError, ModelUnavailableError
from worker.commit.summaries import Complete, ExtractionInCommitError, summaries_only

LINES = [json.dumps({"Description": words}) for words in ("Ann is old.", "Ann is <SEP>wise.")]
PROMPT = "\n".join(["Summarise these.", *LINES, '{"Description" broken', "The end."])
JOINED = "Ann is old.<SEP>Ann is <SEP>wise."


def answering(reply: Any) -> Complete:
    async def call(_prompt: str, system_prompt: str | None = None, **_options: Any) -> Any:
        assert system_prompt is None
        if isinstance(reply, Exception):
            raise reply
        return reply

    return summaries_only(call)


async def test_a_summary_passes_unchanged() -> None:
    assert await answering("Ann is old and wise.")(PROMPT) == "Ann is old and wise."


async def test_a_summary_is_kept_without_thoughts_and_without_what_no_store_takes() -> None:
    reply = "<think>Who is Ann?</think>Ann is\0 old\ud83d."
    assert await answering(reply)(PROMPT) == "Ann is old."


@pytest.mark.parametrize(
    "reply",
    [
        ModelRefusedError(),
        "",
        " \n",
        "\0",
        "<think>What is Ann?</think>",
        TruncatedResponse("Ann is o"),
        "Ann. " * 8001,
    ],
    ids=["refused", "empty", "blank", "nul", "a thought", "cut off", "endless"],
)
async def test_without_a_summary_the_descriptions_are_joined_and_not_cached(reply: Any) -> None:
    joined = await answering(reply)(PROMPT)
    assert joined == JOINED
    assert is_truncated_response(joined)  # LightRAG does not cache what was cut off


async def test_long_descriptions_are_shortened_fairly() -> None:
    lines = [json.dumps({"Description": letter * 9000}) for letter in "abcd"]
    joined = await answering("")("\n".join(lines))
    assert len(joined) <= 4000
    assert [part[0] for part in joined.split("<SEP>")] == list("abcd")


async def test_an_outage_is_no_reason_to_go_without_a_summary() -> None:
    with pytest.raises(ModelUnavailableError):
        await answering(ModelUnavailableError())(PROMPT)


async def test_a_prompt_without_descriptions_still_gives_one() -> None:
    assert await answering("")("nothing to see") == "No description."


async def test_the_commit_extracts_nothing() -> None:
    with pytest.raises(ExtractionInCommitError):
        await answering("x")(PROMPT, system_prompt="Extract entities.")
