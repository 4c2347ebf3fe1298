"""LSL streams that the program sends: their headers, and published estimates."""
