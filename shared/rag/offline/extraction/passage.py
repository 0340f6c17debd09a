"""Reads a passage: its sentences and the names in them, by the rules of its language."""

from dataclasses import dataclass

from shared.rag.offline.extraction.candidates import Candidate
from shared.rag.offline.extraction.chinese import find_chinese
from shared.rag.offline.extraction.english import find_names, tokenise
from shared.rag.offline.extraction.english_phrases import find_terms
from shared.rag.offline.text import is_chinese, sentences, without_markers

# Tables and minified text come as one endless line; beyond this nothing in it is a sentence.
_LONGEST_SENTENCE_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences, free of record delimiters, and the names whose places are in them."""

    sentences: list[str]
    candidates: list[Candidate]
    chinese: bool


def read_passage(text: str) -> Passage:
    """Find the names of a passage."""
    lines = [
        cleaned[:_LONGEST_SENTENCE_CHARACTERS]
        for line in sentences(text)
        if (cleaned := without_markers(line))
    ]
    if is_chinese(text):
        return Passage(lines, find_chinese(lines), chinese=True)
    tokens = [tokenise(line) for line in lines]
    names = find_names(lines, tokens)
    known = {one.name.lower() for one in names}
    terms = [one for one in find_terms(tokens) if one.name.lower() not in known]
    return Passage(lines, [*names, *terms], chinese=False)
