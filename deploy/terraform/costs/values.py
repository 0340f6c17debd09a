"""Reads what a tfvars file sets, and the defaults of variables: literals of Terraform's language.

Functions and references are no literals; files of variables have none, and defaults must not.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TOKEN = re.compile(
    r"""(?P<skipped>\#[^\n]*|[\s,])|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<word>[A-Za-z_][\w-]*)|(?P<sign>[={}\[\]:])"""
)
_WORDS = {"true": True, "false": False, "null": None}
_DEFAULT = re.compile(r'^variable "(\w+)" \{$|^  default\s+= ', re.MULTILINE)


class NotLiteralError(Exception):
    """There is something else than a literal; the sentence says where."""


class _Reader:
    """Takes one token after the other."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        self._tokens = self._tokenised(start)
        self.ahead = next(self._tokens)

    def _tokenised(self, position: int) -> Iterator[tuple[str, str]]:
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                line = self._text.count("\n", 0, position) + 1
                sentence = f"Line {line} has something that is no literal value."
                raise NotLiteralError(sentence)
            position = match.end()
            if match.lastgroup != "skipped":
                yield str(match.lastgroup), match[0]
        while True:
            yield "end", ""

    def take(self) -> tuple[str, str]:
        taken, self.ahead = self.ahead, next(self._tokens)
        return taken

    def value(self) -> Any:  # noqa: ANN401 - any literal
        kind, text = self.take()
        if kind in {"string", "number"}:
            return json.loads(text)
        if text in _WORDS:
            return _WORDS[text]
        if text == "{":
            return dict(self.pairs("}"))
        if text == "[":
            return list(self.items())
        sentence = f"{text or 'The end'} stands where a literal value should be."
        raise NotLiteralError(sentence)

    def pairs(self, end: str) -> Iterator[tuple[str, Any]]:
        while self.ahead[1] != end:
            name = self.take()[1].strip('"')
            if self.take()[1] not in {"=", ":"}:
                sentence = f"{name} is followed by no value."
                raise NotLiteralError(sentence)
            yield name, self.value()
        self.take()

    def items(self) -> Iterator[Any]:
        while self.ahead[1] != "]":
            yield self.value()
        self.take()


def read_tfvars(path: Path) -> dict[str, Any]:
    """Return what a file of variables sets.

    Raises:
        NotLiteralError: it is not a file of literals.
    """
    return dict(_Reader(path.read_text(encoding="utf-8")).pairs(""))


def read_defaults(path: Path) -> dict[str, Any]:
    """Return the defaults of the variables in a file of Terraform; those without are left out.

    Raises:
        NotLiteralError: a default is not a literal.
    """
    text = path.read_text(encoding="utf-8")
    defaults: dict[str, Any] = {}
    name = ""
    for match in _DEFAULT.finditer(text):
        if match[1]:
            name = match[1]
        else:
            defaults[name] = _Reader(text, match.end()).value()
    return defaults
