"""What is measured: the stores, our processes, stock LightRAG, and the model endpoint."""
