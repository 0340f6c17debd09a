"""One command of the guide, as a person types it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Typed:
    """One command, and what it must say."""

    part: str
    shown: str
    """As the page shows it: without what is long or differs each time."""
    words: str
    """What is typed after `aws`; names in braces are answers to earlier commands."""
    wanted: str
    """A pattern of the whole answer, or of the error where `fails`."""
    keeps: str = ""
    """The name under which later commands find the answer."""
    note: str = ""
    """What differs from the guide, and why."""
    fails: bool = False
    """Whether the command cannot work; it is typed to see that."""
    is_unknown: bool = False
    """Whether it fails only because moto does not know it, which says nothing of AWS."""
    is_ours: bool = False
    """One of `python -m deploy.ecs.…` instead."""
    file: tuple[str, str] = ("", "")
    """A file that it names: name and content."""
