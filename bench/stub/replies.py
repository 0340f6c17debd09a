"""What the stub answers: the same prompt always gets the same reply, in LightRAG's own format."""

import hashlib
import json
from enum import StrEnum
from itertools import pairwise
from typing import Any

from bench.stub.names import names_in

DELIMITER = "<|#|>"
COMPLETE = "<|COMPLETE|>"
_DESCRIPTION_CHARS = 100
_TYPES = ("person", "organization", "location", "event", "concept")
_INPUT_HEAD = "---Input Text---\n```\n"
_INPUT_END = "\n```"

Messages = list[dict[str, Any]]


class Kind(StrEnum):
    """What LightRAG wants from a call."""

    EXTRACT = "extract"
    GLEAN = "glean"
    SUMMARY = "summary"
    KEYWORDS = "keywords"
    ANSWER = "answer"
    EMBED = "embed"


def kind_of(messages: Messages) -> Kind:
    """Tell from LightRAG's prompts what a chat call is for."""
    first, last = _text(messages[0]), _text(messages[-1])
    if "Knowledge Graph Specialist responsible for extracting" in first[:200]:
        return Kind.GLEAN if len(messages) > 2 else Kind.EXTRACT
    if "Description List:" in last:
        return Kind.SUMMARY
    if "high_level_keywords" in last or "high_level_keywords" in first:
        return Kind.KEYWORDS
    return Kind.ANSWER


def reply_to(kind: Kind, messages: Messages) -> str:
    """Answer a chat call."""
    last = _text(messages[-1])
    if kind is Kind.EXTRACT:
        return extraction(_input_text(last))
    if kind is Kind.GLEAN:
        return COMPLETE
    if kind is Kind.SUMMARY:
        return _summary(last)
    if kind is Kind.KEYWORDS:
        return _keywords(last)
    names = ", ".join(names_in(last[-500:]) or names_in(_text(messages[0])[-4000:]))
    return f"As far as the context tells, this is about {names}."


def extraction(text: str) -> str:
    """List a chunk's names as entities, and each two that follow each other as a relation.

    Descriptions are what the text says after the name, so other chunks tell other things.
    """
    found = list(names_in(text).items())
    rows = [_entity(name, text, end) for name, end in found]
    rows += [
        f"relation{DELIMITER}{one}{DELIMITER}{other}{DELIMITER}mentioned together{DELIMITER}"
        f"{one} is mentioned with {other}:{_excerpt(text, end)}"
        for (one, end), (other, _) in pairwise(found)
    ]
    return "\n".join((*rows, COMPLETE))


def _entity(name: str, text: str, end: int) -> str:
    # A type depends on the name alone: no ties that the order of merging would decide.
    kind = _TYPES[len(name) % len(_TYPES)]
    return f"entity{DELIMITER}{name}{DELIMITER}{kind}{DELIMITER}{name}{_excerpt(text, end)}"


def _excerpt(text: str, start: int) -> str:
    piece = text[start : start + _DESCRIPTION_CHARS].partition("\n")[0]
    return piece.replace("<|", "").replace("|>", "").rstrip(" .") + "."


def _summary(prompt: str) -> str:
    asked = prompt.partition(" Name: ")[2]
    name = asked.partition("\n")[0]
    listed = asked.partition("Description List:")[2].partition("---Output---")[0]
    mark = hashlib.blake2b(listed.encode(), digest_size=4).hexdigest()
    return f"{name} is described by {listed.count(chr(10)) - 4} passages, together {mark}."


def _keywords(prompt: str) -> str:
    question = prompt.rpartition("User Query:")[2].strip().partition("\n")[0]
    names = list(names_in(question)) or ["topic"]
    return json.dumps({"high_level_keywords": names[:2], "low_level_keywords": names[:4]})


def _input_text(prompt: str) -> str:
    after = prompt.partition(_INPUT_HEAD)[2]
    return after.rpartition(_INPUT_END)[0] or after


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else json.dumps(content)
