"""Wear a picture: from the drawn numbers to pixels, always the same ones."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from dyssync.arrays import AnyFloats, Singles
from dyssync.rendering.lettering import write_text
from dyssync.rendering.noise import add_noise
from dyssync.rendering.rendered import Picture, Rendered, as_picture
from dyssync.rendering.wear.drawn import Wear
from dyssync.rendering.wear.warp import is_flat, warp_boxes, warp_image

LIGHT_CELLS = 48  # light changes slowly: it is computed on so many points a side
PEN = (40, 45, 110)  # blue-black ballpoint; grey pictures take its mean
FOLD_REACH = 0.02  # share of the side that a crease shades on each side


def apply_wear(rendered: Rendered, wear: Wear) -> Rendered:
    """Return the worn picture; the boxes follow the page.

    Args:
        rendered: grey or RGB picture with or without boxes.
        wear: what was drawn; its neutral default returns equal pixels.

    Returns:
        A new picture of the same shape.
    """
    image = np.array(rendered.image, order="C")
    size = image.shape[:2]
    _write(image, wear)
    image = _fade(image, wear)
    for place, upright, depth in wear.folds:
        _fold(image, place, upright, depth)
    boxes = rendered.boxes
    if not is_flat(wear):
        image = warp_image(image, wear)
        boxes = warp_boxes(boxes, wear, size)
    image = _shade(image, wear)
    if wear.blur:
        image = as_picture(cv2.GaussianBlur(image, (0, 0), max(wear.blur * size[1], 0.2)))
    image = _disturb(image, wear)
    if wear.jpeg:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, wear.jpeg])
        decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        assert decoded is not None  # it was encoded a line above
        image = as_picture(decoded)
    return replace(rendered, image=image, boxes=boxes)


def _write(image: Picture, wear: Wear) -> None:
    """Pen strokes and printed lines, in place."""
    height, width = image.shape[:2]
    pen = PEN if image.ndim == 3 else (sum(PEN) // 3,)
    for stroke in wear.strokes:
        points = np.array(stroke) * (width, height) * 16
        line = np.rint(points).astype(np.int32).reshape(-1, 1, 2)
        thickness = max(round(width / 500), 1)
        cv2.polylines(image, [line], False, pen, thickness, cv2.LINE_AA, shift=4)
    canvas = image if image.ndim == 3 else image[:, :, None]
    for x, y, tall, text in wear.prints:
        corner = (x * width, y * height)
        write_text(canvas, text, corner, round(tall * height), (30,) * canvas.shape[2], own=True)


def _fade(image: Picture, wear: Wear) -> Picture:
    if not wear.fade:
        return image
    grey = np.arange(256)
    return as_picture(
        cv2.LUT(image, np.rint(255 - (255 - grey) * (1 - wear.fade)).astype(np.uint8))
    )


def _fold(image: Picture, place: float, upright: bool, depth: float) -> None:
    """Shade both sides of a crease and whiten the crease itself, in place."""
    along = image.swapaxes(0, 1) if upright else image
    n = along.shape[0]
    reach = max(FOLD_REACH * n, 2.0)
    middle = place * n
    first, last = max(int(middle - reach), 0), min(int(middle + reach) + 1, n)
    offset = (np.arange(first, last) + 0.5 - middle) / reach
    near = np.maximum(1 - np.abs(offset), 0)
    # One side looks away from the light; the broken coating is pale.
    shade = 1 - depth * near * np.where(offset > 0, 0.6, 0.2)
    pale = depth * np.maximum(1 - np.abs(offset) * reach, 0)
    shape = (-1,) + (1,) * (image.ndim - 1)
    gain, lift = (shade * (1 - pale)).astype(np.float32), (255 * pale).astype(np.float32)
    along[first:last] = along[first:last] * gain.reshape(shape) + lift.reshape(shape)


def _light_field(wear: Wear) -> Singles | None:
    """Return light, shadow and stains as one factor, (LIGHT_CELLS, LIGHT_CELLS); None if none."""
    if not (wear.light or wear.shadow[2] or wear.stains):
        return None
    x = (np.arange(LIGHT_CELLS, dtype=np.float32) + 0.5) / LIGHT_CELLS
    y = x[:, None]
    # math, not NumPy: a NumPy number would make all of it double precision, at three times the time
    slope = math.cos(wear.light_angle) * (x - 0.5) + math.sin(wear.light_angle) * (y - 0.5)
    field = 1 - wear.light * np.minimum(np.maximum(0.5 + slope, 0), 1)
    angle, place, depth, softness = wear.shadow
    if depth:
        edge = math.cos(angle) * (x - 0.5) + math.sin(angle) * (y - 0.5) - place
        field *= 1 - depth * _sigmoid(edge * (4 / softness))
    for stain in wear.stains:
        distance = np.sqrt((x - stain.x) ** 2 + (y - stain.y) ** 2)
        field *= 1 - stain.depth * _sigmoid(8 - distance * (8 / stain.radius))
    return np.asarray(field, np.float32)


def _sigmoid(x: AnyFloats) -> AnyFloats:
    values: AnyFloats = 0.5 + 0.5 * np.tanh(0.5 * x)
    return values


def _shade(image: Picture, wear: Wear) -> Picture:
    field = _light_field(wear)
    if field is None:
        return image
    height, width = image.shape[:2]
    # 8 bit on both sides keeps the product in OpenCV's fast path
    factor = cv2.resize(cv2.convertScaleAbs(field, alpha=255), (width, height))
    if image.ndim == 3:
        factor = cv2.merge([factor] * 3)
    return as_picture(cv2.multiply(image, factor, scale=1 / 255))


def _disturb(image: Picture, wear: Wear) -> Picture:
    """Stripes of a monitor and noise of a sensor."""
    height, width = image.shape[:2]
    if wear.screen:
        turn = 2 * np.pi / wear.screen_pitch
        across = turn * np.cos(wear.screen_angle) * np.arange(width, dtype=np.float32)
        down = turn * np.sin(wear.screen_angle) * np.arange(height, dtype=np.float32)
        # cos(a + b) from its parts: two outer products instead of a cosine a pixel
        wave = np.outer(np.cos(down), np.cos(across)) - np.outer(np.sin(down), np.sin(across))
        factor = cv2.convertScaleAbs(wave, alpha=127 * wear.screen, beta=255 - 127 * wear.screen)
        if image.ndim == 3:
            factor = cv2.merge([factor] * 3)
        image = as_picture(cv2.multiply(image, factor, scale=1 / 255))
    if wear.noise:
        image = add_noise(image, wear.noise, wear.noise_at)
    return image
