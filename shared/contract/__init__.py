"""What the sender and the receiver of a message must agree on."""
