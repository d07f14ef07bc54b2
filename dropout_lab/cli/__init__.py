"""The command line: one file per command, which parses, calls, prints and returns an exit code."""
