# SPDX-License-Identifier: Apache-2.0
"""Draws the ten digits that ship: one 28x28 int8 image each, and labels.json.

Glyphs are pen strokes through hand-placed points, smoothed, drawn with a round anti-aliased pen,
white on black, twenty pixels high, and moved so that their centre of mass lies in the middle, as
in MNIST. A pixel of brightness 0..255 is stored as the int8 value brightness - 128, which is the
model's own input quantisation (scale 1/255, zero point -128). Standard library only.

    python3 models/mnist_cnn/digits/draw.py [-o FOLDER] [--show]
"""

import argparse
import json
import math
import pathlib

SIZE = 28
HEIGHT = 20 - 2 * 1.2  # of the stroke's centre line, so that ink spans twenty pixels
PEN = 1.2  # radius of the pen in pixels
STEPS = 12  # line segments from one point to the next

# Strokes per digit; points are (x, y), y downwards, one unit = the digit's height. A stroke marked
# "curve" passes its points smoothly, a "line" in straight segments.
GLYPHS = {
    0: [("curve", [(0.36, 0.0), (0.10, 0.17), (0.02, 0.5), (0.10, 0.85), (0.34, 1.0), (0.58, 0.85),
                   (0.68, 0.5), (0.60, 0.15), (0.36, 0.0)])],
    1: [("line", [(0.24, 0.14), (0.38, 0.0), (0.30, 1.0)])],
    2: [("curve", [(0.06, 0.24), (0.16, 0.05), (0.38, 0.0), (0.58, 0.10), (0.60, 0.32),
                   (0.42, 0.60), (0.04, 0.98)]),
        ("line", [(0.04, 0.98), (0.68, 0.96)])],
    3: [("curve", [(0.06, 0.10), (0.30, 0.0), (0.54, 0.10), (0.52, 0.34), (0.24, 0.47)]),
        ("curve", [(0.24, 0.47), (0.54, 0.56), (0.60, 0.80), (0.36, 0.99), (0.02, 0.90)])],
    4: [("line", [(0.16, 0.0), (0.04, 0.52), (0.64, 0.52)]),
        ("line", [(0.56, 0.04), (0.48, 1.0)])],
    5: [("line", [(0.62, 0.0), (0.18, 0.02), (0.12, 0.44)]),
        ("curve", [(0.12, 0.44), (0.38, 0.38), (0.58, 0.56), (0.52, 0.86), (0.26, 1.0),
                   (0.02, 0.90)])],
    6: [("curve", [(0.50, 0.0), (0.20, 0.26), (0.06, 0.64), (0.18, 0.94), (0.42, 0.98),
                   (0.58, 0.78), (0.46, 0.56), (0.24, 0.58), (0.08, 0.76)])],
    7: [("line", [(0.02, 0.04), (0.62, 0.02), (0.26, 1.0)])],
    8: [("curve", [(0.52, 0.12), (0.32, 0.0), (0.12, 0.12), (0.16, 0.34), (0.48, 0.60),
                   (0.56, 0.84), (0.32, 1.0), (0.08, 0.86), (0.14, 0.60), (0.46, 0.34),
                   (0.52, 0.12)])],
    9: [("curve", [(0.54, 0.20), (0.34, 0.0), (0.10, 0.14), (0.10, 0.40), (0.34, 0.46),
                   (0.54, 0.22)]),
        ("line", [(0.55, 0.18), (0.52, 0.56), (0.44, 1.0)])],
}


def smooth(points):
    """Points of a Catmull-Rom curve through `points`; closed when first and last agree."""
    closed = points[0] == points[-1]
    before = points[-2] if closed else points[0]
    after = points[1] if closed else points[-1]
    knots = [before] + points + [after]
    result = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:]):
        for step in range(STEPS):
            t = step / STEPS
            result.append(tuple(
                b[k] + t * (c[k] - a[k] + t * (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]
                                               + t * (3 * (b[k] - c[k]) + d[k] - a[k]))) / 2
                for k in (0, 1)))
    return result + [points[-1]]


def distance(x, y, start, end):
    """Distance of a point from a line segment."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    t = ((x - start[0]) * dx + (y - start[1]) * dy) / (dx * dx + dy * dy)
    t = max(0.0, min(1.0, t))
    return math.hypot(x - start[0] - t * dx, y - start[1] - t * dy)


def render(segments, shift_x, shift_y):
    """Brightness 0..255, row by row, of segments given in pixels and moved by the shift."""
    image = []
    for row in range(SIZE):
        for column in range(SIZE):
            x, y = column + 0.5 - shift_x, row + 0.5 - shift_y
            nearest = min(distance(x, y, start, end) for start, end in segments)
            image.append(round(255 * max(0.0, min(1.0, PEN + 0.5 - nearest))))
    return image


def draw(digit):
    """The 784 pixels of a digit, 0..255, its centre of mass in the middle."""
    segments = []
    for kind, points in GLYPHS[digit]:
        path = smooth(points) if kind == "curve" else points
        path = [(HEIGHT * x, HEIGHT * y) for x, y in path]
        segments += zip(path, path[1:])
    image = render(segments, SIZE / 4, SIZE / 4)
    mass = sum(image)
    centre_x = sum(v * (i % SIZE + 0.5) for i, v in enumerate(image)) / mass
    centre_y = sum(v * (i // SIZE + 0.5) for i, v in enumerate(image)) / mass
    return render(segments, SIZE / 4 + SIZE / 2 - centre_x, SIZE / 4 + SIZE / 2 - centre_y)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output-dir", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent,
                        help="folder for the images (default: this script's)")
    parser.add_argument("--show", action="store_true", help="also print the digits")
    arguments = parser.parse_args()
    entries = []
    for digit in sorted(GLYPHS):
        image = draw(digit)
        name = "digit_%d.bin" % digit
        (arguments.output_dir / name).write_bytes(bytes((v - 128) & 0xFF for v in image))
        entries.append({"file": name, "label": digit})
        if arguments.show:
            for row in range(SIZE):
                print("".join(" .:+*#@@@"[v // 32] * 2 for v in image[SIZE * row:][:SIZE]))
    labels = {"shape": [1, SIZE, SIZE, 1], "dtype": "int8", "scale": 1 / 255, "zero_point": -128,
              "digits": entries}
    (arguments.output_dir / "labels.json").write_text(json.dumps(labels, indent=2) + "\n")


if __name__ == "__main__":
    main()
