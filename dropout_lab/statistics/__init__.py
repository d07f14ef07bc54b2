"""Arrays in, numbers out: tests, resampling and power. Knows no run."""
