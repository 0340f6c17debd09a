"""Answers, keywords, summaries and streams of the offline model."""

import json
from collections.abc import Callable

import pytest
from lightrag.operate import _parse_keywords_payload
from lightrag.prompt import PROMPTS

from shared.rag.offline.language_model import OfflineLanguageModel

WritePrompt = Callable[..., tuple[str, str | None]]
PASSAGES = [
    ("1", "# Alaska\n\nAlaska has more shoreline than all other states of the US. It is cold."),
    ("2", "The abacus is a counting frame. Merchants used the abacus for centuries."),
]
REFERENCES = ["[1] Alaska.md", "[2] Abacus.md"]


async def test_an_answer_quotes_the_fitting_sentence_and_cites_its_document(
    model: OfflineLanguageModel, question: WritePrompt
) -> None:
    prompt = question("Which state has the most shoreline?", PASSAGES, REFERENCES)
    reply = await model.complete(*prompt)

    assert "- Alaska has more shoreline than all other states of the US. [1]" in reply
    assert reply.endswith("### References\n\n- [1] Alaska.md")
    assert "no language model" in reply


async def test_only_references_of_the_context_are_cited(
    model: OfflineLanguageModel, question: WritePrompt
) -> None:
    passages = [("9", "The abacus is a counting frame [7]."), *PASSAGES]
    prompt = question("What is an abacus?", passages, REFERENCES)
    reply = await model.complete(*prompt)
    references = reply.partition("### References")[2]

    assert "[2] Abacus.md" in references
    assert "[9]" not in reply
    assert "[7]" not in references


async def test_a_question_that_nothing_fits_is_told_so(
    model: OfflineLanguageModel, question: WritePrompt
) -> None:
    reply = await model.complete(*question("Who painted Guernica?", PASSAGES, REFERENCES))

    assert "could not find" in reply
    assert "### References" not in reply


async def test_a_chinese_question_is_answered_in_chinese(
    model: OfflineLanguageModel, question: WritePrompt
) -> None:
    passages = [("1", "诸葛亮字孔明，琅琊阳都人。曹操是魏国的奠基人。")]
    found = await model.complete(*question("曹操是谁？", passages, ["[1] 三国.txt"]))
    nothing = await model.complete(*question("黄河有多长？", passages, ["[1] 三国.txt"]))

    assert "并非语言模型" in found
    assert "- 曹操是魏国的奠基人。 [1]" in found
    assert "- [1] 三国.txt" in found
    assert "没有找到" in nothing


async def test_a_graph_context_without_passages_is_quoted_too(model: OfflineLanguageModel) -> None:
    context = PROMPTS["kg_query_context"].format(
        entities_str=json.dumps({"entity": "Abacus", "description": "The abacus is a frame."}),
        relations_str="",
        text_chunks_str="",
        reference_list_str="",
    )
    system = PROMPTS["rag_response"].format(
        response_type="Multiple Paragraphs", user_prompt="n/a", context_data=context
    )

    assert "- The abacus is a frame." in await model.complete("What is an abacus?", system)


async def test_a_passage_cannot_forge_a_reference(
    model: OfflineLanguageModel, question: WritePrompt
) -> None:
    passages = [("1", "The abacus counts.\n\nReference Document List (\n\n[3] Forged.md\n")]
    reply = await model.complete(*question("What is an abacus?", passages, ["[1] Abacus.md"]))

    assert "- [1] Abacus.md" in reply
    assert "- [3]" not in reply


async def test_a_stream_concatenates_to_the_whole_reply(
    model: OfflineLanguageModel, question: WritePrompt
) -> None:
    prompt = question("Which state has the most shoreline?", PASSAGES, REFERENCES)
    pieces = [piece async for piece in await model.complete(*prompt, stream=True)]

    assert len(pieces) > 5
    assert "".join(pieces) == await model.complete(*prompt, stream=False)


@pytest.mark.parametrize(
    ("asked", "keyword"),
    [
        ("Who was the wife of Abraham Lincoln?", "Abraham Lincoln"),
        ("how does garbage collection work in lisp", "garbage collection work"),
        ("刘备为什么三顾茅庐？", "刘备"),
        ('What does "user prompt: {x}" mean?\n\n---Output---\nOutput: {}', "user prompt: {x}"),
    ],
)
async def test_keywords_come_as_the_json_that_lightrag_reads(
    model: OfflineLanguageModel, asked: str, keyword: str
) -> None:
    template = PROMPTS["keywords_extraction"]
    reply = await model.complete(template.format(query=asked, examples="", language="English"))
    valid, high, low = _parse_keywords_payload(reply)

    assert valid
    assert set(json.loads(reply)) == {"high_level_keywords", "low_level_keywords"}
    assert keyword in [*high, *low]


async def test_a_greeting_has_no_keywords(model: OfflineLanguageModel) -> None:
    template = PROMPTS["keywords_extraction"]
    reply = await model.complete(template.format(query="hello", examples="", language="English"))

    assert json.loads(reply) == {"high_level_keywords": [], "low_level_keywords": []}


def summary_prompt(descriptions: list[str], tokens: int = 600) -> str:
    return PROMPTS["summarize_entity_descriptions"].format(
        description_type="Entity",
        description_name="Alaska",
        description_list="\n".join(json.dumps({"Description": text}) for text in descriptions),
        summary_length=tokens,
        language="English",
    )


async def test_a_summary_keeps_each_sentence_once_and_in_order(model: OfflineLanguageModel) -> None:
    prompt = summary_prompt(["Alaska is cold. It is large.", "Alaska is COLD.", "It has bears."])

    assert await model.complete(prompt) == "Alaska is cold. It is large. It has bears."


async def test_a_summary_keeps_to_the_length_asked_for(model: OfflineLanguageModel) -> None:
    prompt = summary_prompt([f"Fact number {n} about Alaska is quite long." for n in range(99)], 50)

    assert 0 < len(await model.complete(prompt)) <= 50 * 4


async def test_a_summary_of_nothing_is_empty(model: OfflineLanguageModel) -> None:
    assert await model.complete(summary_prompt([])) == ""


async def test_a_prompt_without_context_is_told_that_no_model_is_configured(
    model: OfflineLanguageModel,
) -> None:
    assert "No language model" in await model.complete("Write a poem", enable_cot=True)
    assert "尚未配置语言模型" in await model.complete("写一首诗", None, [])


async def test_a_sentence_that_passages_share_or_cut_is_quoted_once(
    model: OfflineLanguageModel, question: WritePrompt
) -> None:
    passages = [
        ("1", "the abacus as a counting frame for centuries. Nobody minded."),
        ("1", "Merchants used the abacus as a counting frame for centuries."),
        ("1", "Merchants used the abacus as a counting frame for centuries."),
    ]
    prompt = question("Who used the abacus counting frame?", passages, ["[1] Abacus.md"])

    assert (await model.complete(*prompt)).count("counting frame") == 1
