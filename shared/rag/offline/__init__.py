"""The key-free models: rules for a language model, and a small embedding model."""
