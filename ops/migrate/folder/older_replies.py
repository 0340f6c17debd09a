"""Replies of language models in the format that LightRAG 1.4.4 and before asked for.

When a document is deleted, LightRAG makes what others say of the same entities from cached replies
once more. In this format 1.5 finds nothing, and descriptions would be lost:

    ("entity"<|>Ulm<|>place<|>A town.)##("relationship"<|>Ulm<|>Bern<|>Both are towns.<|>towns<|>7)
"""

import re

from lightrag.prompt import PROMPTS

_RECORDS = re.compile(r"##|<\|COMPLETE\|>")
_FIELDS = "<|>"
_RECORD = re.compile(r"\((.*)\)", re.DOTALL)
_BLANKS = re.compile(r"\s+")


def translated(reply: str) -> str:
    """Return what a reply says in the format of LightRAG 1.5; another reply as it is.

    The strength of a relation has no place there.
    """
    between = PROMPTS["DEFAULT_TUPLE_DELIMITER"]
    if _FIELDS not in reply or between in reply:
        return reply
    records = (_RECORD.search(record) for record in _RECORDS.split(reply))
    items = (_item(found.group(1)) for found in records if found)
    lines = [between.join(item) for item in items if item]
    return "\n".join([*lines, PROMPTS["DEFAULT_COMPLETION_DELIMITER"]])


def _item(record: str) -> list[str]:
    fields = [_BLANKS.sub(" ", field).strip(' "') for field in record.split(_FIELDS)]
    match fields:
        case ["entity", name, kind, description, *_]:
            return ["entity", name, kind, description]
        case ["relationship", one, two, description, keywords, *_]:
            return ["relation", one, two, keywords, description]
        case _:  # keywords of the whole passage, which nothing is made of
            return []
