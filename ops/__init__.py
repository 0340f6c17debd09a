"""The composition root: the command line, the local supervisor and files mode."""
