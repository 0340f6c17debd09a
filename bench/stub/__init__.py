"""A deterministic model endpoint that speaks OpenAI's protocol and costs next to no CPU."""
