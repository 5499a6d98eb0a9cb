"""Checks values against JSON Schemas of strangers, in a process that may be killed."""

from service.schemas.checker import SchemaChecker

__all__ = ["SchemaChecker"]
