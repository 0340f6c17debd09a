"""Copies a workspace that is in use: read first, then paused for what changed meanwhile."""
