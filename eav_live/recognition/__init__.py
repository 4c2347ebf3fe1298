"""From a window to a prediction: the recognizer, what it says, and its pace."""
