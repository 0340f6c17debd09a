"""Measures the system beside stock LightRAG; bench/README.md explains how."""
