"""The command `tunegate`."""
