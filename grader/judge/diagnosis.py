"""Names the mistake: by the library of named mistakes, else by the structure of the difference (`structure`).

In this order: one named mistake; one structural finding; a structural finding on top of a named mistake; what is seen
along the run. A diagnosis is claimed only if it explains every experiment of the function. If nothing does, nothing is
claimed. docs/diagnosis.md says what each finding needs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from grader.answer_key.answer import VariantAnswer
from grader.answer_key.tolerance import distances
from grader.judge.grade import Diagnosis
from grader.judge.observation import Observation, close
from grader.judge.structure import compound_finding, observed_course, structural_finding
from reference.variants import Kind, Variant, variants

NEAR = 1e-2
"""A match is closer to the variant than to the reference, by this factor."""


def diagnose(observations: Sequence[Observation], accepted: Sequence[Variant] = ()) -> Diagnosis | None:
    """The diagnosis of one function, from all its experiments; no accepted convention is named as what is wrong."""
    judged = [observation for observation in observations if observation.returned]
    if all(observation.agrees() and manner_as_asked(observation) for observation in judged):
        return None
    known = _known(judged, accepted)
    return (
        _from_library(judged, known)
        or structural_finding(judged)
        or compound_finding(judged, known)
        or observed_course(judged)
    )


def manner_as_asked(observation: Observation) -> bool:
    """As many calls as the reference, or one more to report a last gradient; inputs unchanged."""
    made, needed = observation.recording.calls, observation.answer.calls
    calls = all(count <= made.get(name, 0) <= count + 1 for name, count in needed.items())
    return calls and not observation.recording.changed_inputs


def _known(observations: Sequence[Observation], accepted: Sequence[Variant]) -> list[Variant]:
    """The mistakes of the function, and its conventions that are not accepted."""
    of_function = variants(observations[0].experiment.reference)
    return [v for v in of_function if v.kind is not Kind.EQUIVALENT and v not in accepted]


def _from_library(observations: list[Observation], known: Sequence[Variant]) -> Diagnosis | None:
    matching = [v for v in known if _explains(v.identifier, observations)]
    # Among those that give the same numbers, the one that also makes the same calls and changes the same inputs.
    exact = [v for v in matching if all(_same_manner(o, o.answer.variants[v.identifier]) for o in observations)]
    chosen = exact or matching
    if not chosen:
        return None
    first, *others = chosen
    return Diagnosis(
        identifier=first.identifier,
        kind="convention" if first.kind is Kind.CONVENTION else "mistake",
        sentence=first.sentence,
        alternatives=tuple(other.identifier for other in others),
    )


def _explains(identifier: str, observations: list[Observation]) -> bool:
    """Whether every recording is what the variant gives, and at least one of them is not what the reference gives."""
    pairs = [(observation, observation.answer.variants[identifier]) for observation in observations]
    # Where the numbers are right, the manner (calls, changed inputs) must be the variant's too.
    consistent = all(
        _same_numbers(o, v) and (_same_manner(o, v) if o.agrees() else _nearer_than_reference(o, v)) for o, v in pairs
    )
    return consistent and any(not o.agrees() or not _looks_right(o, v) for o, v in pairs)


def _nearer_than_reference(observation: Observation, variant: VariantAnswer) -> bool:
    """Whether wrong numbers are much nearer to the variant than to the reference: a wide tolerance proves nothing."""
    if observation.parts is None or variant.parts is None:
        return True  # of another shape: the reference is not near at all
    iterative = observation.answer.iterative
    triples = zip(observation.parts, variant.parts, observation.answer.parts, strict=True)
    for index, (got, wrong, right) in enumerate(triples):
        if got.shape != wrong.shape or observation.agrees(index):
            continue
        to_variant, to_reference = distances(got, wrong, iterative), distances(got, right, iterative)
        seen = np.isfinite(to_variant) & np.isfinite(to_reference)
        if to_variant[seen].max(initial=0.0) > NEAR * to_reference[seen].max(initial=0.0):
            return False
    return True


def _looks_right(observation: Observation, variant: VariantAnswer) -> bool:
    """Whether the variant makes the calls of the reference, and changes no input."""
    return dict(variant.calls) == dict(observation.answer.calls) and not variant.changed_inputs


def _same_manner(observation: Observation, variant: VariantAnswer) -> bool:
    if _looks_right(observation, variant):
        return manner_as_asked(observation)
    recording = observation.recording
    return dict(variant.calls) == dict(recording.calls) and variant.changed_inputs == recording.changed_inputs


def _same_numbers(observation: Observation, variant: VariantAnswer) -> bool:
    """Each part is the variant's, or the reference's (a mistake in one of several returned values)."""
    if variant.parts is None or observation.numbers is None or len(variant.parts) != len(observation.numbers):
        return False
    pairs = zip(observation.numbers, variant.parts, variant.envelope, strict=True)
    for index, (got, wrong, envelope) in enumerate(pairs):
        if close(got, wrong, envelope, observation.answer.iterative, observation.precision):
            continue
        if len(observation.numbers) > 1 and observation.parts is not None and observation.agrees(index):
            continue
        return False
    return True
