"""Zalo Official Account as the sandbox plays it."""
