"""A CDS Hooks service that explains muscle spasm from the chart; importing it starts nothing."""

__version__ = "0.1.0"
