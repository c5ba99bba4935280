"""Benchmarks. Every module of this folder is a command, except `plot`; none is a test."""
