"""What a grade was made from."""

from __future__ import annotations

import hashlib
import json
import platform
from importlib.metadata import version

from pydantic import BaseModel, ConfigDict


class Environment(BaseModel):
    """Versions of the interpreter and the libraries that the student's code ran with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    python: str
    numpy: str
    torch: str | None = None
    """None for an assignment that does not use it, so that a new torch does not make numpy homework stale."""

    @classmethod
    def here(cls, *, torch: bool) -> Environment:
        """The versions installed beside this interpreter; imports neither library.

        Raises:
            importlib.metadata.PackageNotFoundError: `torch` is asked for and not installed.
        """
        return cls(python=platform.python_version(), numpy=version("numpy"), torch=version("torch") if torch else None)


class Receipt(BaseModel):
    """What a grade was made from. Equal `hash`, equal grade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    submission_hash: str
    assignment_hash: str
    answer_key_hash: str
    experiments_hash: str
    """Names what was run in the sandbox, seeds included: equal hash, the stored recording can be judged again."""
    grader_version: str
    environment: Environment
    machine: str = ""
    """Where it was made, e.g. `platform.platform()`. For the record: a grade does not depend on it."""

    @property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, of all fields that decide the grade: every one but `machine`."""
        deciding = json.dumps(self.model_dump(exclude={"machine"}), sort_keys=True)
        return hashlib.sha256(deciding.encode()).hexdigest()
