"""Finds English names: runs of capitalised words that are not capitalised for another reason."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from shared.rag.offline.extraction.candidates import Candidate, Place
from shared.rag.offline.extraction.english_types import entity_type_of
from shared.rag.offline.extraction.english_words import (
    ACRONYMS,
    CONNECTORS,
    GIVEN_NAMES,
    HONORIFICS,
    STOP_WORDS,
    TYPE_WORDS,
)

# A capital letter with a full stop (an initial), a word, or one other character.
_TOKEN = re.compile(r"[A-Z]\.(?=\s?[A-Z])|[^\W_](?:[\w'’–-]*\w)?|[^\w\s]")
_POSSESSIVE = re.compile(r"['’]s?$")
_DOTTED_ACRONYM = re.compile(r"^(?:[A-Z]\.)+[A-Z]$")
_DEMONYM = re.compile(r"^[A-Z][a-z]+(?:an|ish|ese|ic|ch)$")
_LONGEST_NAME_WORDS = 7
# A heading or title names what the passage is about.
_TITLE_BONUS = 5.0
# Several words, or an acronym, are seldom capitalised by accident.
_SURE_BONUS = 0.5


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign of a sentence, with its place there."""

    text: str
    start: int
    end: int

    @property
    def is_capitalised(self) -> bool:
        """Tell whether the word starts like a name."""
        return self.text[0].isupper()


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring tokens that together look like a name."""

    tokens: tuple[Token, ...]
    sentence: int
    opens: bool
    before: str
    after: str

    @property
    def name(self) -> str:
        """Return the words, spaced as in the text, without a possessive ending."""
        first = self.tokens[0]
        words = [first.text]
        for before, token in itertools.pairwise(self.tokens):
            words.append((" " if token.start > before.end else "") + token.text)
        name = _POSSESSIVE.sub("", "".join(words))
        return name.replace(".", "") if _DOTTED_ACRONYM.match(name) else name


def tokenise(sentence: str) -> list[Token]:
    """Split a sentence into words and signs."""
    return [Token(found[0], found.start(), found.end()) for found in _TOKEN.finditer(sentence)]


def find_names(sentences: list[str], tokens: list[list[Token]]) -> list[Candidate]:
    """Return the names of a passage, one candidate for each distinct name."""
    lower_words = {token.text for line in tokens for token in line if token.text[0].islower()}
    runs = [
        run
        for number, line in enumerate(tokens)
        if not sentences[number].startswith("##")  # a section heading capitalises common words
        for run in _runs(line, number)
    ]
    runs = [trimmed for run in runs if (trimmed := _trim(run, lower_words))]
    inside = {run.name for run in runs if not run.opens}
    counts = Counter(run.name for run in runs)
    kept = [run for run in runs if _is_name(run, inside, counts)]
    return _merge_surnames(_group(kept, sentences))


def _runs(line: list[Token], number: int) -> Iterator[Run]:
    at = 0
    while at < len(line):
        if not line[at].is_capitalised:
            at += 1
            continue
        end = _run_end(line, at)
        previous = line[at - 1].text if at else ""
        yield Run(
            tokens=tuple(line[at:end]),
            sentence=number,
            opens=at == 0 or previous in '.:;"“‘(*-–—#•',
            before=previous.lower(),
            after=_next_word(line, end),
        )
        at = end


def _next_word(line: list[Token], at: int) -> str:
    """Return the word that says what a name does: `born` in `was born`."""
    following = [token.text for token in line[at : at + 2]]
    return following[-1] if following[:1] in (["was"], ["had"]) else "".join(following[:1])


def _run_end(line: list[Token], start: int) -> int:
    """Return where the name that starts at a token ends; connectors count only between capitals."""
    end = start + 1
    while end < len(line) and end - start < _LONGEST_NAME_WORDS:
        if _POSSESSIVE.search(line[end - 1].text) or line[end].start - line[end - 1].end > 1:
            break
        if line[end].is_capitalised or (line[end].text.isdigit() and len(line[end].text) < 4):
            end += 1
            continue
        ahead = end
        while ahead < len(line) and ahead - end < 2 and line[ahead].text in CONNECTORS - {"and"}:
            ahead += 1
        if ahead == end or ahead == len(line) or not line[ahead].is_capitalised:
            break
        end = ahead + 1
    return end


def _trim(run: Run, lower_words: set[str]) -> Run | None:
    """Take away leading words that are capitalised only because a sentence starts there."""
    tokens = run.tokens
    honorific = False
    while tokens:
        word = tokens[0].text.lower()
        common = _is_common(tokens[0].text) or (
            run.opens and len(tokens) > 1 and word in lower_words
        )
        title = word in HONORIFICS and len(tokens) > 1
        honorific = honorific or title
        if not (common or title or word in CONNECTORS):
            break
        tokens = tokens[1:]
    while tokens and _is_common(tokens[-1].text):
        tokens = tokens[:-1]
    if not tokens:
        return None
    tokens = _from_given_name(tokens)
    moved = tokens[0] is not run.tokens[0]
    before = "mr" if honorific else (run.tokens[0].text.lower() if moved else run.before)
    return Run(tokens, run.sentence, run.opens and not moved, before, run.after)


def _is_common(word: str) -> bool:
    return word.lower() in STOP_WORDS and word not in ACRONYMS


def _from_given_name(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    """Leave out what stands before a person: `Democrat Stephen A. Douglas`."""
    words = [token.text.lower() for token in tokens]
    if words[0] in GIVEN_NAMES or any(word in TYPE_WORDS for word in words):
        return tokens
    start = next((at for at, word in enumerate(words[:-1]) if word in GIVEN_NAMES), 0)
    return tokens[start:]


def _is_name(run: Run, inside: set[str], counts: Counter[str]) -> bool:
    name = run.name
    if len(name) < 2 or not any(character.isalpha() for character in name):
        return False
    if _is_common(name):
        return False
    if len(run.tokens) > 1 or name.isupper():
        return True
    if _DEMONYM.match(name) and run.after[:1].islower() and run.after not in STOP_WORDS:
        return False  # an adjective: `Greek alphabet`
    return not run.opens or name in inside or counts[name] > 2


def _group(runs: list[Run], sentences: list[str]) -> list[Candidate]:
    grouped: dict[str, list[Run]] = {}
    for run in runs:
        grouped.setdefault(_key(run.name), []).append(run)
    found = []
    for same in grouped.values():
        name = Counter(run.name for run in same).most_common(1)[0][0]
        places = [Place(run.sentence, run.tokens[0].start, run.tokens[-1].end) for run in same]
        contexts = [(run.before, run.after) for run in same]
        bonus = _SURE_BONUS if " " in name or name.isupper() else 0.0
        if any(sentences[place.sentence].startswith("# ") for place in places):
            bonus += _TITLE_BONUS
        found.append(Candidate(_tidy(name), entity_type_of(name, contexts), places, bonus))
    return found


def _key(name: str) -> str:
    return name.lower().replace("-", " ").replace(".", "")


def _tidy(name: str) -> str:
    """Write a shouted name like any other, so that it meets itself in other passages."""
    shouted = name.isupper() and " " in name
    return name.title() if shouted else name


def _merge_surnames(candidates: list[Candidate]) -> list[Candidate]:
    """Count `Lincoln` as `Abraham Lincoln` when the passage has only one such person."""
    full: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if " " in candidate.name and candidate.entity_type == "Person":
            full.setdefault(candidate.name.rsplit(" ", 1)[1], []).append(candidate)
    kept = []
    for candidate in candidates:
        owners = full.get(candidate.name, [])
        if len(owners) == 1:
            owners[0].places = sorted([*owners[0].places, *candidate.places])
        else:
            kept.append(candidate)
    return kept
