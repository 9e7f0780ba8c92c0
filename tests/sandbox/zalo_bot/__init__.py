"""Tests of the local Zalo Bot platform."""
