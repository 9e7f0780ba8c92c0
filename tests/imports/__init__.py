"""Files that operators bring."""
