"""Replays recorded patients and holds the answers to what is expected of them; it serves nobody and keeps nothing."""
