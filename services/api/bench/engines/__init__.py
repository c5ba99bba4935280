"""The comparison of engines: batches of token ids, without tokenization, queue or network."""
