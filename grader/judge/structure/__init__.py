"""What can be said about wrong numbers without a library of mistakes."""

from grader.judge.structure.findings import compound_finding, observed_course, structural_finding

__all__ = ["compound_finding", "observed_course", "structural_finding"]
