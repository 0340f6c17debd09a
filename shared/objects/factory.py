"""Which object store the settings mean."""

from shared.errors import SettingsError
from shared.objects.base import ObjectStore
from shared.objects.local import LocalObjectStore
from shared.settings import Settings


def open_objects(settings: Settings) -> ObjectStore:
    """Return the store of uploaded bytes: a folder in DATA_DIR or in a bucket.

    Each ledger has a folder of its own: what one does not know, its cleaner removes.

    Raises:
        SettingsError: it is a bucket, and what is needed for one is not installed.
    """
    folder = "objects" if settings.external else "files_mode_objects"
    if settings.storage.object_store == "local":
        return LocalObjectStore(settings.storage.data_dir / folder)
    try:
        from shared.objects.s3.store import S3ObjectStore  # noqa: PLC0415 - 40 MB
    except ImportError:
        sentence = "OBJECT_STORE=s3 needs boto3; run `pip install 'lightrag-fleet[s3]'`."
        raise SettingsError(sentence) from None
    return S3ObjectStore(settings.s3, folder)
