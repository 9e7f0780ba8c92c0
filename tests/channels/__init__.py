"""Channels: pure tables for what comes in and goes out, wire tables over real HTTP for everything else."""
