"""Frozen types that every other part shares; this package does no I/O and reads no clock."""
