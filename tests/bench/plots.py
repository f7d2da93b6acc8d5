"""How cost grows, as pictures: CPU a frame and age of the answers against robots, faces and resolution."""

from pathlib import Path

CPU, AGE, LIMIT_MS = "#2a6f97", "#c8553d", 66


def draw(folder: Path, plots: dict[str, list[tuple[str, dict]]]) -> list[Path]:
    """{what grows: [(label on the axis, row of fleet.measure)]} -> one PNG each; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for grows, points in plots.items():
        labels = [label for label, _ in points]
        cpu_ms = [row["front_cpu_ms"] + row["readers_cpu_ms"] for _, row in points]
        figure, left = plt.subplots(figsize=(5, 3.2), layout="constrained")
        right = left.twinx()
        left.plot(labels, cpu_ms, "o-", color=CPU)
        right.plot(labels, [row["p95_age_ms"] for _, row in points], "s--", color=AGE)
        right.axhline(LIMIT_MS, color=AGE, linewidth=0.6)
        left.set(xlabel=grows, ylim=(0, None))
        right.set(ylim=(0, None))
        left.set_ylabel("server's CPU for an answer, ms", color=CPU)
        right.set_ylabel("age of the answer, p95, ms", color=AGE)
        path = folder / f"{grows.split()[0]}.png"
        figure.savefig(path, dpi=120)
        plt.close(figure)
        made.append(path)
    return made
