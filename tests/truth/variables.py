"""What the campaign tells the hooks, which Schemathesis imports in a process of its own: names of variables."""

KEY_VARIABLE = "ASIDE_API_KEY"
EXCUSED_VARIABLE = "ASIDE_TRUTH_EXCUSED"
"""Of a file, for how often each reason came up."""
