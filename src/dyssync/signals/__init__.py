"""Arrays and a sampling frequency in, arrays out: filters, beats, loops, wave boundaries."""
