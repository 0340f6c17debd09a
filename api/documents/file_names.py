"""File names as people sent them, made harmless."""

import re
import unicodedata

FALLBACK_NAME = "document"
MAX_CHARS = 200
# Longer endings are not what people call an extension.
_MAX_EXTENSION_CHARS = 20
_PATH_SEPARATORS = re.compile(r"[/\\]")
# Control, invisible formatting (it can turn "gpj.exe" around), surrogates, line separators.
_UNWANTED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# LightRAG joins the file names of one entity with this.
_GRAPH_SEPARATOR = "<SEP>"


def clean_file_name(sent: str) -> str:
    """Return a name without path, control characters or surplus length; never an empty one."""
    name = _PATH_SEPARATORS.split(sent)[-1]
    name = unicodedata.normalize("NFC", name).replace(_GRAPH_SEPARATOR, "_")
    name = "".join(
        character
        for character in name
        if unicodedata.category(character) not in _UNWANTED_CATEGORIES
    ).strip()
    return _shorten(name) if name.strip(". ") else FALLBACK_NAME


def _shorten(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > _MAX_EXTENSION_CHARS:
        return name[:MAX_CHARS]
    return stem[: MAX_CHARS - len(extension) - 1] + dot + extension
