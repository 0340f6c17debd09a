"""Which items a workspace's stores hold, and which of them do not belong together."""
