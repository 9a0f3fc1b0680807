"""The `grader` command: one file per kind of user."""

from grader.cli.app import main

__all__ = ["main"]
