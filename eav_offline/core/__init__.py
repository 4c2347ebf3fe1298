"""What the words mean: windows, labels, electrodes, stamps. No input or output."""
