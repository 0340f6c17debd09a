"""The form of one upload, parsed piece by piece: a part `file`, maybe a part `doc_id`."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from api.documents.file_names import FALLBACK_NAME, clean_file_name
from api.documents.part_headers import read_part_headers
from api.errors import (
    DuplicatePartError,
    EmptyFileError,
    FormTooLargeError,
    MalformedMultipartError,
    MissingFileError,
)
from shared.errors import InvalidDocumentIdError, UploadTooLargeError
from shared.ids import DocumentId, parse_document_id

# Two are ours; a browser's form may bring some more, which are ignored.
_MAX_PARTS = 32
_MAX_OTHER_BYTES = 64 * 1024
# A file name of 300 letters in a percent-encoded alphabet.
_MAX_HEADER_BYTES = 16 * 1024
_MAX_HEADERS = 16
_OURS = frozenset({"file", "doc_id"})


class UploadForm:
    """Takes the body in pieces, in any order of parts, and gives the file's bytes at once.

    `file_name`, `content_type` and `doc_id` (None: none was sent) are known after `finish`.
    """

    def __init__(self, boundary: bytes, *, max_file_bytes: int) -> None:
        """Expect a body.

        Raises:
            MalformedMultipartError: the boundary is not one.
        """
        self.file_name = FALLBACK_NAME
        self.content_type = ""
        self.doc_id: DocumentId | None = None
        self._max_file_bytes = max_file_bytes
        self._headers: dict[str, bytes] = {}
        self._header_name = b""
        self._part = ""
        self._seen: list[str] = []
        self._doc_id = bytearray()
        self._file_pieces: list[bytes] = []
        self._file_bytes = 0
        self._other_bytes = 0
        self._is_complete = False
        self._parser = self._make_parser(boundary)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Parse a piece of the body and return the bytes of the file that were in it.

        Raises:
            InvalidInputError: the form is not well-formed, or not what is expected.
            UploadTooLargeError: the file is larger than allowed.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedMultipartError from error
        pieces, self._file_pieces = self._file_pieces, []
        return pieces

    def finish(self) -> None:
        """Check that all of the form came.

        Raises:
            InvalidInputError: it is incomplete, without a file, or the file is empty.
        """
        if not self._is_complete:
            raise MalformedMultipartError
        if "file" not in self._seen:
            raise MissingFileError
        if not self._file_bytes:
            raise EmptyFileError

    def _make_parser(self, boundary: bytes) -> MultipartParser:
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": self._take_header_name,
                    "on_header_value": self._take_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._take_content,
                    "on_part_end": self._end_part,
                    "on_end": self._end_form,
                },
                max_header_count=_MAX_HEADERS,
                max_header_size=_MAX_HEADER_BYTES,
            )
        except FormParserError as error:
            raise MalformedMultipartError from error

    def _take_header_name(self, buffer: bytes, start: int, end: int) -> None:
        self._header_name += buffer[start:end].lower()

    def _take_header_value(self, buffer: bytes, start: int, end: int) -> None:
        name = self._header_name.decode("latin-1")
        self._headers[name] = self._headers.get(name, b"") + buffer[start:end]

    def _end_header(self) -> None:
        self._header_name = b""

    def _begin_content(self) -> None:
        headers = read_part_headers(self._headers)
        if headers.name in _OURS and headers.name in self._seen:
            raise DuplicatePartError
        self._part = headers.name
        self._seen.append(headers.name)
        if len(self._seen) > _MAX_PARTS:
            raise FormTooLargeError
        if headers.name == "file":
            self.file_name = clean_file_name(headers.file_name)
            self.content_type = headers.content_type

    def _take_content(self, buffer: bytes, start: int, end: int) -> None:
        if self._part == "file":
            self._file_bytes += end - start
            if self._file_bytes > self._max_file_bytes:
                raise UploadTooLargeError
            self._file_pieces.append(buffer[start:end])
            return
        self._other_bytes += end - start
        if self._other_bytes > _MAX_OTHER_BYTES:
            raise FormTooLargeError
        if self._part == "doc_id":
            self._doc_id += buffer[start:end]

    def _end_part(self) -> None:
        if self._part == "doc_id":
            try:
                self.doc_id = parse_document_id(self._doc_id.decode())
            except UnicodeDecodeError:
                raise InvalidDocumentIdError from None

    def _end_form(self) -> None:
        self._is_complete = True
