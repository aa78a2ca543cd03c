"""What the service remembers: shown cards, feedback, tokens that were used, the audit; never a name or a value."""
