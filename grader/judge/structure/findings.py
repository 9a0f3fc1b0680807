"""Which findings explain all experiments of a function, and the diagnosis that follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from grader.judge.grade import Diagnosis
from grader.judge.observation import Observation
from grader.judge.structure.case import Candidate, Case, Finding, case_of_reference, case_of_variant
from grader.judge.structure.course import course_finding, single_precision
from grader.judge.structure.refit import refit_findings
from grader.judge.structure.relations import RELATIONS
from reference.variants import Variant


def structural_finding(observations: Sequence[Observation]) -> Diagnosis | None:
    """What the numbers of all experiments have in common; None where they are right, or nothing is seen.

    A cause (a relation, a wrong constant, single precision) is preferred to what is merely seen along the run.
    """
    differing = _differing(observations)
    if not differing:
        return None
    cases = [case_of_reference(observation) for observation in observations]
    # Wide tolerances let anything fit: what holds within them alone is no cause.
    telling = any(case.candidate.sharp and not case.fits_entirely for case in cases)
    causes = (_relations(cases) if telling else []) or refit_findings(observations, differing)
    return _diagnosis(causes or _single(single_precision(differing)))


def observed_course(observations: Sequence[Observation]) -> Diagnosis | None:
    """What is seen along the runs that differ, where no cause is known."""
    differing = _differing(observations)
    return _diagnosis(_single(course_finding(differing))) if differing else None


def compound_finding(observations: Sequence[Observation], known: Sequence[Variant]) -> Diagnosis | None:
    """Two mistakes at once: numbers that are those of a known variant, but for a relation.

    The variant has numbers of its own in some experiment, and the form of the reference's in each: of two wrong forms
    one could undo the other.
    """
    if not _differing(observations):
        return None
    found = []
    for variant in known:
        cases = [case_of_variant(observation, variant.identifier) for observation in observations]
        complete = [case for case in cases if case is not None and _could_be_made_of(case.candidate)]
        if len(complete) == len(cases) and any(case.candidate.differs_from_reference for case in complete):
            found += [
                Finding(f"{variant.identifier}+{finding.identifier}", f"{variant.sentence} And: {finding.sentence}")
                for finding in _relations(complete)
            ]
    return _diagnosis(found, "mistake")


def _could_be_made_of(candidate: Candidate) -> bool:
    return candidate.asked_form and candidate.sharp


def _differing(observations: Sequence[Observation]) -> list[Observation]:
    return [observation for observation in observations if not observation.agrees()]


def _relations(cases: Sequence[Case]) -> list[Finding]:
    if not all(case.got for case in cases) or all(case.fits_entirely for case in cases):
        return []
    return [finding for relation in RELATIONS if (finding := relation(cases)) is not None]


def _single(finding: Finding | None) -> list[Finding]:
    return [] if finding is None else [finding]


def _diagnosis(findings: Sequence[Finding], kind: Literal["mistake", "structural"] = "structural") -> Diagnosis | None:
    if not findings:
        return None
    first, *others = findings
    return Diagnosis(
        identifier=first.identifier,
        kind=kind,
        sentence=first.sentence,
        alternatives=tuple(dict.fromkeys(o.identifier for o in others if o.identifier != first.identifier)),
    )
