import hypothesis
import torch

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=20)
hypothesis.settings.load_profile("repeatable")
# The tests' tensors are tiny: a second thread has nothing to do but wait, and on a busy machine that is slow.
torch.set_num_threads(1)
