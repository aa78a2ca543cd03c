"""From a decision to cards: chooses the template, fills it, orders and caps; it weighs nothing."""
