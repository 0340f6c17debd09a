"""Turns untrusted bytes into text, in child processes that may die without harm."""

from worker.parsing.document import ParsedDocument
from worker.parsing.isolation import ParserPool
from worker.parsing.parse import parse_file

__all__ = ["ParsedDocument", "ParserPool", "parse_file"]
