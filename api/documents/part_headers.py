"""What the headers of one multipart part say."""

from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

from api.errors import MalformedMultipartError

_MAX_CONTENT_TYPE_CHARS = 100
_DEFAULT_CONTENT_TYPE = "application/octet-stream"
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(frozen=True)
class PartHeaders:
    """The name of a form field, and what is said about the file in it."""

    name: str
    file_name: str
    content_type: str


def read_part_headers(headers: dict[str, bytes]) -> PartHeaders:
    """Read the headers of a part; their names are in lower case.

    Raises:
        MalformedMultipartError: the part has no name, or an encoding that forms do not use.
    """
    encoding = _text(headers.get("content-transfer-encoding", b"")).strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        sentence = "A part has a Content-Transfer-Encoding; send the bytes as they are."
        raise MalformedMultipartError(sentence)
    parameters = _disposition(headers.get("content-disposition", b""))
    if "name" not in parameters:
        raise MalformedMultipartError("A part has no name; name each part of the form.")
    return PartHeaders(
        name=parameters["name"],
        file_name=parameters.get("filename", ""),
        content_type=_content_type(headers.get("content-type", b"")),
    )


def _disposition(value: bytes) -> dict[str, str]:
    """Read `form-data; name=…; filename=…`; a `filename*` (RFC 5987) wins over a `filename`."""
    message = Message()
    message["content-disposition"] = _text(value)
    plain: dict[str, str] = {}
    extended: dict[str, str] = {}
    for key, parameter in message.get_params([], header="content-disposition"):
        target = extended if isinstance(parameter, tuple) else plain
        target.setdefault(key.lower(), collapse_rfc2231_value(parameter))
    if "filename" in plain:
        # Browsers and curl send a quote and line ends this way, and nothing else.
        for code, character in (("%22", '"'), ("%0D", ""), ("%0A", "")):
            plain["filename"] = plain["filename"].replace(code, character)
    return plain | extended


def _content_type(value: bytes) -> str:
    media_type = _text(value).partition(";")[0].strip().lower()
    is_one = media_type.isascii() and media_type.isprintable() and "/" in media_type
    return media_type[:_MAX_CONTENT_TYPE_CHARS] if is_one else _DEFAULT_CONTENT_TYPE


def _text(value: bytes) -> str:
    """Decode a header: browsers and curl send UTF-8, old clients latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
