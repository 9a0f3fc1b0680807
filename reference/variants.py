"""How variants and guarantees are attached to an algorithm.

A variant is a complete small function with the same signature as its algorithm:

equivalent   a correct other form; always accepted
convention   correct under another source's convention; accepted where a question says so, named otherwise
mistake      wrong, and what people really write; rejected, and named with the sentence given here

A guarantee is a theorem: a function that gives the bound for every k at once, and the quantity that it bounds.

An example is the standard problem and the standard parameters of an algorithm: what a picture of it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from reference.problem import Problem

Function = TypeVar("Function", bound=Callable[..., Any])
Algorithm = Callable[..., Any]


class Kind(StrEnum):
    """What a variant is."""

    EQUIVALENT = "equivalent"
    CONVENTION = "convention"
    MISTAKE = "mistake"


@dataclass(frozen=True)
class Variant:
    """One variant of an algorithm."""

    kind: Kind
    algorithm: Algorithm
    function: Algorithm
    sentence: str
    """For a mistake: what a good teaching assistant would say, without giving the solution away."""

    @property
    def identifier(self) -> str:
        """Name of the variant's function; unique among the variants of one algorithm."""
        return self.function.__name__


@dataclass(frozen=True)
class Guarantee:
    """A theorem about an algorithm: `quantity(iterates, problem)[k] <= bound(...)[k]` for every k."""

    algorithm: Algorithm
    bound: Algorithm
    quantity: Algorithm
    sentence: str


@dataclass(frozen=True)
class Example:
    """A problem on which an algorithm shows what it does."""

    algorithm: Algorithm
    problem: Callable[[], Problem]
    quantity: Algorithm
    """What a picture has on its axis, from `reference.quantities`."""
    arguments: Mapping[str, Any]
    """A function of one argument is called with the problem; `gradient`, `x0` and the like come from the problem."""


_examples: dict[Algorithm, Example] = {}
_variants: dict[Algorithm, list[Variant]] = {}
_guarantees: dict[Algorithm, list[Guarantee]] = {}


def _register(kind: Kind, algorithm: Algorithm, sentence: str) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        known = _variants.setdefault(algorithm, [])
        if any(variant.identifier == function.__name__ for variant in known):
            raise ValueError(f"{algorithm.__name__} has two variants named {function.__name__}")
        known.append(Variant(kind, algorithm, function, sentence))
        return function

    return decorate


def equivalent(algorithm: Algorithm, sentence: str = "") -> Callable[[Function], Function]:
    """Register the decorated function as a correct other form of `algorithm`."""
    return _register(Kind.EQUIVALENT, algorithm, sentence)


def convention(algorithm: Algorithm, sentence: str) -> Callable[[Function], Function]:
    """Register the decorated function as `algorithm` under another source's convention."""
    return _register(Kind.CONVENTION, algorithm, sentence)


def mistake(algorithm: Algorithm, sentence: str) -> Callable[[Function], Function]:
    """Register the decorated function as a wrong form of `algorithm` that people really write."""
    return _register(Kind.MISTAKE, algorithm, sentence)


def guarantee(algorithm: Algorithm, quantity: Algorithm, sentence: str) -> Callable[[Function], Function]:
    """Register the decorated function as the bound of a theorem about `algorithm`."""

    def decorate(bound: Function) -> Function:
        _guarantees.setdefault(algorithm, []).append(Guarantee(algorithm, bound, quantity, sentence))
        return bound

    return decorate


def variants(algorithm: Algorithm, kind: Kind | None = None) -> tuple[Variant, ...]:
    """All variants of `algorithm`, or those of one kind, in the order of the file."""
    return tuple(v for v in _variants.get(algorithm, []) if kind is None or v.kind is kind)


def guarantees(algorithm: Algorithm) -> tuple[Guarantee, ...]:
    """The theorems about `algorithm`, in the order of the file."""
    return tuple(_guarantees.get(algorithm, []))


def example(algorithm: Algorithm, problem: Callable[[], Problem], quantity: Algorithm, **arguments: Any) -> None:
    """Register the standard problem and parameters of `algorithm`."""
    _examples[algorithm] = Example(algorithm, problem, quantity, arguments)


def example_of(algorithm: Algorithm) -> Example | None:
    """The standard problem and parameters of `algorithm`, where it has them."""
    return _examples.get(algorithm)
