"""Definition, direction, margin and format of every metric."""
