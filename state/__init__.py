"""The small state: sites, definitions, reports and keys."""
