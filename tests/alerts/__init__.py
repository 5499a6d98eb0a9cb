"""Every alert, seen firing and ending: a real Prometheus, real Asides, and failures that are real too."""
