"""The `grader` command: one file per kind of user."""


def main() -> None:
    """Run the command line. Imported late: worker processes import the command's script, and need nothing of it."""
    from grader.cli.app import main as run

    run()
