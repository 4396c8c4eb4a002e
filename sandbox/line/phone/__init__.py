"""The phones of the LINE sandbox: browser pages on which a person plays residents."""
