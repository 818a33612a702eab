"""The child beside vLLM: cold start, load driver, tap. The only folder that imports vllm."""
