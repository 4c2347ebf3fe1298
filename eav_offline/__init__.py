"""Training and evaluation of EEG, audio and video emotion models on the EAV dataset."""
