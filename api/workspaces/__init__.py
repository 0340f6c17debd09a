"""Creating, listing and deleting workspaces."""
