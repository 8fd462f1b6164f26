"""
Learn what is shared
====================

``a`` mixes eight numbers, one of which is seen in ``b`` with noise. An encoder that maximises the mutual information
with ``b`` finds it, without a label.
"""

import matplotlib.pyplot as plt
import torch
from torch import nn

import mine
from mine.critics import ConcatCritic

torch.manual_seed(0)
shared = torch.randn(3000, 1)
a = torch.cat([shared, torch.randn(3000, 7)], 1) @ torch.linalg.qr(torch.randn(8, 8)).Q
b = shared + 0.3 * torch.randn(3000, 1)

encoder = nn.Sequential(nn.Linear(8, 1), nn.BatchNorm1d(1, affine=False))
before = encoder(a).detach()
term = mine.MaximizeMI(ConcatCritic(1, 1), learning_rate=2e-3)
optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
history = []
for _ in range(250):
    rows = torch.randint(2000, (256,))
    z = encoder(a[rows])
    term.critic_step(z, b[rows])  # trains the critic only
    optimizer.zero_grad()
    term(z, b[rows]).backward()  # trains the encoder only
    optimizer.step()
    history.append(term.estimate)
after = encoder.eval()(a).detach()

figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
axes[0].plot(history)
axes[0].set_xlabel("step")
axes[0].set_ylabel("nats, mean of the last batches")
for axis, codes, title in ((axes[1], before, "before"), (axes[2], after, "after")):
    held_out = mine.estimate(codes[2000:], b[2000:], method="ksg", random_state=0)
    axis.scatter(codes[2000:], shared[2000:], s=5, alpha=0.5)
    axis.set_xlabel("code")
    axis.set_title(f"{title}: {held_out.value:.2f} nats on new rows", loc="left", fontsize=10)
axes[1].set_ylabel("the shared number")
