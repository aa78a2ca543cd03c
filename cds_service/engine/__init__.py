"""Facts to findings, ranked causes and workup; knows no format, framework, file, clock or clinical word."""
