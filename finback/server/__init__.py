"""How does a model answer over HTTP? DeepSeek's, OpenAI's and Anthropic's dialects and a chat page, thin over the engine."""
