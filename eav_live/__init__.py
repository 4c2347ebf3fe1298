"""Live emotion recognition from EEG over LSL, a microphone and a camera."""
