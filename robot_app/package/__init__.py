"""Makes the folder that a NAO gets. It runs on a PC and is itself no part of that folder."""
