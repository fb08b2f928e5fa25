"""The cases, a file per theme. Each has `cases(stage)`, which gives them in order."""
