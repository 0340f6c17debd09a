"""The local supervisor: the whole system as child processes of one process on one Linux machine."""
