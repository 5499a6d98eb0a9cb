"""Bytes of strangers, mutated by what they make the codecs and parsers do, and the properties that hold for all."""
