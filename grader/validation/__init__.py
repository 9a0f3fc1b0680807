"""Tests an assignment's checks: every form of every function is handed in as if by a student, and judged."""
