"""The ledger: the durable truth about workspaces, documents, tasks and batches."""
