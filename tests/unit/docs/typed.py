"""The commands that a page tells people to type, out of its blocks and out of its sentences."""

import re
import shlex
from collections.abc import Iterator

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`([^`]+)`")
_CUT = re.compile(r"…|(?<!\|)\|(?!\|)|&&|;|\s[0-9]?[<>]")
"""Where a command ends, or goes on with what the page leaves out."""
TYPED = ("sh", "bash")


def blocks(text: str, *languages: str) -> list[str]:
    """Return a page's blocks in these languages, or all of them."""
    found = _BLOCK.findall(text)
    return [block for language, block in found if not languages or language in languages]


def lines(block: str) -> list[str]:
    """Return a block's lines; one that ends with a backslash goes on."""
    whole = re.sub(r"\\\n\s*", "", block)
    return [line.strip() for line in whole.splitlines() if line.strip()]


def spans(text: str) -> list[str]:
    """Return what stands between backticks in the sentences; it may be wrapped."""
    prose = _BLOCK.sub("", text)
    return [" ".join(found.split()) for found in _SPAN.findall(prose)]


def commands(text: str) -> Iterator[tuple[list[str], bool]]:
    """Give each simple command of a page as words, and whether it is whole: sentences shorten."""
    found = [(line, True) for block in blocks(text, *TYPED) for line in lines(block)]
    found += [(span, False) for span in spans(text)]
    for line, is_whole in found:
        for part in _parts(re.sub(r"(^|\s)#\s.*", "", line)):
            try:
                words = shlex.split(part)
            except ValueError:  # a quote that goes on in the next line
                words = part.split()
            while words and re.fullmatch(r"[A-Z_]+=.*|do|then|until", words[0]):
                words = words[1:]
            if words:
                yield words, is_whole and "…" not in line


def _parts(line: str) -> list[str]:
    """Take a line apart at what joins commands, outside of quotes."""
    quoted = re.compile(r"'[^']*'|\"[^\"]*\"")
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    bare = quoted.sub(keep, line)
    pieces = _CUT.split(bare)
    return [re.sub(r"\0(\d+)\0", lambda one: kept[int(one[1])], piece) for piece in pieces]
