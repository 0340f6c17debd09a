"""Reads HTML: decodes it itself, converts it to Markdown, falls back to the bare text."""

import re
from html.parser import HTMLParser

from worker.parsing.decode import decode
from worker.parsing.document import Source

_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_:.-]+)""", re.IGNORECASE)
_DECLARED_WITHIN_BYTES = 4096  # the standard says 1024; real pages are late
_EMBEDDED_BYTES = re.compile(r"\(<?data:[^)\s]{0,}\)")
# Inside one stored document a relative address leads nowhere; its words stay.
_LOCAL_LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\((?!https?:|mailto:)[^()\s]*(?: \"[^\"]*\")?\)")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*?(/?)>")
# Tags that need no end: counting them as open would make every long page look deep.
_UNCLOSED = frozenset(
    {"p", "li", "td", "tr", "th", "dt", "dd", "option", "thead", "tbody", "tfoot", "colgroup"}
    | {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"}
    | {"source", "track", "wbr"}
)
_CONVERTER_DEPTH = 1000  # the converter silently drops what lies deeper than 1024


def read(source: Source) -> str:
    """Return the page as Markdown; raises DamagedDocumentError for bytes that are no text."""
    declared = _DECLARED.search(source.content[:_DECLARED_WITHIN_BYTES])
    return to_markdown(
        decode(source.content, declared=declared[1].decode("ascii") if declared else None)
    )


def to_markdown(page: str) -> str:
    """Return an HTML page's text as Markdown, or bare when its structure is beyond converting."""
    from html_to_markdown import ConversionOptions, convert  # noqa: PLC0415 (this format only)

    if _depth(page) > _CONVERTER_DEPTH:
        return _bare_text(page)
    options = ConversionOptions(extract_metadata=False, compact_tables=True)
    markdown: str = convert(page.replace("\x00", ""), options).content or ""
    markdown = _EMBEDDED_BYTES.sub("()", markdown)
    markdown = _LOCAL_LINK.sub(r"\1", markdown)
    # Near-empty output from a long page means that the converter gave up somewhere.
    if len(markdown) * 100 < len(page):
        return max(markdown, _bare_text(page), key=len)
    return markdown


def _depth(page: str) -> int:
    depth = deepest = 0
    for closing, name, self_closing in _TAG.findall(page):
        if name.lower() in _UNCLOSED or self_closing:
            continue
        depth = max(0, depth - 1) if closing else depth + 1
        deepest = max(deepest, depth)
    return deepest


def _bare_text(page: str) -> str:
    collector = _Text(convert_charrefs=True)
    collector.feed(page)
    collector.close()
    return "\n".join(collector.pieces)


class _Text(HTMLParser):
    """Collects text without building a tree, so that depth costs nothing."""

    pieces: list[str]
    _silent = 0

    def __init__(self, *, convert_charrefs: bool) -> None:
        super().__init__(convert_charrefs=convert_charrefs)
        self.pieces = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 (the base class calls it so)
        """Enter a script or a style sheet: nothing in it is text."""
        self._silent += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        """Leave it again."""
        self._silent = max(0, self._silent - (tag in {"script", "style"}))

    def handle_data(self, data: str) -> None:
        """Keep what a reader would see."""
        if not self._silent and data.strip():
            self.pieces.append(data.strip())
