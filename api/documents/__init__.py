"""Uploading, listing and deleting documents."""
