"""Reads mail (eml): its main headers, its text, and the text of its attachments."""

from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from worker.parsing.decode import decode
from worker.parsing.document import Source
from worker.parsing.errors import DamagedDocumentError, DecompressionBombError, DocumentError
from worker.parsing.formats import html

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_MAX_ATTACHMENTS = 100  # correspondence has a handful; each may cost a whole parse


def read(source: Source) -> str:
    """Return headers, body and attachments; an attachment that cannot be read is only named."""
    try:
        message = message_from_bytes(source.content)
        pieces = [
            *_headers(message),
            "",
            *_body(message, source, attachments_left=_MAX_ATTACHMENTS),
        ]
    except RecursionError as error:
        raise DamagedDocumentError("The mail's parts are nested too deeply to be read.") from error
    return "\n".join(pieces)


def _headers(message: Message) -> Iterator[str]:
    for name in _HEADERS:
        value = message.get(name)
        if value is not None:
            yield f"{name}: {_header_text(value)}"


def _header_text(value: object) -> str:
    try:
        text = str(make_header(decode_header(str(value))))
    except (HeaderParseError, LookupError, ValueError):
        text = str(value)
    return " ".join(text.split())


def _body(message: Message, source: Source, *, attachments_left: int) -> Iterator[str]:
    for part in _chosen_parts(message):
        if _is_body(part):
            yield _body_text(part)
            yield ""
        elif attachments_left > 0:
            attachments_left -= 1
            yield from _attachment(part, source)


def _chosen_parts(message: Message) -> Iterator[Message]:
    """Yield the leaves to read: of alternatives only the best, of a forwarded mail the whole."""
    if message.get_content_type() == "message/rfc822" or not message.is_multipart():
        yield message
        return
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    if message.get_content_type() == "multipart/alternative":
        parts = [_best(parts)] if parts else []
    for part in parts:
        yield from _chosen_parts(part)


def _best(alternatives: list[Message]) -> Message:
    for part in alternatives:
        if part.get_content_type() == "text/plain" and _bytes(part).strip():
            return part
    return alternatives[-1]  # the standard puts the richest last


def _is_body(part: Message) -> bool:
    return (
        part.get_content_type() in {"text/plain", "text/html"}
        and part.get_content_disposition() != "attachment"
        and part.get_filename() is None
    )


def _body_text(part: Message) -> str:
    text = decode(_bytes(part), declared=part.get_content_charset())
    return html.to_markdown(text) if part.get_content_type() == "text/html" else text


def _attachment(part: Message, source: Source) -> Iterator[str]:
    content = _bytes(part)
    name = _header_text(part.get_filename() or f"attachment.{part.get_content_subtype()}")
    if part.get_content_type() == "message/rfc822":
        name = "attachment.eml"
    try:
        text = source.read_part(content, name)
    except DecompressionBombError:
        raise  # an attack on the reader, not an attachment
    except DocumentError:
        text = ""  # a picture, say; its name still tells something
    yield f"## Attachment: {name}\n\n{text}\n"


def _bytes(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        return b"".join(bytes(message) for message in inner if isinstance(message, Message))
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
