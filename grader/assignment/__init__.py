"""What is asked and what it is worth.

The names below are those that the author of a `checks.py` needs.
"""

from grader.assignment.check import (
    Bound,
    Calls,
    Check,
    Cost,
    Distribution,
    ForbiddenOracle,
    Iterates,
    LinearRate,
    Moment,
    Monotone,
    OptimizerSteps,
    Property,
    Statistics,
    SublinearRate,
    Training,
    UnchangedInputs,
    Values,
)
from grader.assignment.drive import Drive, Group
from grader.assignment.errors import AssignmentError
from grader.assignment.experiment import Experiment, Seed
from grader.assignment.question import Question
from grader.assignment.relations import (
    Deterministic,
    Equivariant,
    Idempotent,
    InformationFlow,
    InvariantToConstant,
    NonExpansive,
    moved_problem,
    raised_problem,
)

__all__ = [
    "AssignmentError",
    "Bound",
    "Calls",
    "Check",
    "Cost",
    "Deterministic",
    "Distribution",
    "Drive",
    "Equivariant",
    "Experiment",
    "ForbiddenOracle",
    "Group",
    "Idempotent",
    "InformationFlow",
    "InvariantToConstant",
    "Iterates",
    "LinearRate",
    "Moment",
    "Monotone",
    "NonExpansive",
    "OptimizerSteps",
    "Property",
    "Question",
    "Seed",
    "Statistics",
    "SublinearRate",
    "Training",
    "UnchangedInputs",
    "Values",
    "moved_problem",
    "raised_problem",
]
