"""Terms every room shares: fates and outcomes, table schemas, errors. No input or output happens here."""
