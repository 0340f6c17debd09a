"""Guesses the type of an English name from its words and its neighbours."""

import re

from shared.rag.offline.extraction.english_words import (
    COUNTRIES,
    GIVEN_NAMES,
    HONORIFICS,
    PERSON_VERBS,
    PLACE_PREPOSITIONS,
    TYPE_WORDS,
)

_INITIAL = re.compile(r"(?:^| )[A-Z]\.")


def entity_type_of(name: str, contexts: list[tuple[str, str]]) -> str:
    """Return a type name; `contexts` are the words before and after each place of the name."""
    parts = name.lower().split()
    # `House of Representatives` by its last word, `University of California` by its first.
    heads = [parts[-1], *([parts[parts.index("of") - 1]] if "of" in parts[1:] else [])]
    for head in heads:
        if head in TYPE_WORDS:
            return TYPE_WORDS[head]
    # Lake Victoria, South Africa, New York
    if TYPE_WORDS.get(parts[0]) == "Location" or parts[-1] in COUNTRIES:
        return "Location"
    if _is_person(name, parts, contexts):
        return "Person"
    if 2 * sum(before in PLACE_PREPOSITIONS for before, _ in contexts) > len(contexts):
        return "Location"
    return "Organization" if name.isupper() and 1 < len(name) < 6 else "Concept"


def _is_person(name: str, parts: list[str], contexts: list[tuple[str, str]]) -> bool:
    if len(parts) in {2, 3, 4} and (parts[0] in GIVEN_NAMES or _INITIAL.search(name)):
        return True
    return any(before in HONORIFICS or after in PERSON_VERBS for before, after in contexts)
