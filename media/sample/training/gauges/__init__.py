"""Rendered photographs of analog dial gauges: a seeded generator on numpy and Pillow.

`render(seed, index)` in `gauges.render` is the entry point; the other modules each draw one thing:
`dial` the case, face, scale and glass, `needle` the pointer, `background` what the gauge hangs on,
`camera` perspective, light, blur and sensor noise.
"""
