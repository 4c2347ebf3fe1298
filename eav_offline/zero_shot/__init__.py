"""EEG of an emotion that EEG training never saw, recognized by its sounds and faces."""
