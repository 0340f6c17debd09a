"""Segments Chinese text with part-of-speech tags; the dictionary is loaded at its first use."""

import threading
import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

from shared.memory import return_freed_memory

_LOADING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence with its part of speech (jieba's tag) and its place.

    Words that the dictionary does not know are guesses, and their borders with them.
    """

    text: str
    tag: str
    start: int
    known: bool

    @property
    def end(self) -> int:
        """Return the place after the last character."""
        return self.start + len(self.text)


def segment(sentence: str) -> list[Word]:
    """Split a Chinese sentence into words."""
    words = []
    start = 0
    tagger = _tagger()
    for pair in tagger.cut(sentence):
        known = bool(tagger.tokenizer.FREQ.get(pair.word))
        words.append(Word(pair.word, pair.flag, start, known))
        start += len(pair.word)
    return words


def _tagger() -> Any:  # noqa: ANN401  jieba ships no types
    with _LOADING:  # two threads would otherwise both read the dictionary
        return _load_tagger()


@cache
def _load_tagger() -> Any:  # noqa: ANN401  jieba ships no types
    with warnings.catch_warnings():
        # jieba imports the deprecated pkg_resources and has old escape sequences.
        warnings.simplefilter("ignore")
        import jieba.posseg  # noqa: PLC0415  120 MB that English texts must not cost
    # The module's own tagger: a second one would hold its 43 MB of tags twice.
    tagger = jieba.posseg.dt
    # Not `initialize()`: that trusts a cache file in the shared temporary folder.
    dictionary = tagger.tokenizer.get_dict_file()
    tagger.tokenizer.FREQ, tagger.tokenizer.total = tagger.tokenizer.gen_pfdict(dictionary)
    tagger.tokenizer.initialized = True
    return_freed_memory()
    return tagger
