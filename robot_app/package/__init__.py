"""Makes the package that a NAO gets, and brings it there. It runs on a PC and is itself no part of it."""
