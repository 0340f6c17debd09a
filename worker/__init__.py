"""The worker tier: turns stored bytes into a committed graph, one stage at a time."""
