"""From a page of paper to millivolt: each stage a pure function, the last one refuses or answers.

`ink`: what is drawn, apart from the grid. `lattice`: how wide the squares are and how they lie.
`flat`: the page made flat, its scale in px/mm. `rows`, `runs`, `path`, `heights`: traces.
`glyphs`, `names`, `pulses`: what is written beside them. `matching`: which lead is where.
`digitise`: all of it.
"""
