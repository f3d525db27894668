"""From a page of paper to millivolt: each stage a pure function, the last one refuses or answers.

`ink`: what is drawn, apart from the paper. `lattice`, `phase`, `carrier`, `flat`: how the squares
of the paper lie, and the page made flat by them. `runs`, `rows`, `path`, `heights`, `traced`:
traces; `flanks` joins what a grid has torn. `spotter`: names of leads; `glyphs`, `words`, `pulses`:
the scale. `arrangements`, `columns`, `naming`, `physics`, `strips`, `matching`: which lead is
where. `scaling`, `quality`: speed, gain, and how sure it is. `reading` puts a page together one way
up, `digitise` finds the way up, has `sampling` make even samples and answers `digitised`; `overlay`
and `writing` show it.

Pages that a program drew are read by their lines: `lines`, `drawn_names`, `drawn_scale`, `vector`.
"""
