"""What both tiers share: settings, errors, the ledger, the stores and LightRAG behind adapters."""
