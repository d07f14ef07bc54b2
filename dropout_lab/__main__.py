"""Run the command line as ``python -m dropout_lab``."""

import sys


def main() -> None:
    """Run the command line and exit; Ctrl-C ends it in order from the first import on."""
    try:
        from dropout_lab.cli.app import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
