"""What the files of a backup are called: `<workspace>-<UTC time>` and what kind it is."""

import re

ARCHIVE, RECEIPT = ".ragfleet", ".receipt.json"
_STEM = r"(?P<workspace>[a-z0-9_]{1,40})-(?P<moment>\d{8}T\d{6}Z)"
ARCHIVE_NAME = re.compile(_STEM + re.escape(ARCHIVE))
_NAME = re.compile(f"{_STEM}({re.escape(ARCHIVE)}|{re.escape(RECEIPT)})")


def is_ours(name: str) -> bool:
    """Tell whether a file has the name of a backup or of a receipt."""
    return _NAME.fullmatch(name) is not None
