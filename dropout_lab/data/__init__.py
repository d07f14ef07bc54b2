"""Datasets: reading, checks, selection and splits."""
