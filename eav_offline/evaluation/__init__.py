"""What a trained model gets right, and how sure one can be of it."""
