"""Answers a question with the context's best fitting sentences, and says that it does so."""

import math
import re
from collections import Counter
from dataclasses import dataclass

from shared.rag.offline.extraction.english_words import STOP_WORDS
from shared.rag.offline.prompts import read_context
from shared.rag.offline.text import is_chinese, sentences, shorten, stem, words

_MOST_SENTENCES = 5
_MOST_REFERENCES = 5  # as LightRAG's prompt asks
_LONGEST_SENTENCE_CHARACTERS = 400
# Below this share of the question's weight a sentence shares only a common word with it.
_LEAST_COVERAGE = 0.3
# Passages come best first: the first one's sentences win over equal ones of the twentieth.
_RANK_WEIGHT = 0.3
_COMMON_STEMS = frozenset(stem(word) for word in STOP_WORDS)
_CHINESE_COMMON = re.compile(
    r"什么|怎么|怎样|如何|为何|哪里|哪些|哪个|多少|是否|请问|介绍|一下|[谁吗呢的了是在和与有？?]"
)

_ENGLISH = {
    "found": "These passages fit the question best. They are quoted from the documents by rules; "
    "no language model has written this answer.",
    "nothing": "I could not find a passage in the documents that answers this question. "
    "(Rules looked for it; no language model is configured.)",
    "conversation": "No language model is configured. The built-in rules only quote documents, so "
    "this question needs a mode that looks into them.",
}
_CHINESE = {
    "found": "以下是文档中与问题最相关的原文摘录。摘录由规则选出，并非语言模型生成的回答。",
    "nothing": "在文档中没有找到能回答这个问题的段落。（由规则查找，未配置语言模型。）",
    "conversation": "尚未配置语言模型。内置规则只能摘录文档原文，请选择会查阅文档的查询模式。",
}


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    reference: str
    rank: int
    order: int
    terms: frozenset[str]


def answer(question: str, system_prompt: str) -> str:
    """Return Markdown: a sentence that says what this is, quotations, and their references."""
    phrases = _CHINESE if is_chinese(question) else _ENGLISH
    rows, references = read_context(system_prompt)
    chosen = _choose(_question_terms(question), _sentences(rows, references))
    if not chosen:
        return phrases["nothing"]
    lines = [f"- {shorten(one.text, _LONGEST_SENTENCE_CHARACTERS)}{_mark(one)}" for one in chosen]
    cited = list(dict.fromkeys(one.reference for one in chosen if one.reference))
    listed = [f"- [{one}] {references[one]}" for one in cited[:_MOST_REFERENCES]]
    closing = ["", "### References", "", *listed] if listed else []
    return "\n".join([phrases["found"], "", *lines, *closing])


def converse(question: str) -> str:
    """Say, in the question's language, that there is no language model to talk to."""
    return (_CHINESE if is_chinese(question) else _ENGLISH)["conversation"]


def _mark(sentence: _Sentence) -> str:
    return f" [{sentence.reference}]" if sentence.reference else ""


def _question_terms(question: str) -> frozenset[str]:
    terms = frozenset(words(_CHINESE_COMMON.sub(" ", question)))
    return (terms - _COMMON_STEMS) or terms


def _sentences(rows: list[dict[str, object]], references: dict[str, str]) -> list[_Sentence]:
    """Return the sentences of the passages; the graph's descriptions only when there are none."""
    passages = [row for row in rows if row.get("content")]
    texts = [(str(row["content"]), str(row.get("reference_id", ""))) for row in passages] or [
        (str(row.get("description", "")), "") for row in rows
    ]
    return [
        _Sentence(
            text, reference if reference in references else "", rank, order, frozenset(words(text))
        )
        for rank, (content, reference) in enumerate(texts)
        for order, text in enumerate(sentences(content))
        if not text.startswith("#")
    ]


def _choose(terms: frozenset[str], found: list[_Sentence]) -> list[_Sentence]:
    """Pick the sentences that cover most of the question's weight, best first."""
    frequency = Counter(term for one in found for term in one.terms & terms)
    weights = {term: math.log(1 + len(found) / (1 + frequency[term])) for term in sorted(terms)}
    total = sum(weights.values()) or 1.0
    scored = []
    for one in found:
        coverage = sum(weights[term] for term in sorted(one.terms & terms)) / total
        if coverage >= _LEAST_COVERAGE:
            scored.append((coverage + _RANK_WEIGHT / (1 + one.rank), one))
    scored.sort(key=lambda pair: (-pair[0], pair[1].rank, pair[1].order))
    return _distinct([one for _, one in scored])[:_MOST_SENTENCES]


def _distinct(ranked: list[_Sentence]) -> list[_Sentence]:
    """Leave out what another sentence holds whole: passages overlap, and cut sentences in two."""
    best = ranked[: 4 * _MOST_SENTENCES]  # few enough to compare each with each
    texts = list(dict.fromkeys(one.text for one in best))
    kept = [text for text in texts if not any(text != other and text in other for other in texts)]
    first = {one.text: one for one in reversed(best)}
    return [first[text] for text in kept]
