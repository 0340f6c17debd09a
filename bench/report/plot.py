"""Bars as an SVG, written by hand: a picture of a dozen rectangles needs no library."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_WIDTH = 760
_LEFT = 190
_BAR = 16
_GAP = 4
_CASE_GAP = 18
_TOP = 56
_FONT = 'font-family="sans-serif" font-size="12"'
_COLOURS = {"lightrag-fleet": "#2563eb", "lightrag-server": "#9ca3af"}


def plot(result: Mapping[str, Any]) -> str:
    """Draw chunks a second of both systems, case by case."""
    pairs = {
        name: {run["system"]: float(run["chunks_per_s"]) for run in case["runs"]}
        for name, case in result["cases"].items()
        if "speedup" in case
    }
    largest = max((speed for pair in pairs.values() for speed in pair.values()), default=1.0)
    height = _TOP + len(pairs) * (2 * (_BAR + _GAP) + _CASE_GAP) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(10, 20, "Chunks a second, same documents, stores and model replies", bold=True),
        *_legend(),
        *_bars(pairs, largest),
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def _legend() -> Iterator[str]:
    for position, (system, colour) in enumerate(_COLOURS.items()):
        left = 10 + 150 * position
        yield f'<rect x="{left}" y="30" width="12" height="12" fill="{colour}"/>'
        yield _text(left + 18, 40, system)


def _bars(pairs: Mapping[str, Mapping[str, float]], largest: float) -> Iterator[str]:
    top = _TOP
    for name, speeds in pairs.items():
        yield _text(10, top + _BAR + _GAP, name.replace("_", " "))
        for system, speed in speeds.items():
            width = max(1.0, (_WIDTH - _LEFT - 70) * speed / largest)
            yield (
                f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" '
                f'fill="{_COLOURS[system]}"/>'
            )
            yield _text(round(_LEFT + width + 6), top + 12, f"{speed:g}")
            top += _BAR + _GAP
        top += _CASE_GAP


def _text(left: int, base: int, words: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left}" y="{base}"{weight}>{escape(words)}</text>'
