"""From the folder `cards/` to `Knowledge`, or to a list of everything wrong with it; no patient is seen here."""
