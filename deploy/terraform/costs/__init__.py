"""What an installation on AWS costs in a month, computed from its variables."""
