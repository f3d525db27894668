"""The main job: cohort in, run folder out."""
