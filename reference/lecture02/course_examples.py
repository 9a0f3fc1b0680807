"""The runs of gradient descent that the notes and slides plot.

Problem     five functions of one or two variables, from non-convex to strongly convex: see `reference.problems`.
Algorithm   gradient descent with the step of each figure
            run                          f                                   gamma      drawn
            sine                         sin(pi x) + 2 x                     1/40       f(x_k)
            plateau_short_step           kinked plateau                      1/10       f(x_k)
            plateau_standard_step        kinked plateau                      1/2        f(x_k)
            plateau_long_step            kinked plateau                      1.03       f(x_k)
            parabola                     x^2 + x                             8/9        ln |x_k - x*|
            two_sided_right, _left       3/2 x^2, 9/2 x^2 on two sides       1/20       ln |x_k - x*|
            bowl                         x^2 + y^2                           1/4        ln f(x_k)
            elongated_bowl               10 x^2 + y^2                        1/11       ln f(x_k)
References  Notes ch. 1, sections 5.1 to 5.4, figures 1 to 7; Lecture 2, slides 15 to 23. The text does not give the
            starting points: they are read off the figures, as is the number of steps on the plateau.
            What the text says and what is right: the sine plus a line is not bounded below, so the non-convex theorem
            speaks of a level below the run only. The plateau has kinks and is not 2-smooth. Slide 20 prints the
            formula of the two-sided parabola beside the plateau's picture, and 2/L for the step 2.06/L = 1.03.
            Slide 16 calls the parabola non-convex. The bowls' steps are 1/(L+mu) for the round one and 2/(L+mu) for
            the elongated one; the notes print C/(L+mu) for both.
Catalogue   gd_examples
Witness     closed forms of the quadratics; golden numbers of the catalogue
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from reference import problems
from reference.lecture02.gradient_descent import gradient_descent
from reference.problem import Matrix, Problem, Vector
from reference.quantities import distance

Curve = Callable[[Matrix, Problem], Vector]


def value_curve(iterates: Matrix, problem: Problem) -> Vector:
    """value f(x_k)"""
    return np.array([problem.value(x) for x in iterates])


def log_value_curve(iterates: Matrix, problem: Problem) -> Vector:
    """logarithm of the value ln f(x_k)"""
    return np.log(value_curve(iterates, problem))


def log_distance_curve(iterates: Matrix, problem: Problem) -> Vector:
    """logarithm of the distance to the minimiser ln ||x_k - x*||"""
    return np.log(distance(iterates, problem))


@dataclass(frozen=True)
class CourseRun:
    """One curve of a figure."""

    problem: Problem
    learning_rate: float
    num_steps: int
    curve: Curve
    """What the figure has on its axis: (iterates, problem) -> (K+1,)."""
    place: str

    def iterates(self) -> Matrix:
        """x_0, ..., x_K, (K+1, d)."""
        return gradient_descent(self.problem.gradient, self.problem.x0, self.learning_rate, self.num_steps)

    def drawn(self) -> Vector:
        """The curve itself, (K+1,)."""
        return self.curve(self.iterates(), self.problem)


def course_runs() -> dict[str, CourseRun]:
    """All runs by name."""
    plateau, two_sided = problems.kinked_plateau(), problems.two_sided_parabola()
    from_the_left = replace(two_sided, x0=-two_sided.x0)
    on_plateau = "notes ch. 1, figures 2 and 3; Lecture 2, slide 20"
    two_starts = "notes ch. 1, figure 5"
    two_bowls = "notes ch. 1, figures 6 and 7; Lecture 2, slides 22 and 23"
    return {
        "sine": CourseRun(
            problems.sine_plus_line(), 1 / 40, 30, value_curve, "notes ch. 1, figure 1; Lecture 2, slides 15 and 18"
        ),
        "plateau_short_step": CourseRun(plateau, 1 / 10, 30, value_curve, on_plateau),
        "plateau_standard_step": CourseRun(plateau, 1 / 2, 30, value_curve, on_plateau),
        "plateau_long_step": CourseRun(plateau, 1.03, 30, value_curve, on_plateau),
        "parabola": CourseRun(
            problems.parabola(), 8 / 9, 30, log_distance_curve, "notes ch. 1, figure 4; Lecture 2, slide 16"
        ),
        "two_sided_right": CourseRun(two_sided, 1 / 20, 30, log_distance_curve, two_starts),
        "two_sided_left": CourseRun(from_the_left, 1 / 20, 30, log_distance_curve, two_starts),
        "bowl": CourseRun(problems.bowl(), 1 / 4, 100, log_value_curve, two_bowls),
        "elongated_bowl": CourseRun(problems.elongated_bowl(), 1 / 11, 100, log_value_curve, two_bowls),
    }


def steps_to(values: Vector, tolerance: float) -> int | None:
    """The first k with values[k] <= tolerance; None where there is none.

    Args:
        values: what a run has reached after each step, (K+1,); it need not decrease.
        tolerance: in the unit of the values.
    """
    reached = np.flatnonzero(values <= tolerance)
    return int(reached[0]) if reached.size else None


def step_sweep(problem: Problem, learning_rates: Vector, num_steps: int) -> Vector:
    """f(x_K) of gradient descent for each step, (m,); inf where the run leaves the range of floating point.

    Args:
        problem: f and x0.
        learning_rates: the gamma, (m,).
        num_steps: K.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        last = [
            problem.value(gradient_descent(problem.gradient, problem.x0, float(gamma), num_steps)[-1])
            for gamma in learning_rates
        ]
    values = np.array(last)
    return np.where(np.isfinite(values), values, np.inf)
