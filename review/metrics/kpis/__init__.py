"""Is it better than before: baselines from the time before automation, targets, and now."""
