"""Is the fleet at work? Every tier, from outside, and when asked a document all the way through."""
