"""Puts lines that a page's width broke back together."""

import re

# A line shorter than this share of the page's widest one ended because its author ended it.
_FULL_LINE_SHARE = 0.6
_ENDS_SENTENCE = re.compile(r"[.!?:;。！？：；…”\"')）]\s*$")
# Headings, bullets, numbered items and table rows begin a line of their own.
_BEGINS_LINE = re.compile(r"\s*([#|•▪◦\-*–—]|\(?\d+[.)、]|[（(]?[一二三四五六七八九十]+[、.）])")
_WIDE = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


def unwrapped(text: str) -> str:
    """Join the broken lines of one page; blank lines, short lines, lists and tables stay."""
    lines = text.splitlines()
    widest = max((len(line) for line in lines), default=0)
    joined: list[str] = []
    open_line = False
    for line in lines:
        if open_line and line.strip() and not _BEGINS_LINE.match(line):
            joined[-1] = _glued(joined[-1].rstrip(), line.lstrip())
        else:
            joined.append(line)
        full = len(line) >= _FULL_LINE_SHARE * widest
        open_line = full and "|" not in line and not _ENDS_SENTENCE.search(line)
    return "\n".join(joined)


def _glued(before: str, after: str) -> str:
    # Chinese and Japanese have no space between words.
    wide = before and after and _WIDE.match(before[-1]) and _WIDE.match(after[0])
    return before + after if wide else f"{before} {after}"
