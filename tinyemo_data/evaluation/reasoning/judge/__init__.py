"""A language model as judge of explanations, asked through the same ledger and budget as everything that is paid."""
