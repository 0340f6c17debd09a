"""A small client of OpenAI's protocol: chat completions, whole and streamed, and embeddings."""
