"""Measuring: what a message costs, who is faster, where the time goes. See README.md beside this file."""
