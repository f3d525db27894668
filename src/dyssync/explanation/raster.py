"""The rasteriser of :mod:`dyssync.rendering.trace` as torch operations on a batch.

The same spans of ink, so the same pictures up to rounding, on any device, and differentiable with
respect to the signal. It is there to carry an explanation from pixels back to the ECG: the gradient
of a network's answer, pulled through the picture, says which millivolts of which lead at which
moment would change it. Nothing in the package asks for that yet; tests and `make bench-render` hold
it to the pictures of `apply_view`, which is faster on a CPU and draws everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dyssync.arrays import Floats
from dyssync.errors import ConfigError
from dyssync.layouts import LAYOUTS
from dyssync.rendering.geometry import check_size, place_traces
from dyssync.rendering.noise import NOISE_SD, noise_part
from dyssync.rendering.spans import SUB_COLUMNS, pen_height, pen_taps
from dyssync.rendering.view import View, blank_view, line_px, view_frame

FAR = 1e9  # px; top of a span without ink

# What is not float32 in a :class:`_Batch`: whole numbers, and times in samples, which need more
# digits than float32 has where a recording is long.
WHOLE = ("picture", "row", "first", "n_columns", "left", "right")
EXACT = ("step", "origin")


@dataclass(frozen=True, eq=False)
class _Batch:
    """All traces of all pictures; arrays (P,) but for `reach` and `paper`.

    `row` is the row of the (batch * 12, n) signals; `first` and `n_columns` are the pixel columns
    that a trace owns, `left` and `right` its range in sub-columns; a sub-column is `step` samples,
    and sub-column 0 lies at sample `origin`. `reach` (taps + 1, P) is half the height of the pen at
    each tap, -FAR beyond its rim. `paper`, `ink`, `noise` describe the pictures (batch, H, W).
    """

    picture: Tensor
    row: Tensor
    first: Tensor
    n_columns: Tensor
    left: Tensor
    right: Tensor
    step: Tensor
    origin: Tensor
    scale: Tensor
    baseline: Tensor
    reach: Tensor
    paper: Tensor
    ink: Tensor
    noise: Tensor


def raster_views(
    signals: Tensor, fs: float, views: Sequence[View], size: tuple[int, int]
) -> Tensor:
    """Return the pictures that the views describe.

    Args:
        signals: (batch, 12, n) float32, mV, finite; any device.
        fs: Hz.
        views: one for each signal.
        size: height and width, px.

    Returns:
        (batch, 1, height, width) float32, grey values 0-255, on the signals' device;
        differentiable with respect to the signals.

    Raises:
        ConfigError: not one view for each signal, or no picture can have this size.
    """
    n_pictures, n_leads, n = signals.shape
    if len(views) != n_pictures:
        raise ConfigError(f"{len(views)} views for {n_pictures} signals; one for each is needed")
    height, width = check_size(size)
    batch = _place(views, n / fs, fs, size, signals.device)
    # A trace may look past the end of the signal; the last sample is repeated there and not drawn.
    lines = signals.reshape(n_pictures * n_leads, n)  # (batch * 12, n)
    top, bottom, trace, column = _spans(lines, batch)
    cover = _cover(top, bottom, trace, column, batch, (n_pictures, height, width))
    drawn = batch.paper + (batch.ink[:, None, None] - batch.paper) * cover
    return (drawn + batch.noise).clamp(0, 255)[:, None]


def _place(
    views: Sequence[View], seconds: float, fs: float, size: tuple[int, int], device: torch.device
) -> _Batch:
    """Lay out all views with the geometry of the array path, then move it to the device."""
    columns: dict[str, list[npt.NDArray[np.generic]]] = {field.name: [] for field in fields(_Batch)}
    pens = []
    for i, view in enumerate(views):
        layout = LAYOUTS[view.layout]
        frame = view_frame(view, layout, size)
        traces = place_traces(layout, frame, seconds)
        ones = np.ones(len(traces.lead))
        first = np.floor(traces.x0)
        noise = noise_part(size, view.noise_at) if view.noise else np.full(size, 128)
        values = {
            "picture": i * ones,
            "row": 12 * i + traces.lead,
            "first": first,
            "n_columns": np.ceil(traces.x1) - first + 1,
            "left": np.ceil(traces.x0 * SUB_COLUMNS - 0.5),
            "right": np.ceil(traces.x1 * SUB_COLUMNS - 0.5),
            "step": fs / traces.px_per_s / SUB_COLUMNS * ones,
            "origin": (traces.start_s - traces.x0 / traces.px_per_s) * fs,
            "scale": traces.px_per_mv,
            "baseline": traces.baseline,
            "paper": blank_view(view, layout, frame, size)[None],
            "ink": np.array([view.ink]),
            "noise": ((noise - 128.0) * (view.noise / NOISE_SD))[None],
        }
        for name, value in values.items():
            columns[name].append(value)
        pens.append((line_px(view, frame), len(ones)))
    taps = max(pen_taps(width) for width, _ in pens)
    columns["reach"] = [np.repeat(_pen(width, taps), count, axis=1) for width, count in pens]
    joined = {
        name: np.concatenate(parts, axis=1 if name == "reach" else 0)
        for name, parts in columns.items()
    }
    return _Batch(
        **{name: torch.as_tensor(x).to(device, _dtype_of(name)) for name, x in joined.items()}
    )


def _dtype_of(name: str) -> torch.dtype:
    if name in WHOLE:
        return torch.int64
    return torch.float64 if name in EXACT else torch.float32


def _pen(width: float, taps: int) -> Floats:
    """Return half the height of a pen at each tap, (taps + 1, 1) px; -FAR beyond its rim."""
    own = pen_taps(width)
    return np.array([[pen_height(width, tap) if tap <= own else -FAR] for tap in range(taps + 1)])


def _spans(lines: Tensor, batch: _Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return top and bottom (C, SUB_COLUMNS), trace (C,) and pixel column (C,) of the ink."""
    taps = len(batch.reach) - 1
    n_columns = batch.n_columns + taps // SUB_COLUMNS
    owned = n_columns * SUB_COLUMNS
    begin = owned.cumsum(0) - owned
    trace = torch.repeat_interleave(owned)
    sub_column = torch.arange(len(trace), device=trace.device)
    sub_column += (batch.first * SUB_COLUMNS - begin)[trace]
    outside = (sub_column < batch.left[trace]) | (sub_column >= batch.right[trace])
    position = sub_column * batch.step[trace] + batch.origin[trace]
    low, high, undrawn = _extremes(lines, batch, position, trace, begin)
    end_a = batch.baseline[trace] - batch.scale[trace] * low
    end_b = batch.baseline[trace] - batch.scale[trace] * high
    empty = outside | undrawn
    top = torch.minimum(end_a, end_b).masked_fill(empty, FAR)
    bottom = torch.maximum(end_a, end_b).masked_fill(empty, -FAR)
    top, bottom = _widen(top, bottom, batch.reach[:, trace])
    top, bottom = top.masked_fill(outside, FAR), bottom.masked_fill(outside, -FAR)
    column = sub_column[::SUB_COLUMNS].div(SUB_COLUMNS, rounding_mode="floor")
    shape = (-1, SUB_COLUMNS)
    return top.reshape(shape), bottom.reshape(shape), trace[::SUB_COLUMNS], column


def _extremes(
    lines: Tensor, batch: _Batch, position: Tensor, trace: Tensor, begin: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return lowest and highest value from each position to the next, and where there is none."""
    n = lines.shape[1]
    flat = lines.reshape(-1)
    before = position.floor().clamp(0, n - 2)
    index = before.long() + batch.row[trace] * n
    value = torch.lerp(flat[index], flat[index + 1], (position - before).to(lines.dtype))
    undrawn = (position < 0) | (position > n - 1)
    undrawn = undrawn | torch.cat([undrawn[1:], undrawn.new_ones(1)])
    after = torch.cat([value[1:], value[-1:]])
    # Samples between the positions: sample s of a trace lies in step ceil((s - origin) / step) - 1
    last = torch.cat([begin[1:], begin.new_tensor([len(position)])]) - 1
    first_sample = before[begin].long() + 1
    n_samples = (before[last].long() + 1 - first_sample).clamp(min=0)
    owner = torch.repeat_interleave(n_samples)
    sample = torch.arange(len(owner), device=owner.device)
    sample += (first_sample - n_samples.cumsum(0) + n_samples)[owner]
    step = ((sample - batch.origin[owner]) / batch.step[owner]).ceil().long() - 1
    step += (begin - batch.first * SUB_COLUMNS)[owner]
    inside = flat[sample + batch.row[owner] * n]
    low = torch.minimum(value, after).scatter_reduce(0, step, inside, "amin")
    high = torch.maximum(value, after).scatter_reduce(0, step, inside, "amax")
    return low, high, undrawn


def _widen(top: Tensor, bottom: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
    """Sweep the pen along the spans; `reach` (taps + 1, S) is half its height at each tap."""
    wide_top, wide_bottom = top - reach[0], bottom + reach[0]
    for tap in range(1, len(reach)):
        up, down = top - reach[tap], bottom + reach[tap]
        off = up.new_full((tap,), FAR)
        wide_top = torch.minimum(wide_top, torch.cat([off, up[:-tap]]))
        wide_top = torch.minimum(wide_top, torch.cat([up[tap:], off]))
        wide_bottom = torch.maximum(wide_bottom, torch.cat([-off, down[:-tap]]))
        wide_bottom = torch.maximum(wide_bottom, torch.cat([down[tap:], -off]))
    return wide_top, wide_bottom


def _cover(
    top: Tensor,
    bottom: Tensor,
    trace: Tensor,
    column: Tensor,
    batch: _Batch,
    shape: tuple[int, int, int],
) -> Tensor:
    """Return the share of each pixel under ink, (batch, H, W), 0-1; the darkest trace wins."""
    n_pictures, height, width = shape
    top, bottom = top.clamp(min=0), bottom.clamp(max=height)
    first, last = top.detach().amin(1), bottom.detach().amax(1)
    shown = ((column >= 0) & (column < width) & (last > first)).nonzero()[:, 0]
    first_row = first[shown].long()
    n_rows = last[shown].ceil().long() - first_row
    span = torch.repeat_interleave(n_rows)
    row = torch.arange(len(span), device=span.device)
    row += (first_row - n_rows.cumsum(0) + n_rows)[span]
    source = shown[span]
    cell = row.to(top.dtype)[:, None]
    part = torch.minimum(cell + 1, bottom[source]) - torch.maximum(cell, top[source])
    share = part.clamp(min=0).mean(1)
    pixel = (batch.picture[trace[source]] * height + row) * width + column[source]
    blank = top.new_zeros(n_pictures * height * width)
    return blank.scatter_reduce(0, pixel, share, "amax").reshape(shape)
