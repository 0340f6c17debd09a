"""Fixtures every level may use: real servers, started once a session."""

pytest_plugins = ["tests.services"]
