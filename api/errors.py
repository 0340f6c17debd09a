"""The errors that only an HTTP request can meet."""

from shared.errors import AppError, InvalidInputError, NotFoundError


class RouteNotFoundError(NotFoundError):
    """There is no such path; GET /docs lists those there are."""

    code = "route_not_found"


class EntityNotFoundError(NotFoundError):
    """No such entity in this workspace's graph; GET /graph/labels?search=… finds names."""

    code = "entity_not_found"


class RelationNotFoundError(NotFoundError):
    """No relation between these entities; GET /graph/entities/{name} lists what there is."""

    code = "relation_not_found"


class MethodNotAllowedError(AppError):
    """This path does not take this method; the Allow header names those it takes."""

    code = "method_not_allowed"


class UnauthorizedError(AppError):
    """An API key is needed: send it as X-API-Key or as a bearer token."""

    code = "unauthorized"


class UnsupportedMediaTypeError(AppError):
    """The body's Content-Type is not the one this path takes."""

    code = "unsupported_media_type"


class RequestTooLargeError(AppError):
    """The request body is larger than MAX_REQUEST_BYTES; send less."""

    code = "request_too_large"


class RequestTimeoutError(AppError):
    """The request body stopped arriving; send it again."""

    code = "request_timeout"


class MalformedJsonError(InvalidInputError):
    """The body is not JSON; correct it and send it again."""

    code = "malformed_json"


class InvalidRequestError(InvalidInputError):
    """Some fields are not valid; `errors` names each of them."""

    code = "invalid_request"


class MalformedMultipartError(InvalidInputError):
    """The multipart body is not complete or not well-formed; send it again."""

    code = "malformed_multipart"


class MissingFileError(InvalidInputError):
    """There is no part named `file`; send the document as that part."""

    code = "missing_file"


class DuplicatePartError(InvalidInputError):
    """A part `file` or `doc_id` came twice; send one document a request."""

    code = "duplicate_part"


class FormTooLargeError(InvalidInputError):
    """The parts beside the file are too many or too large; send only `file` and `doc_id`."""

    code = "form_too_large"


class EmptyFileError(InvalidInputError):
    """The file is empty; send one with content."""

    code = "empty_file"


class InvalidIdempotencyKeyError(InvalidInputError):
    """An Idempotency-Key has 1 to 255 printable ASCII characters."""

    code = "invalid_idempotency_key"
