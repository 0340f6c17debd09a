"""Looking at the graph, and editing it by hand."""
