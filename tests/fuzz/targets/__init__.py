"""One module for each kind of text that comes from outside."""
