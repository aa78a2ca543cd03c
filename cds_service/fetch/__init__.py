"""Fetching what a client did not send, from its registered FHIR server alone; nothing here judges a resource."""
