"""The section of the settings about Amazon ECS."""

from pydantic_settings import SettingsConfigDict

from shared.settings_sections import Section
from shared.settings_types import WebAddress


class EcsSettings(Section):
    """What ECS tells each container that it starts; nobody sets it by hand."""

    model_config = SettingsConfigDict(env_prefix="ECS_")
    agent_uri: WebAddress = ""
    """Where the agent of this container's task answers; empty: this is not ECS."""
