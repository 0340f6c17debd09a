"""Questions and answers, field for field as LightRAG's own server has them."""

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from shared.rag import query_rules as rules

Mode = Literal["local", "global", "hybrid", "naive", "mix", "bypass"]


class QueryRequest(BaseModel):
    """A question; what is left out has LightRAG's default."""

    query: str = Field(max_length=rules.MAX_QUERY_CHARS)
    mode: Mode = "mix"
    only_need_context: bool | None = None
    only_need_prompt: bool | None = None
    response_type: str | None = Field(None, min_length=1, max_length=rules.MAX_RESPONSE_TYPE_CHARS)
    top_k: int | None = Field(None, ge=1, le=rules.MAX_QUERY_TOP_K)
    chunk_top_k: int | None = Field(None, ge=1, le=rules.MAX_QUERY_TOP_K)
    max_entity_tokens: int | None = Field(None, ge=1, le=rules.MAX_QUERY_TOKEN_BUDGET)
    max_relation_tokens: int | None = Field(None, ge=1, le=rules.MAX_QUERY_TOKEN_BUDGET)
    max_total_tokens: int | None = Field(None, ge=1, le=rules.MAX_QUERY_TOKEN_BUDGET)
    hl_keywords: list[str] = Field(default_factory=list, max_length=rules.MAX_KEYWORDS_PER_LIST)
    ll_keywords: list[str] = Field(default_factory=list, max_length=rules.MAX_KEYWORDS_PER_LIST)
    conversation_history: list[dict[str, Any]] | None = None
    user_prompt: str | None = Field(None, max_length=rules.MAX_QUERY_CHARS)
    disable_user_prompt_prefix: bool | None = None
    enable_rerank: bool | None = None
    include_references: bool | None = True
    include_chunk_content: bool | None = False
    include_progress: bool | None = False
    stream: bool | None = None

    @field_validator("query", mode="after")
    @classmethod
    def _query_says_something(cls, query: str) -> str:
        return rules.require_text(query)

    @field_validator("hl_keywords", "ll_keywords", mode="after")
    @classmethod
    def _keywords_are_short(cls, keywords: list[str]) -> list[str]:
        if any(len(keyword) > rules.MAX_KEYWORD_CHARS for keyword in keywords):
            sentence = f"Each keyword must be at most {rules.MAX_KEYWORD_CHARS} characters."
            raise ValueError(sentence)
        return keywords

    @field_validator("conversation_history", mode="after")
    @classmethod
    def _history_is_messages(
        cls, history: list[dict[str, Any]] | None
    ) -> list[dict[str, Any]] | None:
        if history and len(history) > rules.MAX_MESSAGES_PER_REQUEST:
            sentence = f"There may be at most {rules.MAX_MESSAGES_PER_REQUEST} messages."
            raise ValueError(sentence)
        for message in history or []:
            role = _require_string(message, "role", max_chars=rules.MAX_ROLE_CHARS)
            if not role.strip():
                sentence = "Each message needs a 'role' that is not empty."
                raise ValueError(sentence)
            _require_string(message, "content", max_chars=rules.MAX_MESSAGE_CHARS)
        return history

    @model_validator(mode="after")
    def _query_is_long_enough(self) -> Self:
        if self.mode != "bypass":  # bypass looks nothing up
            rules.require_long_enough(self.query)
        return self

    @model_validator(mode="after")
    def _all_text_is_bounded(self) -> Self:
        # Fields that are each within their limit could still add up to any amount.
        history = json.dumps(self.conversation_history, ensure_ascii=False)
        chars = len(self.query) + len(self.user_prompt or "")
        chars += len(history) if self.conversation_history else 0
        if chars > rules.MAX_REQUEST_TEXT_CHARS:
            sentence = f"All text together may be {rules.MAX_REQUEST_TEXT_CHARS} characters long."
            raise ValueError(sentence)
        return self

    def parameters(self, *, stream: bool) -> dict[str, Any]:
        """Return the arguments of LightRAG's QueryParam."""
        apart = {"query", "include_chunk_content", "include_progress", "stream"}
        return self.model_dump(exclude_none=True, exclude=apart) | {"stream": stream}


class ReferenceItem(BaseModel):
    """A source of the answer; `content` only with include_chunk_content."""

    reference_id: str
    file_path: str
    content: list[str] | None = None


class QueryResponse(BaseModel):
    """An answer; `llm_generated` is false for text that no language model wrote."""

    response: str
    references: list[ReferenceItem] | None = None
    response_time: float | None = None
    """In seconds."""
    llm_generated: bool = True


def _require_string(message: dict[str, Any], key: str, *, max_chars: int) -> str:
    text = message.get(key)
    if not isinstance(text, str) or len(text) > max_chars:
        sentence = f"Each message needs a {key!r}: a string of at most {max_chars} characters."
        raise ValueError(sentence)
    return text
