"""Judges recordings against an answer key. Pure: no files, no processes, no clock."""
