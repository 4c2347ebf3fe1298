"""The EEG panel: traces, the head, and the spectrum of one electrode."""
