"""Stages, transitions and the conditions they are written in. Pure."""
