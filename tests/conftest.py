import hypothesis
import torch

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=20)
hypothesis.settings.load_profile("repeatable")
torch.set_num_threads(2)
