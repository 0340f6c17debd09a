"""Copies LightRAG workspaces between any two sets of stores, and proves that it did."""
