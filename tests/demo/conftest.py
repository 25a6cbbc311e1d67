import pytest
import torch
from bakeoff.demo.drawings import material, render
from bakeoff.demo.training import Material, Plan


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def few_drawings():
    """60 drawings of different names: some people in several skin tones among them."""
    drawings = material()[600:1800:20]
    return Material(drawings, [render(drawing, 24) for drawing in drawings])


@pytest.fixture
def short_plan():
    return Plan(steps=3, batch=5, warmup=1, measure_every=2, seed=7)
