"""What a receipt's hash stands for."""

from __future__ import annotations

import platform

import numpy
import pytest
from pydantic import ValidationError

from grader.gradebook.receipt import Environment, Receipt


def test_the_hash_does_not_depend_on_the_machine(make_receipt, make_submission):
    here, there = (make_receipt(make_submission(), machine=machine) for machine in ("here", "there"))
    assert here.hash == there.hash
    assert here != there


@pytest.mark.parametrize("field", sorted(set(Receipt.model_fields) - {"machine", "environment"}))
def test_the_hash_depends_on_every_other_field(make_receipt, make_submission, field):
    assert make_receipt(make_submission(), **{field: "other"}).hash != make_receipt(make_submission()).hash


@pytest.mark.parametrize("field", sorted(Environment.model_fields))
def test_the_hash_depends_on_every_version(make_receipt, make_submission, field):
    receipt = make_receipt(make_submission())
    other = make_receipt(make_submission(), environment=receipt.environment.model_copy(update={field: "9.9"}))
    assert other.hash != receipt.hash


def test_the_hash_is_the_same_after_storing(make_receipt, make_submission):
    receipt = make_receipt(make_submission())
    assert Receipt.model_validate_json(receipt.model_dump_json()).hash == receipt.hash


def test_a_receipt_cannot_be_changed(make_receipt, make_submission):
    with pytest.raises(ValidationError, match="frozen"):
        make_receipt(make_submission()).machine = "there"


def test_the_environment_here_is_that_of_this_interpreter():
    environment = Environment.here(torch=False)
    assert environment == Environment(python=platform.python_version(), numpy=numpy.__version__, torch=None)
