"""Runs a Program in a warm, isolated process and brings back plain numbers."""
