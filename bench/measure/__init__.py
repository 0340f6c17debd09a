"""Takes the measurements: processes, clocks, and the arithmetic on them."""
