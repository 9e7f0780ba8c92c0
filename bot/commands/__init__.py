"""The commands of `loaso`: thin, each a few lines over the rules."""
