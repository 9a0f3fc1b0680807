"""The `grader` command: one file per kind of user."""

import signal
import sys

INTERRUPTED = 128 + signal.SIGINT
"""Exit status after Ctrl-C, as shells have it."""


def main() -> None:
    """Run the command line. Imported late: worker processes import the command's script, and need nothing of it."""
    try:
        from grader.cli.app import main as run
    except KeyboardInterrupt:  # the imports take a second
        sys.exit(INTERRUPTED)
    run()
