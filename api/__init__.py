"""The HTTP tier: takes documents and questions, keeps nothing in memory between requests."""
