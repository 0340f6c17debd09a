"""Prompts from LightRAG's own templates, so that an upgrade that changes them is noticed."""

import json
from collections.abc import Callable
from typing import NamedTuple

import pytest
from lightrag.prompt import PROMPTS, get_default_entity_extraction_prompt_profile

from shared.rag.offline.language_model import OfflineLanguageModel


class Prompt(NamedTuple):
    user: str
    system: str | None


@pytest.fixture
def model() -> OfflineLanguageModel:
    return OfflineLanguageModel()


@pytest.fixture
def extraction() -> Callable[..., Prompt]:
    def write(
        text: str, *, template: str = "entity_extraction_user_prompt", **limits: int
    ) -> Prompt:
        profile = get_default_entity_extraction_prompt_profile()
        values = {
            "tuple_delimiter": PROMPTS["DEFAULT_TUPLE_DELIMITER"],
            "completion_delimiter": PROMPTS["DEFAULT_COMPLETION_DELIMITER"],
            "entity_types_guidance": profile["entity_types_guidance"],
            "language": "English",
            "max_total_records": limits.get("rows", 100),
            "max_entity_records": limits.get("entities", 40),
            "heading_context_block": "",
            "input_text": text,
        }
        values["examples"] = "\n".join(profile["entity_extraction_examples"]).format(**values)
        system = PROMPTS["entity_extraction_system_prompt"].format(**values)
        return Prompt(PROMPTS[template].format(**values), system)

    return write


@pytest.fixture
def question() -> Callable[..., Prompt]:
    def write(asked: str, passages: list[tuple[str, str]], references: list[str]) -> Prompt:
        chunks = [{"reference_id": number, "content": text} for number, text in passages]
        context = PROMPTS["naive_query_context"].format(
            text_chunks_str="\n".join(json.dumps(one, ensure_ascii=False) for one in chunks),
            reference_list_str="\n".join(references),
        )
        system = PROMPTS["naive_rag_response"].format(
            response_type="Multiple Paragraphs", user_prompt="n/a", content_data=context
        )
        return Prompt(asked, system)

    return write
