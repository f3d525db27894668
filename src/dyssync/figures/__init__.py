"""The look of all charts, and figures as bytes."""
