"""HTTP: reads bytes, answers bytes, and is the only part beside the CLI that reads the clock; it decides nothing."""
