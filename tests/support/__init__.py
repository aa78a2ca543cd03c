"""What the whole-patient tests share: case files, request builder, checker; collects no tests itself."""
