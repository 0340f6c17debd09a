"""What is wrong with a TLS connection, found in whatever a driver makes of it."""

import ssl
from enum import StrEnum

from shared.errors import AppError

# OpenSSL's numbers: another name, another address; see X509_verify_cert_error_string.
_OTHER_NAME = frozenset({62, 64})
_OUT_OF_DATE = frozenset({9, 10})
# The server speaks something else, or no version that we speak. Other errors happen to
# connections that were fine, when a server is restarted.
_NO_TLS = frozenset(
    {
        "HTTP_REQUEST",
        "NO_PROTOCOLS_AVAILABLE",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)


class TlsFault(StrEnum):
    """What a person has to correct; each ends a sentence that begins with a server's name."""

    OTHER_NAME = "shows a certificate that is for another host name"
    OUT_OF_DATE = "shows a certificate that is out of date"
    NOT_TRUSTED = "shows a certificate of an authority that is not trusted here"
    NO_TLS = "does not speak TLS there"

    def told_of(self, server: str) -> str:
        """Return the beginning of a sentence."""
        return f"{server} {self.value}"


def tls_fault(error: BaseException) -> TlsFault | None:
    """Look for it in an error and in what led to it; None: TLS is not what is wrong."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, AppError):
        if fault := _fault(seen) or _fault(getattr(seen, "orig", None)):
            return fault
        seen = seen.__cause__ or seen.__context__
    return None


def _fault(error: object) -> TlsFault | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_NAME:
            return TlsFault.OTHER_NAME
        is_old = error.verify_code in _OUT_OF_DATE
        return TlsFault.OUT_OF_DATE if is_old else TlsFault.NOT_TRUSTED
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return TlsFault.NO_TLS
    # asyncpg's words for a PostgreSQL that has no certificate.
    if isinstance(error, ConnectionError) and "rejected SSL upgrade" in str(error):
        return TlsFault.NO_TLS
    return None
