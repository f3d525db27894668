"""From probabilities to honest statements: metrics, thresholds, corrected intervals and tests."""
