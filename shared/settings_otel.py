"""The section of the settings about traces; the names are OpenTelemetry's own."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings_sections import Section
from shared.settings_types import WebAddress


class Sampler(StrEnum):
    """Which traces are written down; those that begin with `parentbased` ask the caller first."""

    ALWAYS_ON = "always_on"
    ALWAYS_OFF = "always_off"
    RATIO = "traceidratio"
    PARENT_OR_ON = "parentbased_always_on"
    PARENT_OR_OFF = "parentbased_always_off"
    PARENT_OR_RATIO = "parentbased_traceidratio"


class OtelSettings(Section):
    """Where traces go, and how many; off unless told otherwise."""

    model_config = SettingsConfigDict(env_prefix="OTEL_")
    enabled: bool = False
    service_name: str = ""
    """Empty: the tier's."""
    resource_attributes: str = ""
    exporter_otlp_endpoint: WebAddress = ""
    """Empty: what the SDK finds in the environment, or http://localhost:4318."""
    exporter_otlp_headers: SecretStr = SecretStr("")
    traces_sampler: Sampler = Sampler.PARENT_OR_ON
    traces_sampler_arg: Annotated[float, Field(ge=0, le=1)] = 1.0

    @model_validator(mode="after")
    def _are_pairs(self) -> Self:
        for name in ("resource_attributes", "exporter_otlp_headers"):
            value = getattr(self, name)
            text = value if isinstance(value, str) else value.get_secret_value()
            if any("=" not in pair for pair in _pairs(text)):
                sentence = f"OTEL_{name.upper()} is not of the form name=value,name=value."
                raise ValueError(sentence)
        return self

    @property
    def traces_endpoint(self) -> str | None:
        """The address that spans are posted to; None: the SDK decides."""
        base = self.exporter_otlp_endpoint.rstrip("/")
        return f"{base}/v1/traces" if base else None

    @property
    def headers(self) -> dict[str, str] | None:
        """What is sent along, such as a key; None: the SDK decides."""
        return _split(self.exporter_otlp_headers.get_secret_value()) or None

    @property
    def secret_words(self) -> list[str]:
        """What of the headers must not be shown: their values, of `Bearer key` the key alone."""
        values = list((self.headers or {}).values())
        return [*values, *(value.rpartition(" ")[2] for value in values)]

    @property
    def attributes(self) -> dict[str, str]:
        """What every span says of its process."""
        return _split(self.resource_attributes)


def _pairs(text: str) -> list[str]:
    return [pair for pair in text.split(",") if pair.strip()]


def _split(text: str) -> dict[str, str]:
    parts = (pair.partition("=") for pair in _pairs(text))
    return {name.strip(): value.strip() for name, _, value in parts}
