"""LightRAG and the models behind it, as the rest of the system sees them."""
