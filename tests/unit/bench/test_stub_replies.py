"""The stub answers the same to the same, and in a form that LightRAG's own parser reads."""

import json
from typing import Any

from lightrag.operate import _process_extraction_result
from lightrag.prompt import PROMPTS

from bench.stub.replies import Kind, kind_of, reply_to

DELIMITER = PROMPTS["DEFAULT_TUPLE_DELIMITER"]
COMPLETE = PROMPTS["DEFAULT_COMPLETION_DELIMITER"]
TEXT = (
    "Alron met Bedine Quin at the harbor. They spoke of <|#|> trade with Calona.\n"
    "Later Alron left for Marvius, where Bedine Quin waits."
)


def extraction_prompt(text: str) -> list[dict[str, str]]:
    """The messages LightRAG sends for a chunk."""
    system = PROMPTS["entity_extraction_system_prompt"].format(
        tuple_delimiter=DELIMITER,
        completion_delimiter=COMPLETE,
        language="English",
        max_total_records=100,
        max_entity_records=40,
        entity_types_guidance=PROMPTS["default_entity_types_guidance"],
        examples="",
    )
    user = PROMPTS["entity_extraction_user_prompt"].format(
        completion_delimiter=COMPLETE,
        language="English",
        max_total_records=100,
        max_entity_records=40,
        heading_context_block="",
        input_text=text,
    )
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


async def parsed(reply: str) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    nodes, edges = await _process_extraction_result(
        reply,
        chunk_key="doc-1-chunk-000",
        timestamp=1,
        file_path="a.txt",
        tuple_delimiter=DELIMITER,
        completion_delimiter=COMPLETE,
    )
    return dict(nodes), dict(edges)


async def test_lightrags_own_parser_reads_every_entity_and_relation() -> None:
    messages = extraction_prompt(TEXT)
    assert kind_of(messages) is Kind.EXTRACT
    nodes, edges = await parsed(reply_to(Kind.EXTRACT, messages))
    assert list(nodes) == ["Alron", "Bedine Quin", "Calona", "Later Alron", "Marvius"]
    assert len(edges) == 4
    assert nodes["Marvius"][0]["description"] == "Marvius, where Bedine Quin waits."


async def test_chinese_chunks_have_entities_too() -> None:
    reply = reply_to(Kind.EXTRACT, extraction_prompt("曹操，刘备，孙权。"))
    nodes, _edges = await parsed(reply)
    assert list(nodes) == ["曹操", "刘备", "孙权"]


def test_the_same_prompt_gets_the_same_reply() -> None:
    first, second = (reply_to(Kind.EXTRACT, extraction_prompt(TEXT)) for _ in range(2))
    assert first == second
    assert first != reply_to(Kind.EXTRACT, extraction_prompt(TEXT + " Then Dotex came."))


def test_a_second_look_at_a_chunk_finds_nothing_more() -> None:
    messages = extraction_prompt(TEXT)
    history = [*messages, {"role": "assistant", "content": "x"}, {"role": "user", "content": "y"}]
    assert kind_of(history) is Kind.GLEAN
    assert reply_to(Kind.GLEAN, history) == COMPLETE


def test_a_summary_names_its_entity_and_depends_on_what_it_summarises() -> None:
    def asked(descriptions: str) -> list[dict[str, str]]:
        prompt = PROMPTS["summarize_entity_descriptions"].format(
            description_type="Entity",
            description_name="Alron",
            description_list=descriptions,
            summary_length=600,
            language="English",
        )
        return [{"role": "user", "content": prompt}]

    assert kind_of(asked("a")) is Kind.SUMMARY
    reply = reply_to(Kind.SUMMARY, asked("a"))
    assert reply.startswith("Alron is described")
    assert reply != reply_to(Kind.SUMMARY, asked("b"))


def test_keywords_are_the_names_in_the_question() -> None:
    prompt = PROMPTS["keywords_extraction"].format(
        query="What did Alron tell Calona?", examples="", language="English"
    )
    messages = [{"role": "user", "content": prompt}]
    assert kind_of(messages) is Kind.KEYWORDS
    assert json.loads(reply_to(Kind.KEYWORDS, messages))["low_level_keywords"] == [
        "Alron",
        "Calona",
    ]
