"""Benchmarks: each one a command, none of them a test."""
