"""What the words mean: windows, labels, electrodes, stamps, decisions. No files."""
