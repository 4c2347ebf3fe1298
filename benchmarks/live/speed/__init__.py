"""How long each stage of a hop takes."""
