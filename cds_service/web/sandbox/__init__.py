"""The sandbox: a small EHR in the browser, to see the cards as a clinician would; it is off in production."""
