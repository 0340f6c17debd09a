"""Beat's look at the whole installation, every few seconds: for Prometheus and for CloudWatch."""
