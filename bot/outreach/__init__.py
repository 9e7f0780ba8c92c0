"""The rules of the house: plain functions over an open transaction, no network."""
