"""A thin door to CloudWatch: one call, and errors of ours.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from collections.abc import Sequence
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from shared.errors import SettingsError
from shared.settings_monitoring import CloudWatchSettings
from worker.cloudwatch.errors import CloudWatchAwayError, CloudWatchRefusedError

NAMESPACE = "LightRAGFleet"
# The next minute brings new numbers, and what was counted meanwhile is not lost.
_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 10
_ATTEMPTS = 2
_CLOSED_DOOR_STATUSES = frozenset({400, 401, 403})


class CloudWatchClient:
    """Writes numbers into our namespace; blocks, so it is called in threads."""

    def __init__(self, settings: CloudWatchSettings) -> None:
        """Prepare it; nothing connects yet.

        Credentials and address are found where AWS's own tools look for them.

        Raises:
            SettingsError: no region is known, or the address that the environment names is none.
        """
        config = Config(
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        )
        try:
            self._client: Any = boto3.client(
                "cloudwatch", region_name=settings.region or None, config=config
            )
        except exceptions.NoRegionError:
            sentence = "CLOUDWATCH_REGION is not set, and AWS's own settings name none; set it."
            raise SettingsError(sentence) from None
        except (exceptions.BotoCoreError, ValueError) as error:
            sentence = f"CLOUDWATCH_ENABLED=true, but AWS's own settings are not usable: {error}"
            raise SettingsError(sentence) from None

    def put(self, data: Sequence[dict[str, Any]]) -> None:
        """Write numbers, all or none of them.

        Raises:
            CloudWatchAwayError: it did not answer, or asks to come later.
            CloudWatchRefusedError: there are no credentials, or they allow too little.
        """
        try:
            self._client.put_metric_data(Namespace=NAMESPACE, MetricData=list(data))
        except exceptions.ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            code = str(error.response.get("Error", {}).get("Code", ""))
            if status in _CLOSED_DOOR_STATUSES and not code.startswith("Throttl"):
                raise CloudWatchRefusedError(
                    f"{CloudWatchRefusedError().detail} ({code})"
                ) from None
            raise CloudWatchAwayError from None
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError):
            raise CloudWatchRefusedError from None
        except exceptions.BotoCoreError:
            raise CloudWatchAwayError from None
