"""Reports of a comparison as files that need nothing else."""
