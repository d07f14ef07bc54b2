"""Run the command line as ``python -m dropout_lab``."""

from dropout_lab.cli.app import main

main()
