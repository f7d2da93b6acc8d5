"""What the PC knows: networks, their training, and the zoo of finished weights."""
