"""Relations between the results of two experiments of one function, as plain data. How they are judged: `grader.judge`.

A relation says what must hold between the result of a base experiment and that of another one. It is the author who
writes the arguments of the two so that it does; a relation that the reference itself does not fulfil is reported.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from grader.assignment.errors import AssignmentError
from reference.problem import Matrix, Problem, Vector


@dataclass(frozen=True)
class Relation:
    """What must hold between the results of two experiments."""

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    """What a student reads."""
    violated: ClassVar[str] = ""
    """What a student reads where it does not hold, about the experiment beside the base."""


@dataclass(frozen=True, eq=False)
class Equivariant(Relation):
    """The other result is the base result, moved: M r + s, along the last axis.

    The other experiment has its point, its set or its problem (`moved_problem`) moved in the same way.

    Args:
        matrix: M, a rotation (d, d), or a number for a scaling.
        shift: s, (d,) or a number.
    """

    name: ClassVar[str] = "equivariant"
    title: ClassVar[str] = "When what is given moves, the result moves with it"
    violated: ClassVar[str] = "what is given is moved, and the result does not move with it"

    matrix: Matrix | float = 1.0
    shift: Vector | float = 0.0

    def __post_init__(self) -> None:
        if np.ndim(self.matrix) not in (0, 2) or np.ndim(self.shift) > 1:
            raise AssignmentError("Equivariant: the matrix is (d, d) or a number, the shift (d,) or a number")


@dataclass(frozen=True)
class Idempotent(Relation):
    """The other result is the base result: the other experiment is given the reference's result of the base.

    For a projection P it is P(P(v)) = P(v). The arguments are fixed before any code of a student runs, so the inner P
    is the reference's.
    """

    name: ClassVar[str] = "idempotent"
    title: ClassVar[str] = "A second application changes nothing"
    violated: ClassVar[str] = "a point and the right result for it do not have the same result"


@dataclass(frozen=True)
class InvariantToConstant(Relation):
    """The other result is the base result: the other experiment has the problem `raised_problem(problem, constant)`."""

    name: ClassVar[str] = "invariant_to_constant"
    title: ClassVar[str] = "A constant that is added to f changes nothing"
    violated: ClassVar[str] = "a constant is added to f, and the result changes"


@dataclass(frozen=True)
class NonExpansive(Relation):
    """The two results are no farther apart than the two points, in the Euclidean norm.

    Args:
        argument: name of the argument that is the point; the other arguments are the same in both experiments.
    """

    name: ClassVar[str] = "non_expansive"
    title: ClassVar[str] = "Two results are no farther apart than the points that they come from"
    violated: ClassVar[str] = "the results are farther apart than the points that they come from"

    argument: str


@dataclass(frozen=True)
class Deterministic(Relation):
    """The same arguments, the same seed among them, give the same bits."""

    name: ClassVar[str] = "deterministic"
    title: ClassVar[str] = "The same call gives the same numbers"
    violated: ClassVar[str] = "the same call gives other numbers; where do they come from, besides the arguments?"


@dataclass(frozen=True)
class InformationFlow(Relation):
    """What cannot know of a change does not move.

    The other experiment changes the data of one node. Every entry of the result that stays the same in the reference,
    since no message has reached its node by then, stays the same.
    """

    name: ClassVar[str] = "information_flow"
    title: ClassVar[str] = "Information travels with the messages only"
    violated: ClassVar[str] = "a node reacts to data of another one that no message can have told it yet"


def moved_problem(problem: Problem, matrix: Matrix, shift: Vector | float = 0.0) -> Problem:
    """min f(M^T (x - s)), started at M x0 + s: rotated by the orthogonal M, (d, d), and shifted by s, (d,).

    It has the oracles value, gradient and Hessian, and those of a finite sum; L and mu stay. `data` does not move and
    is left out.

    Raises:
        AssignmentError: M is not orthogonal.
    """
    if not np.allclose(matrix @ matrix.T, np.eye(len(problem.x0))):
        raise AssignmentError("the matrix that moves a problem must be orthogonal")
    f, gradient, hessian, component = problem.value, problem.gradient, problem.hessian, problem.component_gradient

    def back(x: Vector) -> Vector:
        return np.asarray((x - shift) @ matrix)

    return replace(
        problem,
        name=f"{problem.name}, moved",
        value=lambda x: f(back(x)),
        gradient=lambda x: matrix @ gradient(back(x)),
        hessian=None if hessian is None else lambda x: matrix @ hessian(back(x)) @ matrix.T,
        x0=matrix @ problem.x0 + shift,
        minimizer=None if problem.minimizer is None else matrix @ problem.minimizer + shift,
        data={},
        project=None,
        penalty=None,
        prox=None,
        component_gradient=None if component is None else lambda x, i: matrix @ component(back(x), i),
    )


def raised_problem(problem: Problem, constant: float) -> Problem:
    """min f(x) + c."""
    return replace(
        problem,
        name=f"{problem.name}, raised",
        value=lambda x: problem.value(x) + constant,
        minimum=None if problem.minimum is None else problem.minimum + constant,
    )
