"""The one leased writer of a workspace: inserts, replacements, deletions."""
