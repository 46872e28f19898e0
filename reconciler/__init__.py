"""Declarative video encoding: plan in a pull request, apply on merge."""

__version__ = "0.1.0"
