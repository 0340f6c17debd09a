"""Entities and relations of a passage, found by rules."""
