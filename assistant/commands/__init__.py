"""The command line's commands by subject. Together with `cli` the only place that writes to standard output."""
