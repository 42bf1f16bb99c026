"""Foreign history: what other products exported becomes events of a site (`docs/import.md`)."""
