"""What is asked and what it is worth.

The names below are those that the author of a `checks.py` needs.
"""

from grader.assignment.check import (
    Bound,
    Calls,
    Check,
    Iterates,
    LinearRate,
    UnchangedInputs,
    Values,
)
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment
from grader.assignment.question import Question

__all__ = [
    "AssignmentError",
    "Bound",
    "Calls",
    "Check",
    "Experiment",
    "Iterates",
    "LinearRate",
    "Question",
    "UnchangedInputs",
    "Values",
]
