"""Terms every room shares: fates and outcomes, table schemas, words of predictors, errors. No input or output here."""
