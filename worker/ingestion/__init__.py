"""The stages before the commit: prepare (bytes to chunks) and extract (chunks to entities)."""
