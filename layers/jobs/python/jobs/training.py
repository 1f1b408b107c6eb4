"""A training that can stop anywhere and go on elsewhere, with the same losses to the last bit.

What it takes is to keep everything that the next step depends on: the weights, what the optimiser
remembers, and the state of the random numbers that choose the batches.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from pilotlight.jobs.job import Job

LEARNING_RATE = 0.05
MOMENTUM = 0.9
BATCH_ROWS = 64


class Training:
    """Gradient descent with momentum on random batches; `losses` has one for each step so far."""

    def __init__(self, inputs: Tensor, targets: Tensor, generator: torch.Generator) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.losses: list[float] = []
        self.model = nn.Linear(inputs.shape[1], 1)
        with torch.no_grad():
            self.model.weight.copy_(torch.randn(self.model.weight.shape, generator=generator))
            self.model.bias.zero_()
        self.model = self.model.to(self.device)
        self._velocity = [torch.zeros_like(it) for it in self.model.parameters()]
        self._generator = generator  # of the CPU, so that batches are the same on any device
        self._inputs, self._targets = inputs.to(self.device), targets.to(self.device)

    def step(self) -> None:
        """torch.optim does the same and more, but its first use imports torch._dynamo: seconds
        for which the first job on a woken instance would wait."""
        rows = torch.randint(len(self._inputs), (BATCH_ROWS,), generator=self._generator)
        rows = rows.to(self.device)
        predictions = self.model(self._inputs[rows]).squeeze(1)
        loss = nn.functional.mse_loss(predictions, self._targets[rows])
        self.model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter, velocity in zip(self.model.parameters(), self._velocity, strict=True):
                velocity.mul_(MOMENTUM).add_(parameter.grad)
                parameter.sub_(velocity, alpha=LEARNING_RATE)
        self.losses.append(loss.item())

    def save(self, job: Job) -> None:
        state = {
            "model": self.model.state_dict(),
            "velocity": self._velocity,
            "generator": self._generator.get_state(),
            "losses": torch.tensor(self.losses, dtype=torch.float64),
        }
        with TemporaryDirectory() as folder:
            file = Path(folder) / "training.pt"
            torch.save(state, file)
            job.save(file)

    def restore(self, job: Job) -> None:
        """Go on where an earlier attempt at the job stopped, if there was one."""
        file = job.restore()
        if file is None:
            return
        # Tensors and plain values only: whatever lies in the file, no code of it runs.
        state = torch.load(file, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        for velocity, saved in zip(self._velocity, state["velocity"], strict=True):
            velocity.copy_(saved)
        self._generator.set_state(state["generator"])
        self.losses = state["losses"].tolist()
