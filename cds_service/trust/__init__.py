"""Who is calling: tokens, keys and the refusal of both; it knows no route, and tells a caller never why."""
