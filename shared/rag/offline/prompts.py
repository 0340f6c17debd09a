"""Recognises LightRAG's prompts and takes out of them what the rules need."""

import json
import re
from dataclasses import dataclass
from enum import Enum


class Request(Enum):
    """What a prompt asks for."""

    EXTRACTION = "extraction"
    CONTINUATION = "continuation"
    SUMMARY = "summary"
    KEYWORDS = "keywords"
    ANSWER = "answer"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class ExtractionRequest:
    """A passage, the entity types (lower case) to choose from, and the reply's most rows."""

    text: str
    entity_types: frozenset[str]
    max_rows: int
    max_entities: int


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """The descriptions to join and the longest reply, in tokens."""

    descriptions: tuple[str, ...]
    max_tokens: int


# LightRAG's own limits, for a prompt that states none.
_DEFAULT_MAX_ROWS = 100
_DEFAULT_MAX_ENTITIES = 40
_DEFAULT_SUMMARY_TOKENS = 600

# Each is looked for at the start of a prompt only: documents come later in it.
_PROMPT_STARTS = (
    ("---Task---\nExtract entities and relationships", Request.EXTRACTION),
    ("---Task---\nBased on the last extraction task", Request.CONTINUATION),
    ("---Role---\nYou are a Knowledge Graph Specialist, proficient", Request.SUMMARY),
    ("---Role---\nYou are an expert keyword extractor", Request.KEYWORDS),
)
# A line of its own: text inside the context is JSON, so it has no such line.
_CONTEXT_MARK = re.compile(r"^Document Chunks \(|^Knowledge Graph Data \(", re.MULTILINE)
_INPUT_START = "\n---Input Text---\n```\n"
_INPUT_END = "\n```\n\n---Output---"
_LIMITS = re.compile(r"at most (\d+) total rows and at most (\d+) entity rows")
_ENTITY_TYPES = re.compile(r"^---Entity Types---$(.*?)^---", re.MULTILINE | re.DOTALL)
_ENTITY_TYPE = re.compile(r"^\s*- ([^:\n]+)", re.MULTILINE)
_SUMMARY_LIMIT = re.compile(r"must not exceed (\d+) tokens")


def recognise(prompt: str, system_prompt: str | None) -> Request:
    """Say what a prompt of LightRAG asks for; anything else is conversation."""
    for start, request in _PROMPT_STARTS:
        if prompt.lstrip().startswith(start):
            return request
    if system_prompt and _CONTEXT_MARK.search(system_prompt):
        return Request.ANSWER
    return Request.CONVERSATION


def read_extraction(prompt: str, system_prompt: str | None) -> ExtractionRequest:
    """Take the passage, entity types and limits out of an extraction prompt."""
    limits = _LIMITS.search(prompt)
    return ExtractionRequest(
        text=_between(prompt, _INPUT_START, _INPUT_END),
        entity_types=_read_entity_types(system_prompt or ""),
        max_rows=int(limits[1]) if limits else _DEFAULT_MAX_ROWS,
        max_entities=int(limits[2]) if limits else _DEFAULT_MAX_ENTITIES,
    )


def read_summary(prompt: str) -> SummaryRequest:
    """Take the descriptions and the length limit out of a summary prompt."""
    limit = _SUMMARY_LIMIT.search(prompt)
    rows = _between(prompt, "Description List:\n\n```\n", _INPUT_END).splitlines()
    descriptions = (_read_object(row).get("Description", "") for row in rows)
    return SummaryRequest(
        descriptions=tuple(text for text in map(str, descriptions) if text),
        max_tokens=int(limit[1]) if limit else _DEFAULT_SUMMARY_TOKENS,
    )


def read_query(prompt: str) -> str:
    """Take the user's question out of a keyword prompt."""
    return _between(prompt, "\n---Real Data---\nUser Query: ", "\n\n---Output---")


def read_context(system_prompt: str) -> tuple[list[dict[str, object]], dict[str, str]]:
    """Take the JSON rows and the reference list (id to document) out of an answer prompt.

    Rows keep LightRAG's keys: `content` and `reference_id` for chunks, `entity`,
    `entity1`, `entity2` and `description` for the graph.
    """
    mark = _CONTEXT_MARK.search(system_prompt)
    context = system_prompt[mark.start() :] if mark else ""
    passages, _, reference_list = context.rpartition("\nReference Document List (")
    rows = [_read_object(line) for line in passages.splitlines() if line.startswith("{")]
    references = re.findall(r"^\[([^\]\s]+)\] (.+)$", reference_list, re.MULTILINE)
    return [row for row in rows if row], dict(references)


def _between(text: str, start: str, end: str) -> str:
    """Return what stands between the first start mark and the last end mark."""
    _, found, rest = text.partition(start)
    inner, closed, _ = rest.rpartition(end)
    return (inner if closed else rest) if found else ""


def _read_entity_types(system_prompt: str) -> frozenset[str]:
    section = _ENTITY_TYPES.search(system_prompt)
    names = _ENTITY_TYPE.findall(section[1]) if section else []
    return frozenset(name.strip().lower() for name in names)


def _read_object(line: str) -> dict[str, object]:
    """Read one JSON object; a line that is none counts as empty."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
