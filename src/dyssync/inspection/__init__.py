"""What a file holds, in words and figures: for the command line and the page alike."""
