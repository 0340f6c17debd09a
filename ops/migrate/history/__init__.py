"""What an installation knows of a workspace beside LightRAG: documents, tasks, uploads."""
