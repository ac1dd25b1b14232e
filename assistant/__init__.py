"""Peili: a private, offline reflection companion for mentoring."""

__version__ = "0.1.0"
