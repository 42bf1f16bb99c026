"""Questions and their answers, with the SQL that gave them."""
