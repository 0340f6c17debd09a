"""LightRAG's storages as one unit of work: reads see its writes, and nothing is written yet."""
