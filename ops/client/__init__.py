"""The commands that talk to a running API over HTTP."""
