"""Tests of the question matcher."""
