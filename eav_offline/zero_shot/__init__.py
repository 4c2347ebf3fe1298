"""EEG of an emotion that EEG training never saw, recognised by its sounds and faces."""
