"""One limit on model calls for the whole fleet: how many at once, a minute, and with what rest."""
