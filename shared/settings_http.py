"""The sections of the settings about what listens: the API and the dashboard."""

from typing import Literal

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings_sections import Section
from shared.settings_types import Port


class ApiSettings(Section):
    """Where the API listens and who may use it."""

    model_config = SettingsConfigDict(env_prefix="API_")
    host: str = "127.0.0.1"
    port: Port = 8000
    key: SecretStr = SecretStr("")


class AuthSettings(Section):
    """Whether the API lets everybody in."""

    model_config = SettingsConfigDict(env_prefix="AUTH_")
    mode: Literal["", "key", "none"] = ""
    """Empty: a key is needed where others than this machine reach the API."""


class FlowerSettings(Section):
    """The dashboard; `ragfleet up` chooses its address and password itself."""

    model_config = SettingsConfigDict(env_prefix="FLOWER_")
    host: str = "127.0.0.1"
    port: Port = 5555
    user: str = "fleet"
    password: SecretStr = SecretStr("")
