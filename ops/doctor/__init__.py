"""Looks at an installation's servers and stores, says what is wrong, and mends what is safe."""
