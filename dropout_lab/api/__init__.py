"""The Python API; `import dropout_lab as dl` offers all of it as ``dl.NAME``."""
