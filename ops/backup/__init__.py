"""Backups of workspaces: archives in a place, made, listed, restored and pruned."""
