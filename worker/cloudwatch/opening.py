"""Opens what publishes to CloudWatch, where settings want it."""

from shared.connections import broker_url
from shared.errors import SettingsError
from shared.settings import Settings
from worker.watch.watcher import Publisher


def open_publisher(settings: Settings) -> Publisher | None:
    """Return what publishes to CloudWatch; None: CLOUDWATCH_ENABLED is false.

    Raises:
        SettingsError: boto3 is not installed, or no region is known.
    """
    if not settings.cloudwatch.enabled:
        return None
    try:
        from worker.cloudwatch.client import CloudWatchClient  # noqa: PLC0415 - 40 MB, an extra
    except ImportError:
        sentence = "CLOUDWATCH_ENABLED=true needs boto3; run `pip install 'lightrag-fleet[s3]'`."
        raise SettingsError(sentence) from None
    from worker.cloudwatch.position import Positions  # noqa: PLC0415 - with the other
    from worker.cloudwatch.publisher import CloudWatchPublisher  # noqa: PLC0415 - same

    installation = settings.cloudwatch.installation
    positions = Positions(broker_url(settings), installation)
    return CloudWatchPublisher(CloudWatchClient(settings.cloudwatch), positions, installation)
