"""Finds the keywords of a question, as the JSON object LightRAG expects."""

import json
import re

from shared.rag.offline.extraction.chinese_words import segment
from shared.rag.offline.extraction.english_words import STOP_WORDS, listed
from shared.rag.offline.text import is_chinese

_NAME = re.compile(
    r"[A-Z][\w'’.-]*(?: (?:of |the |de |von |van )*[A-Z0-9][\w'’.-]*)*|[\"“]([^\"”]+)[\"”]"
)
_WORD = re.compile(r"[^\W_](?:[\w'’-]*[^\W_])?")
_QUESTION_WORDS = listed(
    "who what when where why how which whose many much long list explain describe compare tell name"
)
_CHINESE_QUESTION_WORDS = listed(
    "什么 怎么 怎样 如何 为什么 为何 哪里 哪儿 哪些 哪个 谁 多少 几个 "
    "是否 请问 请 介绍 一下 说明 关于"
)
_CHINESE_CONTENT_TAGS = ("n", "v", "a", "i", "l", "j", "t", "eng", "x")
_MOST_KEYWORDS = 8


def find_keywords(question: str) -> str:
    """Return a JSON object with `high_level_keywords` and `low_level_keywords`.

    Low-level are names and single content words, high-level the topics made of several of them.
    """
    high, low = _chinese(question) if is_chinese(question) else _english(question)
    reply = {"high_level_keywords": _distinct(high), "low_level_keywords": _distinct(low)}
    return json.dumps(reply, ensure_ascii=False)


def _english(question: str) -> tuple[list[str], list[str]]:
    names = [found[1] or found[0] for found in _NAME.finditer(question)]
    names = [trimmed for name in names if (trimmed := _without_stop_words(name))]
    topics: list[list[str]] = [[]]
    for word in _WORD.findall(question):
        if _is_common(word):
            topics.append([])
        else:
            topics[-1].append(word)
    phrases = [" ".join(topic) for topic in topics if topic]
    inside = {part.lower() for name in names for part in name.split()}
    single = [word for topic in topics for word in topic if word.lower() not in inside]
    return phrases, [*names, *single]


def _is_common(word: str) -> bool:
    return word.lower() in STOP_WORDS or word.lower() in _QUESTION_WORDS or len(word) < 2


def _without_stop_words(name: str) -> str:
    words = name.split()
    while words and _is_common(words[0]):
        words = words[1:]
    return " ".join(words)


def _chinese(question: str) -> tuple[list[str], list[str]]:
    topics: list[list[str]] = [[]]
    for word in segment(question):
        content = word.tag.startswith(_CHINESE_CONTENT_TAGS) and word.text.strip()
        if content and word.text not in _CHINESE_QUESTION_WORDS and word.text[0].isalnum():
            topics[-1].append(word.text)
        else:
            topics.append([])
    low = [word for topic in topics for word in topic if len(word) > 1]
    return ["".join(topic) for topic in topics if topic], low


def _distinct(keywords: list[str]) -> list[str]:
    found = {keyword.lower(): keyword for keyword in reversed(keywords)}
    return [one for one in dict.fromkeys(keywords) if found[one.lower()] == one][:_MOST_KEYWORDS]
