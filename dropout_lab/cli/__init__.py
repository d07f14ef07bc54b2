"""The command line: one file a command, which parses, calls, prints, and ends with an exit code."""
