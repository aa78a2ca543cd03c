"""One file per step, numbered; each makes the tables of its release out of those before."""
