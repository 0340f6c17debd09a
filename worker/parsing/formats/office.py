"""Reads office documents through xberg; a docx it cannot read goes to mammoth."""

import asyncio
import io
import zipfile
from typing import TYPE_CHECKING

from worker.parsing.archive import MAX_MEMBERS, MAX_UNPACKED_BYTES
from worker.parsing.document import Source
from worker.parsing.errors import DamagedDocumentError
from worker.parsing.formats import html
from worker.parsing.text import has_words

if TYPE_CHECKING:
    import xberg

_MIME_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "rtf": "application/rtf",
    "msg": "application/vnd.ms-outlook",
    "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint",
    "pdf": "application/pdf",
}


def read(source: Source) -> str:
    """Return the document as Markdown; raises DamagedDocumentError."""
    try:
        text = extract(source.content, source.format)
    except DamagedDocumentError:
        if source.format != "docx":
            raise
        return _docx_by_mammoth(source.content)
    if source.format == "docx" and not has_words(text):
        return _docx_by_mammoth(source.content)
    return text


def extract(content: bytes, document_format: str) -> str:
    """Return what xberg reads from bytes of a known format; raises DamagedDocumentError."""
    import xberg  # noqa: PLC0415 (200 ms and 50 MB: for these formats only)

    given = xberg.ExtractInput(
        kind="bytes",  # never an address: it would fetch it
        bytes=content,
        mime_type=_MIME_TYPES[document_format],
        filename=f"document.{document_format}",
    )
    try:
        # The child has no loop of its own, and one document needs one for this call only.
        result = asyncio.run(xberg.extract(given, _configuration()))
    except (xberg.XbergError, RuntimeError, ValueError) as error:  # it raises bare ones too
        raise DamagedDocumentError from error
    if result.errors or not result.results:
        raise DamagedDocumentError
    return _with_speaker_notes(result.results[0])


def _configuration() -> "xberg.ExtractionConfig":
    import xberg  # noqa: PLC0415

    return xberg.ExtractionConfig(
        use_cache=False,
        disable_ocr=True,
        enable_quality_processing=False,  # it rewrites text
        max_archive_depth=0,
        output_format="markdown",
        escape_markdown=False,
        extraction_timeout_secs=None,  # the pool's deadline rules
        concurrency=xberg.ConcurrencyConfig(max_threads=1),
        pages=xberg.PageConfig(extract_pages=True),
        # Its defaults refuse real files (ratio 100, 100k cells); ours is archive.py's judgement.
        security_limits=xberg.SecurityLimits(
            max_archive_size=MAX_UNPACKED_BYTES,
            max_compression_ratio=2000,
            max_files_in_archive=MAX_MEMBERS,
            max_content_size=MAX_UNPACKED_BYTES,
            max_iterations=1_000_000_000,
            max_table_cells=10_000_000,
        ),
    )


def _with_speaker_notes(document: "xberg.ExtractedDocument") -> str:
    pages = document.pages or []
    if not any(page.speaker_notes for page in pages):
        return str(document.content)
    pieces: list[str] = []
    for page in pages:
        pieces.append(page.content)
        if page.speaker_notes and page.speaker_notes.strip() not in page.content:
            pieces.append(f"Speaker notes: {page.speaker_notes}")
    return "\n\n".join(pieces)


def _docx_by_mammoth(content: bytes) -> str:
    import mammoth  # noqa: PLC0415 (for what xberg cannot read only)

    try:
        return html.to_markdown(mammoth.convert_to_html(io.BytesIO(content)).value)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, AttributeError) as error:
        # expat's errors are ValueErrors' cousins only by name: see DamagedDocumentError in child.py
        raise DamagedDocumentError from error
