"""Looking at tasks, cancelling and retrying them."""
