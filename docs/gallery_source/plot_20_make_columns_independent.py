"""
Make columns independent
========================

Two signals are mixed. A rotation that minimises the total correlation of its outputs separates them again, which is
independent component analysis by a neural term.
"""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

import mine

torch.manual_seed(0)
time = torch.linspace(0, 60, 3000)
signals = torch.stack([torch.sign(torch.sin(time * 2.3)) + 0.1 * torch.randn(3000), (time * 1.3) % 2 - 1], 1)
signals = (signals - signals.mean(0)) / signals.std(0)
angle = torch.tensor(0.6)
mixed = signals @ torch.tensor([[angle.cos(), angle.sin()], [-angle.sin(), angle.cos()]])

rotation = nn.utils.parametrizations.orthogonal(nn.Linear(2, 2, bias=False))
term = mine.MinimizeTC("mlp", learning_rate=5e-3)
optimizer = torch.optim.Adam(rotation.parameters(), lr=5e-3)
for _ in range(400):
    rows = torch.randint(3000, (512,))
    z = rotation(mixed[rows])
    term.critic_step(z.detach(), steps=2)
    optimizer.zero_grad()
    term(z).backward()
    optimizer.step()
found = rotation(mixed).detach()

figure, axes = plt.subplots(3, 2, figsize=(9, 4.6), sharex=True, layout="constrained")
for row, (data, title) in zip(axes, ((signals, "signals"), (mixed, "mixed"), (found, "separated")), strict=True):
    for column, axis in enumerate(row):
        axis.plot(time[:600], data[:600, column], lw=0.8)
        axis.set_yticks([])
    row[0].set_title(title, loc="left", fontsize=10)
for name, data in (("mixed", mixed), ("separated", found)):
    print(f"{name}: total correlation {mine.total_correlation(data.numpy(), method='ksg', random_state=0).value:.2f} nats")
print("correlation with the signals:", np.corrcoef(signals.T, found.T)[:2, 2:].round(2).tolist())
