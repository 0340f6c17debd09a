"""What a process tells Prometheus about itself, and what the ledger and the broker tell of all."""
