"""Bronze to silver: objects as they came become objects in one format, with canonical values. Needs no database."""
