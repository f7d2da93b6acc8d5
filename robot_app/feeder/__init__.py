"""Gives a simulated robot something to see. It runs on a PC and is no part of what a NAO gets."""
