"""Who runs the sending: `local` in this process."""
