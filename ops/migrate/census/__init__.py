"""What a workspace of an installation holds, found out without writing anything anywhere."""
