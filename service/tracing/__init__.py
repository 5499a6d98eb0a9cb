"""Spans of what a request waits for. Wrappers around the engine's seams: where tracing is off, none of it is there."""
