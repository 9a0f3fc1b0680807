"""The error of an assignment's author."""


class AssignmentError(Exception):
    """Something in an assignment folder is wrong. Its text names the file, the place and what to do."""
