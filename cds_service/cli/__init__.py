"""The command line: starts the service, checks the content, replays patients; it decides nothing itself."""
