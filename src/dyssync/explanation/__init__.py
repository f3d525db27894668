"""What a prediction rests on, told in leads."""
