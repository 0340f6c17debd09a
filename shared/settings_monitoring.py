"""The sections of the settings about metrics: for Prometheus, and for CloudWatch."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from shared.settings_sections import Section


def _require_dimension(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", name):
        sentence = "a name has 1 to 64 characters of a-z, A-Z, 0-9, . _ / and -"
        raise ValueError(sentence)
    return name


class MetricsSettings(Section):
    """Where workers and beat answer Prometheus; the API does so on its own port."""

    model_config = SettingsConfigDict(env_prefix="METRICS_")
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0: nowhere."""


class CloudWatchSettings(Section):
    """Whether beat writes the numbers that autoscaling and alarms on AWS live on."""

    model_config = SettingsConfigDict(env_prefix="CLOUDWATCH_")
    enabled: bool = False
    installation: Annotated[str, AfterValidator(_require_dimension)] = "ragfleet"
    """The dimension `Installation` of every metric."""
    region: str = ""
