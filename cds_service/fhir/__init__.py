"""The reading layer: FHIR JSON to facts. It never fetches, never judges, and loses nothing without a note."""
