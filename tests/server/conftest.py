import pytest
from server_helpers import new_service, serving


@pytest.fixture(scope="session")
def tiny():
    """A running server with one random model, which does not think unless it is asked to."""
    with serving(new_service()) as running:
        yield running
