"""The rehearsal: the shipped images and compose file, really built, run, killed and restarted."""
